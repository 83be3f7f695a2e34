"""Many connections at the same time, with asyncio's streams as any program uses them.

crowd.py HOST PORT COUNT                 prints the nanoseconds from before the first until all are there
crowd.py HOST PORT COUNT GATEWAY-PORT    the same, speaking SOCKS5 to the gateway on 127.0.0.1 itself

Afterwards a byte goes there and back over each, so that a connection which only looks like one is an error.
"""

import asyncio
import resource
import socket
import sys
import time

# Greeting with username and password, the credential bench:0, CONNECT to an IPv4 address.
HEAD = b"\x05\x01\x02\x01\x05bench\x010\x05\x01\x00\x01"


async def connect(host, port):
    return await asyncio.open_connection(host, port)


async def connect_by(gateway, host, port):
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway)
    writer.write(HEAD + socket.inet_aton(host) + port.to_bytes(2, "big"))
    answer = await reader.readexactly(2 + 2 + 10)
    if answer[:6] != b"\x05\x02\x01\x00\x05\x00":
        raise OSError(f"the gateway answered {answer!r}")
    return reader, writer


async def try_one(reader, writer):
    writer.write(b"?")
    if await reader.readexactly(1) != b"?":
        raise OSError("no echo")
    writer.close()


async def main(host, port, count, gateway=None):
    begin = time.perf_counter_ns()
    ways = (connect_by(gateway, host, port) if gateway else connect(host, port) for _ in range(count))
    streams = await asyncio.gather(*ways)
    took = time.perf_counter_ns() - begin
    await asyncio.gather(*(try_one(*stream) for stream in streams))
    print(took)


# Thousands of connections need as many descriptors; where that is forbidden, one of them says so.
limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))

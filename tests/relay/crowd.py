"""COUNT connections of asyncio at once to HOST PORT, or to names below HOST: how many milliseconds they take."""
import asyncio
import sys
import time


async def main(host, port, count):
    hosts = [host if host[-1].isdigit() else f"{number}.{host}" for number in range(count)]
    begin = time.monotonic()
    pairs = await asyncio.gather(*(asyncio.open_connection(name, port) for name in hosts))
    took = time.monotonic() - begin
    for reader, writer in pairs:
        assert writer.get_extra_info("peername")[1] == port
        writer.write(b"echo\nhi")
        assert await reader.readexactly(2) == b"hi"
        writer.close()
    print(f"{len(pairs)} in {took * 1000:.0f} ms")


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))

"""COUNT streams of asyncio at once to HOST PORT, SIZE bytes each way, compared byte for byte."""
import asyncio
import random
import sys


async def stream(host, port, number, size):
    data = random.Random(number).randbytes(size)
    reader, writer = await asyncio.open_connection(host, port)

    async def send():
        writer.write(b"echo\n" + data)
        await writer.drain()
        writer.write_eof()

    sender = asyncio.create_task(send())
    got = await reader.read()
    await sender
    writer.close()
    return "same" if got == data else f"stream {number}: {len(got)} of {size} bytes, or others"


async def main(host, port, count, size):
    said = await asyncio.gather(*(stream(host, port, number, size) for number in range(count)))
    print(*sorted(set(said)), sep="\n")


asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:5])))

"""client.py WAY TARGET [WAY TARGET...]

Connects to each target in the way before it, and says how that went in a line "WAY TARGET RESULT"; several at a time.
What comes about is used: a word is sent, and an answer waited for.
"""

import asyncio
import concurrent.futures
import errno
import socket
import sys

# Longer than any connect here.
PATIENCE = 30
AT_A_TIME = 6
# Two names have the same number.
ERRORS = {**errno.errorcode, errno.EOPNOTSUPP: "EOPNOTSUPP"}
LOOKUP_ERRORS = {getattr(socket, name): name for name in ("EAI_NONAME", "EAI_AGAIN", "EAI_FAIL", "EAI_NODATA")}


def use(connection):
    with connection:
        connection.sendall(b"hi\n")
        return connection.recv(1)


def blocking(target):
    return use(socket.create_connection((target, 80)))


def timeout(target):
    """Python makes a socket that has a time limit non-blocking."""
    return use(socket.create_connection((target, 80), timeout=PATIENCE))


async def exchange(target):
    reader, writer = await asyncio.open_connection(target, 80)
    try:
        writer.write(b"hi\n")
        return await reader.read(1)
    finally:
        writer.transport.abort()


def event_loop(target):
    return asyncio.run(exchange(target))


WAYS = {"blocking": blocking, "timeout": timeout, "asyncio": event_loop}


def outcome(way, target):
    try:
        return f"answer {WAYS[way](target)}"
    except socket.gaierror as error:
        return f"{type(error).__name__} {LOOKUP_ERRORS.get(error.errno, error.errno)}"
    except OSError as error:
        return f"{type(error).__name__} {ERRORS.get(error.errno, error.errno)}"


pairs = list(zip(sys.argv[1::2], sys.argv[2::2]))
with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
    for (way, target), said in zip(pairs, pool.map(lambda pair: outcome(*pair), pairs)):
        print(way, target, said)

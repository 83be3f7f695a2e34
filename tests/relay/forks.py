"""Threads that connect to HOST PORT without waiting while the process forks children that do the same."""
import errno
import os
import select
import socket
import sys
import threading

ADDRESS = (sys.argv[1], int(sys.argv[2]))


def connect():
    with socket.socket() as sock:
        sock.setblocking(False)
        began = sock.connect_ex(ADDRESS)
        poll = select.poll()
        poll.register(sock, select.POLLOUT)
        poll.poll(30000)
        return began == errno.EINPROGRESS and sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def connects(good):
    good.append(all(connect() for _ in range(20)))


good = []
threads = [threading.Thread(target=connects, args=(good,)) for _ in range(8)]
for thread in threads:
    thread.start()
children = []
while len(children) < 40:
    child = os.fork()
    if child == 0:
        os._exit(0 if connect() else 1)
    children.append(child)
good += [os.waitpid(child, 0)[1] == 0 for child in children]
for thread in threads:
    thread.join()
print(good.count(True), "of", len(good))

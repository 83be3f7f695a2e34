/* Ways through io_uring: the kernel makes the calls, none of which a filter of system calls sees. */
#define _GNU_SOURCE
#include "leak.h"

/* musl-gcc shows no headers of the kernel. */
#if __has_include(<linux/io_uring.h>)
#include <errno.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Not in the headers of older kernels. */
#define OP_SOCKET 45

struct ring {
    int fd;
    struct io_uring_params parameters;
    char *indices;
    struct io_uring_sqe *entries;
};

static struct ring make_ring(void) {
    struct ring ring = {.fd = -1};
    ring.fd = (int)kernel(SYS_io_uring_setup, 4, (long)&ring.parameters, 0, 0, 0, 0);
    must(ring.fd >= 0, "io_uring_setup");
    must((ring.parameters.features & IORING_FEAT_SINGLE_MMAP) != 0, "io_uring features");
    int access = PROT_READ | PROT_WRITE;
    ring.indices = mmap(NULL, 4096, access, MAP_SHARED | MAP_POPULATE, ring.fd, IORING_OFF_SQ_RING);
    ring.entries = mmap(NULL, 4096, access, MAP_SHARED | MAP_POPULATE, ring.fd, IORING_OFF_SQES);
    must(ring.indices != MAP_FAILED && (void *)ring.entries != MAP_FAILED, "mmap");
    return ring;
}

/* Submits one entry and waits for its result. */
static int submit(struct ring *ring, struct io_uring_sqe entry, const char *call) {
    struct io_sqring_offsets *in = &ring->parameters.sq_off;
    struct io_cqring_offsets *out = &ring->parameters.cq_off;
    unsigned *tail = (unsigned *)(ring->indices + in->tail), *head = (unsigned *)(ring->indices + out->head);
    unsigned slot = *tail & *(unsigned *)(ring->indices + in->ring_mask);
    ring->entries[slot] = entry;
    ((unsigned *)(ring->indices + in->array))[slot] = slot;
    __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
    must(kernel(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, 0, 0) == 1, "io_uring_enter");
    struct io_uring_cqe *results = (struct io_uring_cqe *)(ring->indices + out->cqes);
    int result = results[*head & *(unsigned *)(ring->indices + out->ring_mask)].res;
    __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
    if (result < 0) errno = -result;
    must(result >= 0, call);
    return result;
}

static void connected(char **to) {
    struct peer peer = peer_of(to[0], to[1]);
    struct ring ring = make_ring();
    struct io_uring_sqe make = {.opcode = OP_SOCKET, .fd = peer.address.ss_family, .off = SOCK_STREAM};
    int fd = given >= 0 ? given : submit(&ring, make, "socket");
    uint64_t address = (uint64_t)(uintptr_t)&peer.address;
    struct io_uring_sqe entry = {.opcode = IORING_OP_CONNECT, .fd = fd, .addr = address, .off = peer.length};
    submit(&ring, entry, "connect");
    talk(fd);
}

static void sent(char **to) {
    struct peer peer = peer_of(to[0], to[1]);
    struct ring ring = make_ring();
    struct io_uring_sqe make = {.opcode = OP_SOCKET, .fd = peer.address.ss_family, .off = SOCK_DGRAM};
    struct iovec part = {"datagram", 8};
    struct msghdr message = {.msg_name = &peer.address, .msg_namelen = peer.length, .msg_iov = &part, .msg_iovlen = 1};
    int fd = given >= 0 ? given : submit(&ring, make, "socket");
    uint64_t address = (uint64_t)(uintptr_t)&message;
    submit(&ring, (struct io_uring_sqe){.opcode = IORING_OP_SENDMSG, .fd = fd, .addr = address, .len = 1}, "sendmsg");
    done("sent");
}

const struct way ring_ways[] = {{"uring-connect", 2, connected}, {"uring-sendmsg", 2, sent}, {NULL, 0, NULL}};
#else
const struct way ring_ways[] = {{NULL, 0, NULL}};
#endif

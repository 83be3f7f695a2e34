/* The system calls under test, through libc or past it. */
#define _GNU_SOURCE
#include "leak.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum gate opens = LIBC, uses = LIBC;
int given = -1;
void (*prepare)(int fd);
int stream_protocol;

#ifdef __x86_64__
/* A system call by the instruction: syscall(2) is a function of libc, which a preloaded library may have replaced. */
static long instruction(long number, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

long kernel(long number, long a, long b, long c, long d, long e, long f) {
    long result = instruction(number, a, b, c, d, e, f);
    if (result >= 0) return result;
    errno = (int)-result;
    return -1;
}

/* The 32-bit system call gate: number and six arguments, all of 32 bits. */
long int80(long number, long a, long b, long c, long d, long e, long f);
__asm__(".text\n.globl int80\nint80:\n"
        "push %rbx\n push %rbp\n mov 24(%rsp), %ebp\n mov %edi, %eax\n mov %esi, %ebx\n xchg %ecx, %edx\n"
        "mov %r8d, %esi\n mov %r9d, %edi\n int $0x80\n pop %rbp\n pop %rbx\n movslq %eax, %rax\n ret\n"
        ".section .note.GNU-stack,\"\",@progbits\n.text\n");

/* A copy where 32-bit pointers reach it. */
static long low(const void *bytes, size_t length) {
    static char *page;
    static size_t used;
    if (!page) page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    must(page != MAP_FAILED, "mmap");
    if (!bytes) return 0;
    char *copy = memcpy(page + used, bytes, length);
    used += (length + 15) & ~15UL;
    return (long)copy;
}

/* The numbers of one call for int80 and for socketcall(2). */
struct numbers {
    long direct, multiplexed;
};
static const struct numbers SOCKET = {359, 1}, CONNECT = {362, 3}, SENDTO = {369, 11};

static long narrow(enum gate gate, struct numbers numbers, long a, long b, long c, long d, long e, long f) {
    const uint32_t all[] = {(uint32_t)a, (uint32_t)b, (uint32_t)c, (uint32_t)d, (uint32_t)e, (uint32_t)f};
    long result = gate == INT80 ? int80(numbers.direct, a, b, c, d, e, f)
                                : int80(102, numbers.multiplexed, low(all, sizeof all), 0, 0, 0, 0);
    if (result >= 0) return result;
    errno = (int)-result;
    return -1;
}
#else
/* Only static programs are built for other machines: nothing stands before their syscall(2). */
long kernel(long number, long a, long b, long c, long d, long e, long f) {
    return syscall(number, a, b, c, d, e, f);
}
#define low(bytes, length) 0
#define narrow(...) (errno = ENOSYS, -1)
#endif

int open_socket(int family, int type, int protocol) {
    int fd = given;
    if (fd < 0) {
        switch (opens) {
        case LIBC: fd = socket(family, type, protocol); break;
        case NUMBER: fd = (int)syscall(SYS_socket, family, type, protocol); break;
        case RAW: fd = (int)kernel(SYS_socket, family, type, protocol, 0, 0, 0); break;
        default: fd = (int)narrow(opens, SOCKET, family, type, protocol, 0, 0, 0);
        }
    }
    must(fd >= 0, "socket");
    if (prepare) prepare(fd);
    return fd;
}

int connect_to(int fd, const struct peer *peer) {
    const struct sockaddr *address = (const struct sockaddr *)&peer->address;
    switch (uses) {
    case LIBC: return connect(fd, address, peer->length);
    case NUMBER: return (int)syscall(SYS_connect, fd, address, peer->length);
    case RAW: return (int)kernel(SYS_connect, fd, (long)address, peer->length, 0, 0, 0);
    default: return (int)narrow(uses, CONNECT, fd, low(address, peer->length), peer->length, 0, 0, 0);
    }
}

/* The end of our half of a stream. On i386 libc's function is one of those behind socketcall(2). */
int half_close(int fd) {
    return uses == LIBC ? shutdown(fd, SHUT_WR) : (int)kernel(SYS_shutdown, fd, SHUT_WR, 0, 0, 0, 0);
}

ssize_t send_bytes(int fd, const void *bytes, size_t count, int flags, const struct peer *peer) {
    const struct sockaddr *address = peer ? (const struct sockaddr *)&peer->address : NULL;
    socklen_t length = peer ? peer->length : 0;
    switch (uses) {
    case LIBC: return sendto(fd, bytes, count, flags, address, length);
    case NUMBER: return syscall(SYS_sendto, fd, bytes, count, flags, address, length);
    case RAW: return kernel(SYS_sendto, fd, (long)bytes, (long)count, flags, (long)address, length);
    default: return narrow(uses, SENDTO, fd, low(bytes, count), (long)count, flags, low(address, length), length);
    }
}

ssize_t send_to(int fd, const char *text, int flags, const struct peer *peer) {
    return send_bytes(fd, text, strlen(text), flags, peer);
}

static struct mmsghdr message(const char *text, const struct peer *peer, struct iovec *part) {
    *part = (struct iovec){(void *)text, strlen(text)};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = part, .msg_iovlen = 1}};
    if (peer) message.msg_hdr.msg_name = (void *)&peer->address, message.msg_hdr.msg_namelen = peer->length;
    return message;
}

ssize_t send_message(int fd, const char *text, int flags, const struct peer *peer) {
    struct iovec part;
    struct mmsghdr one = message(text, peer, &part);
    switch (uses) {
    case LIBC: return sendmsg(fd, &one.msg_hdr, flags);
    case NUMBER: return syscall(SYS_sendmsg, fd, &one.msg_hdr, flags);
    default: return kernel(SYS_sendmsg, fd, (long)&one.msg_hdr, flags, 0, 0, 0);
    }
}

ssize_t send_messages(int fd, const char *text, int flags, const struct peer *peer) {
    struct iovec part;
    struct mmsghdr both[] = {message(text, peer, &part), message(text, peer, &part)};
    int sent;
    switch (uses) {
    case LIBC: sent = sendmmsg(fd, both, 2, flags); break;
    case NUMBER: sent = (int)syscall(SYS_sendmmsg, fd, both, 2, flags); break;
    default: sent = (int)kernel(SYS_sendmmsg, fd, (long)both, 2, flags, 0, 0);
    }
    /* The first opens a connection when it is to, and there is none left to open for the second. */
    return sent > 0 ? (ssize_t)strlen(text) : -1;
}

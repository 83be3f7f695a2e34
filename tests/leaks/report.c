/* What the program says: one line, "answer TEXT", "sent", or the call that failed and its errno. */
#include "leak.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMED(number) {number, #number}

/* glibc's strerrorname_np is missing in musl. */
static const struct {
    int number;
    const char *name;
} names[] = {
    NAMED(EACCES),          NAMED(EADDRNOTAVAIL), NAMED(EAFNOSUPPORT), NAMED(EAGAIN),      NAMED(EBADF),
    NAMED(ECONNREFUSED),    NAMED(ECONNRESET),    NAMED(EDESTADDRREQ), NAMED(EEXIST),      NAMED(EFAULT),
    NAMED(EHOSTUNREACH),    NAMED(EINPROGRESS),   NAMED(EINVAL),       NAMED(EISCONN),     NAMED(ENETUNREACH),
    NAMED(ENODEV),          NAMED(ENOENT),        NAMED(ENOPROTOOPT),  NAMED(ENOSYS),      NAMED(ENOTCONN),
    NAMED(EOPNOTSUPP),      NAMED(EPERM),         NAMED(EPIPE),        NAMED(EPROTONOSUPPORT), NAMED(EPROTOTYPE),
    NAMED(ESOCKTNOSUPPORT), NAMED(ETIMEDOUT),     NAMED(EIO),          NAMED(ENXIO),       NAMED(EMFILE),
};

static const char *name_of(int number) {
    static char other[16];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == number) return names[i].name;
    snprintf(other, sizeof other, "%d", number);
    return other;
}

/* exit_group at once: the other threads and what libc would do at the end are of no interest. */
_Noreturn static void end(int status) {
    fflush(stdout);
    _exit(status);
}

_Noreturn void failed(const char *call) {
    printf("%s: %s\n", call, name_of(errno));
    end(1);
}

_Noreturn void done(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    end(0);
}

void must(int good, const char *call) {
    if (!good) failed(call);
}

/* Reads up to the end of the stream: the peer has closed too when we say what it said. */
_Noreturn void hear(int fd) {
    char text[512] = "";
    size_t length = 0;
    ssize_t count;
    while ((count = read(fd, text + length, sizeof text - 1 - length)) > 0) length += (size_t)count;
    must(count == 0, "read");
    text[strcspn(text, "\r\n")] = 0;
    if (!*text) done("no answer");
    done("answer %s", text);
}

/* A word to a server that sends everything back. */
_Noreturn void talk(int fd) {
    must(write(fd, "hi\n", 3) == 3, "write");
    must(half_close(fd) == 0, "shutdown");
    hear(fd);
}

struct peer peer_of(const char *address, const char *port) {
    struct peer peer = {.length = 0};
    struct sockaddr_in *four = (struct sockaddr_in *)&peer.address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&peer.address;
    uint16_t number = htons((uint16_t)atoi(port));
    if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
        four->sin_family = AF_INET, four->sin_port = number, peer.length = sizeof *four;
    } else if (inet_pton(AF_INET6, address, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6, six->sin6_port = number, peer.length = sizeof *six;
    } else {
        fprintf(stderr, "%s: no address\n", address);
        exit(2);
    }
    return peer;
}

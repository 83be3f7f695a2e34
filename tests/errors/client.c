/* client WAY TARGET [WAY TARGET…]
 *
 * Connects to each target (a name, or an address of IPv6) in the way before it, and says how that went in a line "WAY
 * TARGET RESULT". All at the same time, each in a process of its own: some of them wait for a time limit.
 *
 * client run PROGRAM ARGUMENT… executes another program with an environment that names no library to be loaded first. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Longer than any connect here, and shorter than the test waits. */
#define PATIENCE 30000

static const char *name_of_lookup_error(int error) {
    switch (error) {
    case EAI_NONAME: return "EAI_NONAME";
    case EAI_AGAIN: return "EAI_AGAIN";
    case EAI_FAIL: return "EAI_FAIL";
    case EAI_NODATA: return "EAI_NODATA";
    default: return gai_strerror(error);
    }
}

/* One write, so that lines of different processes do not mix. */
__attribute__((format(printf, 1, 2))) _Noreturn static void done(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vdprintf(STDOUT_FILENO, format, arguments);
    va_end(arguments);
    _exit(0);
}

/* What a call gave. */
static const char *outcome(int error) {
    return error ? strerrorname_np(error) : "success";
}

static int events(int fd, short wanted) {
    struct pollfd poll_fd = {.fd = fd, .events = wanted};
    return poll(&poll_fd, 1, PATIENCE) == 1 ? poll_fd.revents : 0;
}

static int error_of(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

/* Names what poll(2) says. */
static const char *named(int revents) {
    static char text[32];
    static const struct {
        int bit;
        const char *name;
    } bits[] = {{POLLIN, "in"}, {POLLOUT, "out"}, {POLLERR, "err"}, {POLLHUP, "hup"}};
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        if (revents & bits[i].bit) {
            if (*text) strcat(text, "+");
            strcat(text, bits[i].name);
        }
    return *text ? text : "nothing";
}

/* The first call that fails when the connection is used: its name and its errno. */
_Noreturn static void used(const char *way, const char *target, int fd) {
    char byte;
    ssize_t count;
    if (send(fd, "hi\n", 3, MSG_NOSIGNAL) < 0) done("%s %s send %s\n", way, target, outcome(errno));
    events(fd, POLLIN);
    if ((count = recv(fd, &byte, 1, 0)) < 0) done("%s %s recv %s\n", way, target, outcome(errno));
    done("%s %s recv %zd bytes\n", way, target, count);
}

/* A socket that waits for what it does. */
_Noreturn static void waiting(const char *way, const char *target, int fd, const struct addrinfo *to) {
    int result = connect(fd, to->ai_addr, to->ai_addrlen);
    if (strncmp(way, "connect", 7) == 0) done("%s %s %s\n", way, target, outcome(result ? errno : 0));
    /* "use" */
    if (result) done("%s %s connect %s\n", way, target, outcome(errno));
    used(way, target, fd);
}

/* A socket that does not. */
_Noreturn static void not_waiting(const char *way, const char *target, int fd, const struct addrinfo *to) {
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (connect(fd, to->ai_addr, to->ai_addrlen) == 0) done("%s %s connected at once\n", way, target);
    if (errno != EINPROGRESS) done("%s %s at once %s\n", way, target, outcome(errno));
    int revents = events(fd, POLLIN | POLLOUT), error;
    if (strcmp(way, "poll") == 0) done("%s %s %s\n", way, target, named(revents));
    if (strcmp(way, "error") == 0) done("%s %s %s\n", way, target, outcome(error_of(fd)));
    if (strcmp(way, "again") == 0) {
        error = connect(fd, to->ai_addr, to->ai_addrlen) ? errno : 0;
        done("%s %s %s\n", way, target, outcome(error));
    }
    if (strcmp(way, "recv") == 0) {
        char byte;
        done("%s %s %s\n", way, target, outcome(recv(fd, &byte, 1, 0) < 0 ? errno : 0));
    }
    /* "begun-use" and "begun-error" */
    if ((error = error_of(fd)) != 0) done("%s %s connect %s\n", way, target, outcome(error));
    if (strcmp(way, "begun-use") == 0) used(way, target, fd);
    if (send(fd, "hi\n", 3, MSG_NOSIGNAL) < 0) done("%s %s send %s\n", way, target, outcome(errno));
    revents = events(fd, POLLIN);
    done("%s %s %s %s\n", way, target, named(revents), outcome(error_of(fd)));
}

_Noreturn static void go(const char *way, const char *target) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *to;
    int error = getaddrinfo(target, "80", &hints, &to);
    if (error) done("%s %s %s\n", way, target, name_of_lookup_error(error));
    int fd = socket(to->ai_family, SOCK_STREAM, 0);
    if (fd < 0) done("%s %s socket %s\n", way, target, outcome(errno));
    if (strncmp(way, "connect", 7) == 0 || strcmp(way, "use") == 0) waiting(way, target, fd, to);
    not_waiting(way, target, fd, to);
}

int main(int count, char **words) {
    if (count > 2 && strcmp(words[1], "run") == 0) {
        char *environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=/nonexistent", "RES_OPTIONS=timeout:30", NULL};
        execve(words[2], words + 2, environment);
        perror(words[2]);
        return 126;
    }
    for (int i = 1; i + 1 < count; i += 2)
        if (fork() == 0) go(words[i], words[i + 1]);
    int status, bad = 0;
    while (wait(&status) > 0) bad |= status != 0;
    return bad;
}

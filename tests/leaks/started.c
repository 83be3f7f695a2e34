/* Words before the way: who makes its calls, on which descriptor, in which thread or process or program. */
#define _GNU_SOURCE
#include "leak.h"

#include <errno.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef DYNAMIC
#include <dlfcn.h>
#endif

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SO_MARK
#define SO_MARK 36
#endif

static const char *option_value;

static void set_mark(int fd) {
    int mark = atoi(option_value);
    must(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) == 0, "setsockopt");
}

static void set_device(int fd) {
    must(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, option_value, (socklen_t)strlen(option_value)) == 0, "setsockopt");
}

/* The first (0) or second (1) socket that a process outside passes at an abstract address. */
static int passed(const char *name, int index) {
    struct sockaddr_un from = {.sun_family = AF_UNIX};
    strncpy(from.sun_path + 1, name, sizeof from.sun_path - 2);
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), both[2];
    must(fd >= 0 && connect(fd, (struct sockaddr *)&from, length) == 0, "connect to the outside");
    char byte;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof both)];
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    message.msg_control = control, message.msg_controllen = sizeof control;
    must(recvmsg(fd, &message, 0) == 1, "recvmsg");
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    errno = ENOENT;
    must(header && header->cmsg_len == CMSG_LEN(sizeof both), "passed sockets");
    memcpy(both, CMSG_DATA(header), sizeof both);
    return both[index];
}

/* A descriptor of another process. */
static int stolen(const char *pid, const char *fd) {
    int process = (int)kernel(SYS_pidfd_open, atoi(pid), 0, 0, 0, 0, 0);
    must(process >= 0, "pidfd_open");
    int copy = (int)kernel(SYS_pidfd_getfd, process, atoi(fd), 0, 0, 0, 0);
    must(copy >= 0, "pidfd_getfd");
    return copy;
}

_Noreturn void wait_for(int child) {
    int status = 0;
    must(child > 0 && waitpid(child, &status, 0) == child, "child");
    exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void *in_thread(void *words) {
    run(words);
    return NULL;
}

static void thread(char **words) {
    pthread_t other;
    must(pthread_create(&other, NULL, in_thread, words) == 0, "pthread_create");
    pthread_join(other, NULL);
}

static void child(char **words) {
    pid_t pid = fork();
    if (pid == 0) run(words);
    wait_for(pid);
}

static void cloned(char **words) {
    /* struct clone_args: the fifth word is the signal at its end. musl has no header with it. */
    uint64_t how[8] = {0, 0, 0, 0, SIGCHLD};
    pid_t pid = (pid_t)kernel(SYS_clone3, (long)how, sizeof how, 0, 0, 0, 0);
    if (pid == 0) run(words);
    wait_for(pid);
}

/* This program again, by vfork(2) and an execve(2) that libc does not see. */
static void executed(char **words) {
    char **arguments = words - 1, *environment[] = {NULL};
    arguments[0] = "leak";
    pid_t pid = vfork();
    if (pid == 0) {
        kernel(SYS_execve, (long)"/proc/self/exe", (long)arguments, (long)environment, 0, 0, 0);
        _exit(126);
    }
    wait_for(pid);
}

/* PROGRAM ARGUMENTS… with an empty environment. */
static void scrubbed(char **words) {
    char *environment[] = {NULL};
    execve(words[0], words, environment);
    failed("execve");
}

static void raw_scrubbed(char **words) {
    char *environment[] = {NULL};
    kernel(SYS_execve, (long)words[0], (long)words, (long)environment, 0, 0, 0);
    failed("execve");
}

static void spawned(char **words) {
    char *environment[] = {NULL};
    pid_t pid;
    int error = posix_spawn(&pid, words[0], NULL, NULL, words, environment);
    errno = error;
    must(error == 0, "posix_spawn");
    wait_for(pid);
}

#ifdef DYNAMIC
/* The functions of a second copy of libc, in a name space of its own: no preload stands before it. */
static void second_libc(char **to) {
    void *libc = dlmopen(LM_ID_NEWLM, "libc.so.6", RTLD_NOW);
    must(libc != NULL, "dlmopen");
    int (*own_socket)(int, int, int) = (int (*)(int, int, int))dlsym(libc, "socket");
    int (*own_connect)(int, const void *, socklen_t) = (int (*)(int, const void *, socklen_t))dlsym(libc, "connect");
    int *(*own_errno)(void) = (int *(*)(void))dlsym(libc, "__errno_location");
    struct peer peer = peer_of(to[0], to[1]);
    int fd = own_socket(peer.address.ss_family, SOCK_STREAM, 0);
    errno = *own_errno();
    must(fd >= 0, "socket");
    int connected = own_connect(fd, &peer.address, peer.length);
    errno = *own_errno();
    must(connected == 0, "connect");
    talk(fd);
}
#endif

/* Those that run the rest. */
static const struct way runners[] = {
    {"thread", 0, thread},     {"fork", 0, child},         {"clone3", 0, cloned},
    {"vfork-exec", 0, executed}, {"execve", 0, scrubbed}, {"raw-execve", 0, raw_scrubbed},
    {"posix_spawn", 0, spawned},
#ifdef DYNAMIC
    {"dlmopen", 2, second_libc},
#endif
    {NULL, 0, NULL},
};

int modifier(char **words) {
    const char *word = words[0];
    for (const struct way *runner = runners; runner->name; runner++) {
        if (strcmp(word, runner->name) == 0) {
            runner->run(words + 1);
            exit(0);
        }
    }
    if (strcmp(word, "number") == 0) return opens = uses = NUMBER, 1;
    if (strcmp(word, "raw") == 0) return opens = uses = RAW, 1;
    if (strcmp(word, "int80") == 0) return opens = uses = INT80, 1;
    if (strcmp(word, "socketcall") == 0) return opens = uses = SOCKETCALL, 1;
    if (strcmp(word, "then-raw") == 0) return uses = RAW, 1;
    if (strcmp(word, "then-int80") == 0) return uses = INT80, 1;
    if (strcmp(word, "then-socketcall") == 0) return uses = SOCKETCALL, 1;
    if (strcmp(word, "mptcp") == 0) return stream_protocol = 262, 1;
    if (strcmp(word, "nodump") == 0) return must(prctl(PR_SET_DUMPABLE, 0) == 0, "prctl"), 1;
    if (!words[1]) return 0;
    if (strcmp(word, "mark") == 0) return option_value = words[1], prepare = set_mark, 2;
    if (strcmp(word, "device") == 0) return option_value = words[1], prepare = set_device, 2;
    if (strcmp(word, "given") == 0) return given = atoi(words[1]), 2;
    if (strcmp(word, "passed-tcp") == 0) return given = passed(words[1], 0), 2;
    if (strcmp(word, "passed-udp") == 0) return given = passed(words[1], 1), 2;
    if (!words[2]) return 0;
    if (strcmp(word, "stolen") == 0) return given = stolen(words[1], words[2]), 3;
    return 0;
}

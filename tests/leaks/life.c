/* Ways of programs that live with their connections: many, long, interrupted, in the background. */
#define _GNU_SOURCE
#include "leak.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void await(void) {
    char byte = 0;
    while (byte != '\n') must(read(STDIN_FILENO, &byte, 1) == 1, "standard input");
}

/* Connects, says so, and talks when there is a line on standard input. */
static void hold(char **to) {
    struct peer peer = peer_of(to[0], to[1]);
    int fd = open_socket(peer.address.ss_family, SOCK_STREAM, 0);
    must(connect_to(fd, &peer) == 0, "connect");
    puts("connected");
    fflush(stdout);
    await();
    talk(fd);
}

static int rounds;
static struct peer target;

/* Connections to the target, one after the other; each must give back what it got. */
static void *in_rounds(void *failures) {
    for (int left = rounds; left > 0; left--) {
        char text[4] = "";
        int fd = open_socket(target.address.ss_family, SOCK_STREAM, 0);
        int good = connect_to(fd, &target) == 0 && write(fd, "hi\n", 3) == 3 && read(fd, text, 3) == 3;
        if (!good || memcmp(text, "hi\n", 3) != 0) __atomic_fetch_add((int *)failures, 1, __ATOMIC_RELAXED);
        close(fd);
    }
    return NULL;
}

/* THREADS threads make ROUNDS connections each. */
static void storm(char **words) {
    enum { MOST = 64 };
    pthread_t threads[MOST];
    int count = atoi(words[0]), failures = 0;
    rounds = atoi(words[1]), target = peer_of(words[2], words[3]);
    for (int i = 0; i < count && i < MOST; i++) must(!pthread_create(&threads[i], NULL, in_rounds, &failures), "thread");
    for (int i = 0; i < count && i < MOST; i++) pthread_join(threads[i], NULL);
    done("%d of %d failed", failures, count * rounds);
}

static long milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* COUNT connections at once, without blocking; says how many milliseconds it took until the last was there. */
static void at_once(char **words) {
    int count = atoi(words[0]), left = count;
    struct pollfd *all = calloc((size_t)count, sizeof *all);
    struct peer peer = peer_of(words[1], words[2]);
    long begin = milliseconds();
    for (int i = 0; i < count; i++) {
        int fd = open_socket(peer.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        must(connect_to(fd, &peer) == 0 || errno == EINPROGRESS, "connect");
        all[i] = (struct pollfd){.fd = fd, .events = POLLOUT};
    }
    while (left > 0) {
        must(poll(all, (nfds_t)count, -1) > 0, "poll");
        for (int i = 0; i < count; i++) {
            socklen_t size = sizeof errno;
            if (all[i].fd < 0 || !all[i].revents) continue;
            must(getsockopt(all[i].fd, SOL_SOCKET, SO_ERROR, &errno, &size) == 0 && errno == 0, "connect");
            /* Negative ones are left out by poll; they stay open. */
            all[i].fd = -all[i].fd, left--;
        }
    }
    done("%d in %ld ms", count, milliseconds() - begin);
}

static volatile sig_atomic_t alarms;

static void count_alarm(int signal) {
    (void)signal;
    alarms++;
}

/* A timer goes off all the time while connect(2) waits; its handler wants system calls to be restarted. */
static void alarmed(char **to) {
    struct sigaction action = {.sa_handler = count_alarm, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 20000}, {0, 20000}}, never = {{0, 0}, {0, 0}};
    struct peer peer = peer_of(to[0], to[1]);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    int fd = open_socket(peer.address.ss_family, SOCK_STREAM, 0);
    must(connect_to(fd, &peer) == 0, "connect");
    setitimer(ITIMER_REAL, &never, NULL);
    printf("%s, ", alarms > 0 ? "alarmed" : "never alarmed");
    talk(fd);
}

const struct way life_ways[] = {
    {"hold", 2, hold}, {"storm", 4, storm}, {"at-once", 3, at_once}, {"alarmed", 2, alarmed}, {NULL, 0, NULL},
};

/* COUNT children do the rest. */
static void forks(char **words) {
    int count = atoi(words[0]), failures = 0, status;
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        must(child >= 0, "fork");
        if (child == 0) {
            must(freopen("/dev/null", "w", stdout) != NULL, "/dev/null");
            run(words + 1);
        }
    }
    while (wait(&status) > 0) failures += status != 0;
    done("%d of %d failed", failures, count);
}

int life_modifier(char **words) {
    if (strcmp(words[0], "await") == 0) return await(), 1;
    if (strcmp(words[0], "closed") == 0) {
        for (int fd = 3; fd < 1024; fd++) close(fd);
        return 1;
    }
    /* In the background, as a daemon: the process that was started is gone. */
    if (strcmp(words[0], "detach") == 0) {
        pid_t child = fork();
        if (child != 0) _exit(child < 0);
        return must(setsid() > 0, "setsid"), 1;
    }
    if (strcmp(words[0], "forks") == 0 && words[1]) forks(words + 1);
    return 0;
}

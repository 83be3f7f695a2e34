/* A program that tries to reach the network in every way there is: see main.c for how it is called. */
#ifndef LEAK_H
#define LEAK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Who makes the system calls: libc's functions, libc's syscall(2), the instruction itself, or the 32-bit gates of a
 * 64-bit program. */
enum gate { LIBC, NUMBER, RAW, INT80, SOCKETCALL };

/* The gate of socket(2), and that of the calls that use the socket. */
extern enum gate opens, uses;
/* A descriptor that came from elsewhere and takes the place of a new socket; -1 without. */
extern int given;
/* Called with each new socket; NULL without. */
extern void (*prepare)(int fd);
/* The third argument of socket(2) for streams. */
extern int stream_protocol;

/* An address as the kernel wants it. */
struct peer {
    struct sockaddr_storage address;
    socklen_t length;
};

/* One way: its name, how many arguments it takes, what it does with them. */
struct way {
    const char *name;
    int arguments;
    void (*run)(char **arguments);
};

extern const struct way stream_ways[], datagram_ways[], family_ways[], name_ways[], ring_ways[], life_ways[];

/* gates.c */
long kernel(long number, long a, long b, long c, long d, long e, long f);
int open_socket(int family, int type, int protocol);
int connect_to(int fd, const struct peer *peer);
int half_close(int fd);
ssize_t send_bytes(int fd, const void *bytes, size_t count, int flags, const struct peer *peer);
ssize_t send_to(int fd, const char *text, int flags, const struct peer *peer);
ssize_t send_message(int fd, const char *text, int flags, const struct peer *peer);
ssize_t send_messages(int fd, const char *text, int flags, const struct peer *peer);

/* report.c */
_Noreturn void failed(const char *call);
_Noreturn void done(const char *format, ...) __attribute__((format(printf, 1, 2)));
void must(int good, const char *call);
_Noreturn void talk(int fd);
_Noreturn void hear(int fd);
struct peer peer_of(const char *address, const char *port);

/* started.c and life.c: words before the way that change how the rest runs. They give the number of words taken, 0 for
 * an unknown word. */
int modifier(char **words);
int life_modifier(char **words);
_Noreturn void wait_for(int child);
/* main.c */
void run(char **words);

#endif

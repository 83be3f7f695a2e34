/* Ways that make a stream to ADDRESS PORT, where a server sends everything back. */
#define _GNU_SOURCE
#include "leak.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT 30
#endif

static int stream_to(const struct peer *peer) {
    return open_socket(peer->address.ss_family, SOCK_STREAM, stream_protocol);
}

static void connected(char **to) {
    struct peer peer = peer_of(to[0], to[1]);
    int fd = stream_to(&peer);
    must(connect_to(fd, &peer) == 0, "connect");
    talk(fd);
}

/* Connected to one peer by libc, disconnected and connected to another. */
static void reconnected(char **to) {
    struct peer first = peer_of(to[0], to[1]), second = peer_of(to[2], to[3]);
    struct peer nobody = {.address = {.ss_family = AF_UNSPEC}, .length = sizeof(struct sockaddr_in)};
    int fd = stream_to(&first);
    enum gate rest = uses;
    uses = LIBC;
    must(connect_to(fd, &first) == 0, "first connect");
    uses = rest;
    must(connect_to(fd, &nobody) == 0, "disconnect");
    must(connect_to(fd, &second) == 0, "connect");
    talk(fd);
}

static void opened_fast(char **to, ssize_t (*sends)(int, const char *, int, const struct peer *), const char *call) {
    struct peer peer = peer_of(to[0], to[1]);
    int fd = stream_to(&peer);
    must(sends(fd, "hi\n", MSG_FASTOPEN, &peer) == 3, call);
    must(half_close(fd) == 0, "shutdown");
    hear(fd);
}

static void fast_sendto(char **to) {
    opened_fast(to, send_to, "sendto");
}

static void fast_sendmsg(char **to) {
    opened_fast(to, send_message, "sendmsg");
}

static void fast_sendmmsg(char **to) {
    opened_fast(to, send_messages, "sendmmsg");
}

/* connect(2) says yes at once; the SYN goes with the first write. */
static void fast_option(char **to) {
    struct peer peer = peer_of(to[0], to[1]);
    int fd = stream_to(&peer), on = 1;
    must(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on) == 0, "setsockopt");
    must(connect_to(fd, &peer) == 0, "connect");
    talk(fd);
}

/* Listens on ADDRESS, says on which port, and sends back what the first client sends. */
static void served(char **at) {
    struct peer peer = peer_of(at[0], "0");
    struct sockaddr_in own;
    socklen_t length = sizeof own;
    int fd = stream_to(&peer);
    must(bind(fd, (struct sockaddr *)&peer.address, peer.length) == 0, "bind");
    must(listen(fd, 4) == 0, "listen");
    must(getsockname(fd, (struct sockaddr *)&own, &length) == 0, "getsockname");
    printf("port %d\n", ntohs(own.sin_port));
    fflush(stdout);
    char text[512];
    int client = accept(fd, NULL, NULL);
    must(client >= 0, "accept");
    ssize_t count = read(client, text, sizeof text);
    must(count > 0 && write(client, text, (size_t)count) == count, "echo");
    done("served");
}

const struct way stream_ways[] = {
    {"connect", 2, connected},        {"reconnect", 4, reconnected},      {"fast-sendto", 2, fast_sendto},
    {"fast-sendmsg", 2, fast_sendmsg}, {"fast-sendmmsg", 2, fast_sendmmsg}, {"fast-option", 2, fast_option},
    {"listen", 1, served},            {NULL, 0, NULL},
};

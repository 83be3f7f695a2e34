/* Ways that send one datagram to ADDRESS PORT. Nobody need answer: what leaves is seen on the wire. */
#define _GNU_SOURCE
#include "leak.h"

#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#ifndef IPPROTO_UDPLITE
#define IPPROTO_UDPLITE 136
#endif

static const char TEXT[] = "datagram";

typedef ssize_t sender(int fd, const char *text, int flags, const struct peer *peer);

static void addressed(char **to, int protocol, sender *sends, const char *call) {
    struct peer peer = peer_of(to[0], to[1]);
    int fd = open_socket(peer.address.ss_family, SOCK_DGRAM, protocol);
    must(sends(fd, TEXT, 0, &peer) > 0, call);
    done("sent");
}

static void by_sendto(char **to) {
    addressed(to, 0, send_to, "sendto");
}

static void by_sendmsg(char **to) {
    addressed(to, 0, send_message, "sendmsg");
}

static void by_sendmmsg(char **to) {
    addressed(to, 0, send_messages, "sendmmsg");
}

static void lite(char **to) {
    addressed(to, IPPROTO_UDPLITE, send_to, "sendto");
}

static void connected(char **to) {
    struct peer peer = peer_of(to[0], to[1]);
    int fd = open_socket(peer.address.ss_family, SOCK_DGRAM, 0);
    must(connect_to(fd, &peer) == 0, "connect");
    must(write(fd, TEXT, sizeof TEXT) > 0, "write");
    done("sent");
}

static void broadcast(char **to) {
    struct peer peer = peer_of(to[0], to[1]);
    int fd = open_socket(AF_INET, SOCK_DGRAM, 0), on = 1;
    must(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) == 0, "setsockopt");
    must(send_to(fd, TEXT, 0, &peer) > 0, "sendto");
    done("sent");
}

/* Joins the group and speaks to it. */
static void joined(char **to) {
    struct peer peer = peer_of(to[0], to[1]);
    int fd = open_socket(peer.address.ss_family, SOCK_DGRAM, 0), joins;
    if (peer.address.ss_family == AF_INET) {
        struct ip_mreqn group = {.imr_multiaddr = ((struct sockaddr_in *)&peer.address)->sin_addr};
        joins = setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group);
    } else {
        struct ipv6_mreq group = {.ipv6mr_multiaddr = ((struct sockaddr_in6 *)&peer.address)->sin6_addr};
        joins = setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &group, sizeof group);
    }
    must(joins == 0, "join");
    must(send_to(fd, TEXT, 0, &peer) > 0, "sendto");
    done("sent");
}

const struct way datagram_ways[] = {
    {"sendto", 2, by_sendto}, {"sendmsg", 2, by_sendmsg}, {"sendmmsg", 2, by_sendmmsg}, {"udp-lite", 2, lite},
    {"send", 2, connected},   {"broadcast", 2, broadcast}, {"join", 2, joined},         {NULL, 0, NULL},
};

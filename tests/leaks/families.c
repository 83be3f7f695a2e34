/* Ways with other kinds of sockets. */
#define _GNU_SOURCE
#include "leak.h"

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netpacket/packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define ETHERTYPE_OF_THE_LAB 0x88b5 /* for local experiments (IEEE 802) */

/* An echo request; the checksum of an otherwise empty one is the complement of its type. */
static void echo_request(char **to, int type, int protocol) {
    struct peer peer = peer_of(to[0], "0");
    uint8_t four[8] = {8, 0, 0xf7, 0xff}, six[8] = {128};
    int fd = open_socket(peer.address.ss_family, type, protocol);
    const void *packet = protocol == IPPROTO_ICMP ? four : six;
    must(send_bytes(fd, packet, 8, 0, &peer) == 8, "sendto");
    done("sent");
}

static void raw_icmp(char **to) {
    echo_request(to, SOCK_RAW, IPPROTO_ICMP);
}

static void raw_icmp6(char **to) {
    echo_request(to, SOCK_RAW, IPPROTO_ICMPV6);
}

static void datagram_icmp(char **to) {
    echo_request(to, SOCK_DGRAM, IPPROTO_ICMP);
}

static void datagram_icmp6(char **to) {
    echo_request(to, SOCK_DGRAM, IPPROTO_ICMPV6);
}

/* A TCP segment in an IP packet of our own making: past every socket of the kernel. */
static void raw_ip(char **to) {
    struct peer peer = peer_of(to[0], "0");
    uint8_t packet[40] = {0x45, 0, 0, 40, 0, 0, 0, 0, 64, IPPROTO_TCP};
    memcpy(packet + 16, &((struct sockaddr_in *)&peer.address)->sin_addr, 4);
    int fd = open_socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    must(send_bytes(fd, packet, sizeof packet, 0, &peer) > 0, "sendto");
    done("sent");
}

/* A frame from the device. */
static void frame(char **words) {
    static const uint8_t bytes[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5};
    int fd = open_socket(AF_PACKET, SOCK_RAW, 0);
    struct peer peer = {.length = sizeof(struct sockaddr_ll)};
    struct sockaddr_ll *to = (struct sockaddr_ll *)&peer.address;
    *to = (struct sockaddr_ll){.sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE_OF_THE_LAB), .sll_halen = 6};
    to->sll_ifindex = (int)if_nametoindex(words[0]);
    must(to->sll_ifindex > 0, "if_nametoindex");
    must(send_bytes(fd, bytes, sizeof bytes, 0, &peer) > 0, "sendto");
    done("sent");
}

/* Only makes a socket: FAMILY TYPE PROTOCOL. What the kernel of the machine lacks says so itself. */
static void any(char **words) {
    open_socket(atoi(words[0]), atoi(words[1]), atoi(words[2]));
    done("socket");
}

static void pair(char **words) {
    int both[2];
    must(socketpair(atoi(words[0]), atoi(words[1]), 0, both) == 0, "socketpair");
    done("pair");
}

/* The number of x32's socket(2). */
static void x32(char **words) {
    (void)words;
    must(kernel(0x40000000 | 41, AF_INET, SOCK_STREAM, 0, 0, 0, 0) >= 0, "socket");
    done("socket");
}

/* A service of this machine at an abstract address. */
static int connected_locally(const char *name) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strncpy(to.sun_path + 1, name, sizeof to.sun_path - 2);
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
    int fd = open_socket(AF_UNIX, SOCK_STREAM, 0);
    must(connect(fd, (struct sockaddr *)&to, length) == 0, "connect");
    return fd;
}

static void local_service(char **words) {
    hear(connected_locally(words[0]));
}

static void local_message(char **words) {
    int fd = connected_locally(words[0]);
    must(send_message(fd, "hi\n", 0, NULL) == 3, "sendmsg");
    hear(fd);
}

const struct way family_ways[] = {
    {"icmp", 1, raw_icmp},
    {"icmp6", 1, raw_icmp6},
    {"ping", 1, datagram_icmp},
    {"ping6", 1, datagram_icmp6},
    {"raw-ip", 1, raw_ip},
    {"frame", 1, frame},
    {"socket", 3, any},
    {"socketpair", 2, pair},
    {"x32", 0, x32},
    {"unix", 1, local_service},
    {"unix-sendmsg", 1, local_message},
    {NULL, 0, NULL},
};

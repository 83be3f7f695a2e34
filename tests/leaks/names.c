/* Ways of the resolver: NAME, and PORT to connect to what was found. */
#define _GNU_SOURCE
#include "leak.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Connects to what a lookup found. */
_Noreturn static void go(const struct sockaddr *address, socklen_t length, const char *port) {
    char text[INET6_ADDRSTRLEN] = "";
    int six = address->sa_family == AF_INET6;
    const void *bytes = six ? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
                            : (const void *)&((const struct sockaddr_in *)address)->sin_addr;
    (void)length;
    inet_ntop(address->sa_family, bytes, text, sizeof text);
    struct peer peer = peer_of(text, port);
    int fd = open_socket(address->sa_family, SOCK_STREAM, 0);
    must(connect_to(fd, &peer) == 0, "connect");
    talk(fd);
}

static void by_addrinfo(char **words) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    int error = getaddrinfo(words[0], words[1], &hints, &found);
    if (error) done("getaddrinfo: %d", error);
    go(found->ai_addr, found->ai_addrlen, words[1]);
}

/* hints NULL: what breaks peers. */
static void without_hints(char **words) {
    struct addrinfo *found;
    int error = getaddrinfo(words[0], words[1], NULL, &found);
    if (error) done("getaddrinfo: %d", error);
    go(found->ai_addr, found->ai_addrlen, words[1]);
}

static void by_hostent(char **words) {
    struct hostent *found = gethostbyname(words[0]);
    if (!found) done("gethostbyname: %d", h_errno);
    struct sockaddr_in address = {.sin_family = AF_INET};
    memcpy(&address.sin_addr, found->h_addr_list[0], 4);
    go((struct sockaddr *)&address, sizeof address, words[1]);
}

#ifdef __GLIBC__
static void asynchronously(char **words) {
    struct gaicb wanted = {.ar_name = words[0], .ar_service = words[1]}, *list[] = {&wanted};
    int error = getaddrinfo_a(GAI_WAIT, list, 1, NULL);
    if (!error) error = gai_error(&wanted);
    if (error) done("getaddrinfo_a: %d", error);
    go(wanted.ar_result->ai_addr, wanted.ar_result->ai_addrlen, words[1]);
}
#endif

static void by_query(char **words) {
    unsigned char answer[512];
    int length = res_query(words[0], ns_c_in, ns_t_a, answer, sizeof answer);
    if (length < 12) done("res_query: %d", h_errno);
    done("answers %d", answer[6] << 8 | answer[7]);
}

/* Types that Tor cannot carry. */
static void by_text_query(char **words) {
    unsigned char answer[512];
    int length = res_query(words[0], ns_c_in, ns_t_txt, answer, sizeof answer);
    done("res_query: %d", length < 0 ? h_errno : 0);
}

static void by_address(char **words) {
    struct peer peer = peer_of(words[0], "0");
    char name[256];
    int error = getnameinfo((struct sockaddr *)&peer.address, peer.length, name, sizeof name, NULL, 0, NI_NAMEREQD);
    if (error) done("getnameinfo: %d", error);
    done("name %s", name);
}

/* A page: HOST PORT PATH. */
static void page(char **words) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    int error = getaddrinfo(words[0], words[1], &hints, &found);
    if (error) done("getaddrinfo: %d", error);
    int fd = open_socket(found->ai_family, SOCK_STREAM, 0);
    must(connect(fd, found->ai_addr, found->ai_addrlen) == 0, "connect");
    dprintf(fd, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", words[2], words[0]);
    hear(fd);
}

const struct way name_ways[] = {
    {"getaddrinfo", 2, by_addrinfo},
    {"getaddrinfo-null", 2, without_hints},
    {"gethostbyname", 2, by_hostent},
#ifdef __GLIBC__
    {"getaddrinfo_a", 2, asynchronously},
#endif
    {"res_query", 1, by_query},
    {"res_query-txt", 1, by_text_query},
    {"getnameinfo", 1, by_address},
    {"fetch", 3, page},
    {NULL, 0, NULL},
};

/* Prints what the launcher and the C library pass to each other: it is compiled for glibc, whose types the launcher
   was compiled for, and for musl, whose functions it is linked with. Kernel types that pass through unread are left out. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <link.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TYPE(type) printf("%s %zu %zu\n", #type, sizeof(type), _Alignof(type))
/* musl's needs less alignment than we give it. */
#define SIZE(type) printf("%s %zu\n", #type, sizeof(type))
#define FIELD(type, field) printf("%s.%s %zu %zu\n", #type, #field, offsetof(type, field), sizeof(((type *)0)->field))
/* A width that differs is filled by a field that only one of them names. */
#define PLACE(type, field) printf("%s.%s %zu\n", #type, #field, offsetof(type, field))
#define VALUE(name) printf("%s %lld\n", #name, (long long)(name))

int main(void)
{
    TYPE(size_t); TYPE(off_t); TYPE(mode_t); TYPE(pid_t); TYPE(uid_t); TYPE(nfds_t); TYPE(rlim_t); TYPE(socklen_t);
    TYPE(clockid_t); TYPE(sa_family_t);

    TYPE(struct stat);
    FIELD(struct stat, st_dev); FIELD(struct stat, st_ino); FIELD(struct stat, st_nlink); FIELD(struct stat, st_mode);
    FIELD(struct stat, st_uid); FIELD(struct stat, st_gid); FIELD(struct stat, st_rdev); FIELD(struct stat, st_size);
    FIELD(struct stat, st_blksize); FIELD(struct stat, st_blocks); FIELD(struct stat, st_atim);
    FIELD(struct stat, st_mtim); FIELD(struct stat, st_ctim);
    FIELD(struct dirent, d_ino); FIELD(struct dirent, d_off); FIELD(struct dirent, d_reclen);
    FIELD(struct dirent, d_type); FIELD(struct dirent, d_name);
    TYPE(struct statfs); FIELD(struct statfs, f_type); FIELD(struct statfs, f_flags);
    TYPE(struct statvfs); FIELD(struct statvfs, f_bsize); FIELD(struct statvfs, f_fsid);
    FIELD(struct statvfs, f_flag); FIELD(struct statvfs, f_namemax);

    TYPE(struct iovec); FIELD(struct iovec, iov_base); FIELD(struct iovec, iov_len);
    TYPE(struct msghdr); FIELD(struct msghdr, msg_name); FIELD(struct msghdr, msg_namelen);
    FIELD(struct msghdr, msg_iov); PLACE(struct msghdr, msg_iovlen); FIELD(struct msghdr, msg_control);
    PLACE(struct msghdr, msg_controllen); FIELD(struct msghdr, msg_flags);
    SIZE(struct cmsghdr); PLACE(struct cmsghdr, cmsg_len); FIELD(struct cmsghdr, cmsg_level);
    FIELD(struct cmsghdr, cmsg_type);
    TYPE(struct ucred); FIELD(struct ucred, pid); FIELD(struct ucred, uid);
    TYPE(struct sockaddr_un); FIELD(struct sockaddr_un, sun_path);
    TYPE(struct sockaddr_in); FIELD(struct sockaddr_in, sin_port); FIELD(struct sockaddr_in, sin_addr);
    TYPE(struct sockaddr_in6); FIELD(struct sockaddr_in6, sin6_addr); FIELD(struct sockaddr_in6, sin6_scope_id);
    TYPE(struct sockaddr_storage); TYPE(struct linger); TYPE(struct ifreq); FIELD(struct ifreq, ifr_flags);
    TYPE(struct ifaddrs); FIELD(struct ifaddrs, ifa_next); FIELD(struct ifaddrs, ifa_name);
    FIELD(struct ifaddrs, ifa_flags); FIELD(struct ifaddrs, ifa_addr); FIELD(struct ifaddrs, ifa_netmask);
    FIELD(struct ifaddrs, ifa_dstaddr);
    TYPE(struct pollfd); FIELD(struct pollfd, events); FIELD(struct pollfd, revents);
    TYPE(struct epoll_event); FIELD(struct epoll_event, data);

    TYPE(struct timespec); FIELD(struct timespec, tv_sec); FIELD(struct timespec, tv_nsec);
    TYPE(struct timeval); FIELD(struct timeval, tv_usec);
    TYPE(struct rlimit); FIELD(struct rlimit, rlim_max);
    TYPE(sigset_t); TYPE(siginfo_t); FIELD(siginfo_t, si_pid); FIELD(siginfo_t, si_status);
    TYPE(struct sigaction); FIELD(struct sigaction, sa_handler); FIELD(struct sigaction, sa_mask);
    FIELD(struct sigaction, sa_flags);
    TYPE(pthread_t); TYPE(pthread_key_t); TYPE(pthread_mutex_t); TYPE(pthread_attr_t); TYPE(cpu_set_t);
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    for (size_t at = 0; at < sizeof mutex; at++)
        if (((unsigned char *)&mutex)[at] != 0)
            printf("PTHREAD_MUTEX_INITIALIZER[%zu] %d\n", at, ((unsigned char *)&mutex)[at]);
    FIELD(struct dl_phdr_info, dlpi_addr); FIELD(struct dl_phdr_info, dlpi_phdr);
    FIELD(struct dl_phdr_info, dlpi_phnum);

    /* What the C library interprets itself; all else is the kernel's. */
    VALUE(_SC_PAGESIZE); VALUE(_SC_NPROCESSORS_ONLN); VALUE(_SC_OPEN_MAX); VALUE(_SC_CLK_TCK);
    VALUE(SIG_BLOCK); VALUE(SIG_SETMASK); VALUE(NSIG); VALUE(PTHREAD_MUTEX_RECURSIVE);
    VALUE(F_DUPFD_CLOEXEC); VALUE(F_SETFD); VALUE(F_GETLK); VALUE(F_SETLK); VALUE(AT_FDCWD); VALUE(AT_EACCESS);
    VALUE(O_CLOEXEC); VALUE(O_DIRECTORY); VALUE(O_NOFOLLOW); VALUE(O_NONBLOCK); VALUE(O_PATH); VALUE(O_EXCL);
    VALUE(WNOHANG); VALUE(WEXITED); VALUE(WNOWAIT); VALUE(__WALL); VALUE(CLONE_VM);
    VALUE(RLIMIT_NOFILE); VALUE(RLIM_INFINITY); VALUE(MAP_ANONYMOUS); VALUE(MAP_PRIVATE); VALUE(MREMAP_MAYMOVE);
    VALUE(CLOCK_MONOTONIC); VALUE(MSG_NOSIGNAL); VALUE(MSG_CMSG_CLOEXEC); VALUE(SOCK_CLOEXEC); VALUE(EFD_CLOEXEC);
    VALUE(SOL_SOCKET); VALUE(SO_PEERCRED); VALUE(SO_RCVTIMEO); VALUE(SO_SNDTIMEO);
    VALUE(EAGAIN); VALUE(ENOTSUP); VALUE(EDEADLK); VALUE(ETIMEDOUT);
    return 0;
}

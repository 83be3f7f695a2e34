/* forbid COMMAND…: runs it, and whatever it starts, without the right to look into other processes, as under
 * kernel.yama.ptrace_scope=3: ptrace, process_vm_readv, process_vm_writev and pidfd_getfd fail with EPERM (seccomp(2)).
 * It is to be set-user-ID root, because a filter of root's needs no PR_SET_NO_NEW_PRIVS, which would change what the
 * command may do; it gives that up before it runs the command. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REFUSE(number) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

int main(int count, char **words) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        REFUSE(SYS_ptrace),
        REFUSE(SYS_process_vm_readv),
        REFUSE(SYS_process_vm_writev),
        REFUSE(438 /* pidfd_getfd */),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (count < 2) return 2;
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) return perror("forbid: seccomp"), 125;
    if (setuid(getuid()) != 0) return perror("forbid: setuid"), 125;
    execvp(words[1], words + 1);
    return perror("forbid: exec"), 127;
}

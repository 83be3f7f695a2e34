//! syscall(2), the libc function: what it is asked to do goes through the hook of the same name.

use core::arch::naked_asm;
use core::ffi::{c_int, c_long};
use core::ptr::with_exposed_provenance;
use core::ptr::with_exposed_provenance_mut;

use uwt_policy::Errno;
use uwt_session::report::Deed;

use super::{accept, connect, exec, pass, send, socket};
use crate::abi::{self, Strings};
use crate::report::{NONE, tell};

/// The calls that are looked at. io_uring is among them because its connects are seen by no hook.
const ROUTED: [c_long; 16] = [
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_getpeername,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_io_uring_setup,
];

/// A bit for each routed number below 512.
static BITMAP: [u64; 8] = {
    let mut bits = [0; 8];
    let mut at = 0;
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    while at < ROUTED.len() {
        let number = ROUTED[at].cast_unsigned();
        bits[(number / 64) as usize] |= 1 << (number % 64);
        at += 1;
    }
    bits
};

/// Everything else is made from here exactly as libc makes it, without a stack frame: a child that shares the caller's
/// stack (clone(2), vfork(2)) returns through this too.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C" fn syscall() {
    naked_asm!(
        "cmp rdi, 511",
        "ja 2f",
        "lea rax, [rip + {bitmap}]",
        "bt dword ptr [rax], edi",
        "jc 4f",
        "2:",
        "mov rax, rdi",
        "mov rdi, rsi",
        "mov rsi, rdx",
        "mov rdx, rcx",
        "mov r10, r8",
        "mov r8, r9",
        "mov r9, [rsp + 8]",
        "syscall",
        "cmp rax, -4095",
        "jae 3f",
        "ret",
        "3:",
        "mov rdi, rax",
        "jmp {failed}",
        "4:",
        "jmp {routed}",
        bitmap = sym BITMAP,
        failed = sym failed,
        routed = sym routed,
    )
}

extern "C" fn failed(result: isize) -> c_long {
    abi::set_errno(Errno(i32::try_from(result.wrapping_neg()).unwrap_or(libc::EIO)));
    -1
}

#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "the kernel takes the low half too")]
const fn int(value: usize) -> c_int {
    value as c_int
}

#[expect(clippy::cast_possible_truncation, reason = "lengths have 32 bits")]
const fn length(value: usize) -> u32 {
    value as u32
}

extern "C" fn routed(number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> c_long {
    let result = route(number, [a, b, c, d, e, f]);
    c_long::from(super::status(result))
}

fn route(number: c_long, arguments: [usize; 6]) -> Result<c_int, Errno> {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: the program's own arguments, as the call of this number takes them.
    unsafe {
        match number {
            libc::SYS_socket => socket::make(int(a), int(b), int(c)),
            libc::SYS_socketpair => socket::pair(int(a), int(b), int(c), with_exposed_provenance_mut(d)),
            libc::SYS_connect => connect::act(int(a), with_exposed_provenance(b), length(c)),
            libc::SYS_bind => accept::name(int(a), with_exposed_provenance(b), length(c)),
            libc::SYS_listen => accept::start(int(a), int(b)),
            libc::SYS_accept => accept::take(int(a), with_exposed_provenance_mut(b), with_exposed_provenance_mut(c), 0),
            libc::SYS_accept4 => {
                accept::take(int(a), with_exposed_provenance_mut(b), with_exposed_provenance_mut(c), int(d))
            }
            libc::SYS_sendto => {
                send::to(int(a), with_exposed_provenance(b), c, int(d), with_exposed_provenance(e), length(f))
            }
            libc::SYS_sendmsg => send::one(int(a), with_exposed_provenance(b), int(c)),
            libc::SYS_sendmmsg => send::many(int(a), with_exposed_provenance_mut(b), length(c), int(d)),
            libc::SYS_getpeername => {
                socket::peer_name(int(a), with_exposed_provenance_mut(b), with_exposed_provenance_mut(c))
            }
            libc::SYS_getsockopt => {
                socket::option(int(a), int(b), int(c), with_exposed_provenance_mut(d), with_exposed_provenance_mut(e))
            }
            libc::SYS_setsockopt => socket::set_option(int(a), int(b), int(c), with_exposed_provenance(d), length(e)),
            libc::SYS_execve => Err(exec::run_path(
                with_exposed_provenance(a),
                with_exposed_provenance(b),
                Strings(with_exposed_provenance(c)),
            )),
            libc::SYS_execveat => Err(exec::run_path_at(
                int(a),
                with_exposed_provenance(b),
                with_exposed_provenance(c),
                Strings(with_exposed_provenance(d)),
                int(e),
            )),
            libc::SYS_io_uring_setup => Err(tell(Deed::NoRing, NONE, None, Errno::ENOSYS)),
            _ => pass(number, arguments),
        }
    }
}

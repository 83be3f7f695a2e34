//! The same socket families in both runs.
//!
//! uwt refuses VSOCK, CAN, Bluetooth, QRTR and all else that is neither local nor of the internet. The tests of those
//! run on machines that happen to have the kernel's modules, and are skipped or fail elsewhere and below uwt. A filter
//! (seccomp(2)) takes the families away from the bare run as well; what is left is what uwt carries or passes.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use libc::{BPF_ABS, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W};
use libc::{SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO, sock_filter, sock_fprog};

/// What stays: local sockets and those of the internet.
const FAMILIES: [i32; 5] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK, libc::AF_ALG];

/// Offsets in `struct seccomp_data`: the number of the call, and the low half of its first argument.
const NUMBER: u32 = 0;
const ARGUMENT: u32 = if cfg!(target_endian = "little") { 16 } else { 20 };

/// One instruction.
fn step(code: u32, jump_true: u8, jump_false: u8, k: u32) -> sock_filter {
    sock_filter { code: u16::try_from(code).expect("16 bits"), jt: jump_true, jf: jump_false, k }
}

/// socket(2) with another family fails with EAFNOSUPPORT.
fn program() -> Vec<sock_filter> {
    let equals = BPF_JMP | BPF_JEQ | BPF_K;
    let load = BPF_LD | BPF_W | BPF_ABS;
    let to_allow = |left: usize| u8::try_from(left).expect("a short program");
    let call = u32::try_from(libc::SYS_socket).expect("a number");
    let mut program = vec![step(load, 0, 0, NUMBER), step(equals, 0, to_allow(FAMILIES.len() + 2), call)];
    program.push(step(load, 0, 0, ARGUMENT));
    for (index, family) in FAMILIES.into_iter().enumerate() {
        program.push(step(equals, to_allow(FAMILIES.len() - index), 0, family.cast_unsigned()));
    }
    program.push(step(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | libc::EAFNOSUPPORT.cast_unsigned()));
    program.push(step(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW));
    program
}

/// Takes all other families away from a command, which is started by root, and from what it starts.
pub(crate) fn restrict(command: &mut Command) {
    let mut program = program();
    let install = move || {
        let filter = sock_fprog { len: u16::try_from(program.len()).unwrap_or(0), filter: program.as_mut_ptr() };
        #[expect(unsafe_code, reason = "libc has no safe way to install a filter")]
        // SAFETY: `filter` and the program it points at live until prctl returns; the kernel copies them.
        let result = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    #[expect(unsafe_code, reason = "pre_exec is the only way to install a filter in the child")]
    // SAFETY: the closure makes one system call, allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(install);
    }
}

#[test]
fn other_families_are_taken_away() {
    let code = "import socket as s
def try_it(family, kind):
    try: s.socket(family, kind).close()
    except OSError as error: return error.errno
print([try_it(*pair) for pair in [(s.AF_UNIX, s.SOCK_STREAM), (s.AF_INET, s.SOCK_STREAM), (s.AF_INET6, s.SOCK_DGRAM),
                                  (s.AF_VSOCK, s.SOCK_STREAM), (s.AF_PACKET, s.SOCK_RAW), (s.AF_CAN, s.SOCK_RAW)]])";
    let mut command = Command::new("/usr/bin/python3");
    restrict(command.args(["-c", code]));
    let output = command.output().expect("starts");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "[None, None, None, 97, 97, 97]\n", "{output:?}");
}

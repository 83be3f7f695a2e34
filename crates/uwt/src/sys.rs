//! The C interface: our entry point, and the calls that have no safe form.
#![expect(unsafe_code, reason = "C's main, the auxiliary vector, and system calls without a safe wrapper")]

#[cfg(feature = "musl")]
mod musl;
pub(crate) mod socket;

use std::borrow::Cow;
use std::ffi::{CStr, CString, OsStr, OsString, c_char, c_int};
use std::io;
use std::os::fd::RawFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

use crate::environment::Environment;

/// One mmap(2) at the start, and no more until 64 KiB are in use. The C library's own allocator costs a start more: glibc's
/// three system calls and musl's up to twenty.
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// The program's entry (C11 5.1.2.2.1, with the third argument that Unix adds).
// SAFETY: this is the only `main` of the program; main.rs declares `no_main`.
#[cfg_attr(not(test), unsafe(no_mangle))]
extern "C" fn main(_: c_int, argv: *const *const c_char, envp: *const *const c_char) -> c_int {
    // SAFETY: the C runtime passes two NULL-terminated vectors of C strings that live as long as the process.
    let (arguments, environment) = unsafe { (strings(argv), strings(envp)) };
    let environment = Environment::new(environment.into_iter().map(Cow::Borrowed).collect());
    let arguments = arguments.into_iter().map(|argument| OsString::from_vec(argument.to_bytes().to_vec())).collect();
    c_int::from(crate::run::run(arguments, &environment))
}

/// # Safety
/// `vector` is NULL or a NULL-terminated vector of C strings that stay unchanged for the life of the process.
unsafe fn strings(vector: *const *const c_char) -> Vec<&'static CStr> {
    let mut strings = Vec::new();
    let mut next = vector;
    // SAFETY: the caller's promise: up to its NULL the vector may be read, and each element is a C string.
    unsafe {
        while !next.is_null() && !(*next).is_null() {
            strings.push(CStr::from_ptr(*next));
            next = next.add(1);
        }
    }
    strings
}

/// The path we were executed by, as the caller gave it to execve(2) (getauxval(3), `AT_EXECFN`).
pub(crate) fn executed_path() -> Option<&'static Path> {
    // SAFETY: getauxval has no preconditions.
    let address = unsafe { libc::getauxval(libc::AT_EXECFN) };
    let pointer = std::ptr::with_exposed_provenance::<c_char>(usize::try_from(address).ok()?);
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the kernel put this C string on our stack before we started, where it stays (getauxval(3)).
    let bytes = unsafe { CStr::from_ptr(pointer) }.to_bytes();
    (!bytes.is_empty()).then(|| Path::new(OsStr::from_bytes(bytes)))
}

/// Whether this process gained privileges when it was executed, so that its environment is somebody else's
/// (getauxval(3), `AT_SECURE`).
pub(crate) fn is_secure_execution() -> bool {
    // SAFETY: getauxval has no preconditions.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// 32 bytes from the kernel's random number generator (getrandom(2)).
///
/// # Errors
/// The system call's, when it cannot give all of them.
pub(crate) fn random() -> io::Result<[u8; 32]> {
    let mut bytes = [0_u8; 32];
    // SAFETY: the pointer and the length are those of a buffer that may be written.
    let got = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    match usize::try_from(got) {
        Ok(got) if got == bytes.len() => Ok(bytes),
        // Up to 256 bytes are never cut short once the generator is seeded (getrandom(2)).
        Ok(_) => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
        Err(_) => Err(io::Error::last_os_error()),
    }
}

/// Whether a file has the extended attribute `name` (getxattr(2)).
///
/// # Errors
/// Those that leave it open; a file system without attributes says no.
pub(crate) fn has_attribute(path: &Path, name: &CStr) -> io::Result<bool> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: two C strings; a size of 0 asks for the attribute's length and nothing is written.
    let length = unsafe { libc::getxattr(path.as_ptr(), name.as_ptr(), std::ptr::null_mut(), 0) };
    if length >= 0 {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::ENODATA | libc::ENOTSUP) => Ok(false),
        _ => Err(error),
    }
}

/// The capabilities that are in effect, one bit each (capabilities(7)).
///
/// # Errors
/// capget(2)'s.
pub(crate) fn effective_capabilities() -> io::Result<u64> {
    /// `_LINUX_CAPABILITY_VERSION_3`: two structures for 64 capabilities.
    const VERSION: u32 = 0x2008_0522;
    let mut header = [VERSION, 0];
    // Effective, permitted, inheritable: the low half, then the high one.
    let mut data = [[0_u32; 3]; 2];
    // SAFETY: `struct __user_cap_header_struct` is two, `struct __user_cap_data_struct` three numbers of 32 bits, and this
    // version writes two of the latter, and the former if it knows another version only.
    let result = unsafe { libc::syscall(libc::SYS_capget, header.as_mut_ptr(), data.as_mut_ptr()) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    let [[low, ..], [high, ..]] = data;
    Ok(u64::from(high) << 32 | u64::from(low))
}

/// Whether a filter can be installed without giving up that programs gain privileges (seccomp(2), `CAP_SYS_ADMIN`).
pub(crate) fn may_filter() -> bool {
    const CAP_SYS_ADMIN: u32 = 21;
    effective_capabilities().is_ok_and(|capabilities| capabilities >> CAP_SYS_ADMIN & 1 != 0)
}

/// Has a descriptor of this number closed when the program is executed (fcntl(2), `FD_CLOEXEC`).
///
/// # Errors
/// There is none.
pub(crate) fn close_on_exec(number: RawFd) -> io::Result<()> {
    // SAFETY: takes no pointers; the descriptor may be any number.
    let result = unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Ends this process by a signal, as another one has ended that it stands for. Gives the exit status of shells if the
/// signal does not end it.
pub(crate) fn end_by(signal: u8) -> u8 {
    let number = c_int::from(signal);
    // SAFETY: numbers, and structures that are alive: the core that this process would leave is not the program's (core(5)),
    // the signal does what it does by default, and the call for it is made on the only thread.
    unsafe {
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
        libc::signal(number, libc::SIG_DFL);
        libc::raise(number);
    }
    signal.saturating_add(128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executed_path_is_this_test() {
        let own = std::env::current_exe().expect("known").file_name().map(OsStr::to_owned);
        assert_eq!(executed_path().and_then(Path::file_name).map(OsStr::to_owned), own);
        assert!(!is_secure_execution());
    }

    /// This binary isn't called `uwt`, so it is taken for a wrapper, and that has no original.
    #[test]
    fn the_entry_is_c_s() {
        let entry: extern "C" fn(c_int, *const *const c_char, *const *const c_char) -> c_int = main;
        let vector = [c"uwt".as_ptr(), std::ptr::null()];
        assert_eq!(entry(1, vector.as_ptr(), vector.as_ptr()), 127);
    }

    #[test]
    fn random_bytes_differ() {
        assert_ne!(random().expect("random"), random().expect("random"));
    }

    #[test]
    fn capabilities() {
        let status = std::fs::read_to_string("/proc/self/status").expect("readable");
        let expected = status.lines().find_map(|line| line.strip_prefix("CapEff:")).expect("listed");
        assert_eq!(format!("{:016x}", effective_capabilities().expect("known")), expected.trim());
    }

    #[test]
    fn attributes() {
        assert!(!has_attribute(Path::new("/proc/self/exe"), c"security.capability").expect("readable"));
        assert!(has_attribute(Path::new("/nonexistent"), c"security.capability").is_err());
    }

    #[test]
    fn vectors_end_at_null() {
        let vector = [c"a=b".as_ptr(), c"".as_ptr(), std::ptr::null()];
        // SAFETY: literals in a NULL-terminated array.
        assert_eq!(unsafe { strings(vector.as_ptr()) }, [c"a=b", c""]);
        // SAFETY: NULL is allowed.
        assert!(unsafe { strings(std::ptr::null()) }.is_empty());
    }
}

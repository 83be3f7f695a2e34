//! What is printed.

use std::sync::atomic::{AtomicI32, Ordering};

use crate::libc_calls::call;

/// Where lines go: standard output, until a script moves it.
pub(crate) static OUTPUT: AtomicI32 = AtomicI32::new(1);

/// Prints a line in one write, whatever happened to the standard streams.
pub(crate) fn line(text: &str) {
    let line = format!("{text}\n");
    let fd = OUTPUT.load(Ordering::Relaxed);
    call!(libc::write(fd, line.as_ptr().cast(), line.len()));
}

/// errno(3) now.
pub(crate) fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// `ok`, or the name of errno when `value` is negative.
pub(crate) fn status(value: i64) -> String {
    if value < 0 { name(errno()) } else { "ok".to_owned() }
}

/// The number, or the name of errno when `value` is negative.
pub(crate) fn number(value: i64) -> String {
    if value < 0 { name(errno()) } else { value.to_string() }
}

macro_rules! names {
    ($($name:ident)*) => {
        /// An error number's name, `ok` for 0.
        pub(crate) fn name(errno: i32) -> String {
            match errno {
                0 => "ok".to_owned(),
                $(libc::$name => stringify!($name).to_owned(),)*
                other => format!("errno {other}"),
            }
        }
    };
}

names! {
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT EBUSY EEXIST ENODEV ENOTDIR
    EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EPIPE EDOM ERANGE ENAMETOOLONG ENOSYS ELOOP
    ENODATA EPROTO EBADMSG ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT
    EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET
    ENOBUFS EISCONN ENOTCONN ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE
}

/// Names of getaddrinfo(3)'s and getnameinfo(3)'s errors.
pub(crate) fn lookup_error(code: i32) -> String {
    /// libc's own: a request of getaddrinfo_a(3) is not finished, was cancelled, all are done.
    const MORE: [(i32, &str); 5] = [
        (-100, "EAI_INPROGRESS"),
        (-101, "EAI_CANCELED"),
        (-102, "EAI_NOTCANCELED"),
        (-103, "EAI_ALLDONE"),
        (-9, "EAI_ADDRFAMILY"),
    ];
    match code {
        0 => "ok".to_owned(),
        libc::EAI_AGAIN => "EAI_AGAIN".to_owned(),
        libc::EAI_BADFLAGS => "EAI_BADFLAGS".to_owned(),
        libc::EAI_FAIL => "EAI_FAIL".to_owned(),
        libc::EAI_FAMILY => "EAI_FAMILY".to_owned(),
        libc::EAI_MEMORY => "EAI_MEMORY".to_owned(),
        libc::EAI_NODATA => "EAI_NODATA".to_owned(),
        libc::EAI_NONAME => "EAI_NONAME".to_owned(),
        libc::EAI_OVERFLOW => "EAI_OVERFLOW".to_owned(),
        libc::EAI_SERVICE => "EAI_SERVICE".to_owned(),
        libc::EAI_SOCKTYPE => "EAI_SOCKTYPE".to_owned(),
        libc::EAI_SYSTEM => format!("EAI_SYSTEM {}", name(errno())),
        code => {
            let known = MORE.iter().find(|(number, _)| *number == code);
            known.map_or_else(|| format!("EAI {code}"), |(_, name)| (*name).to_owned())
        }
    }
}

/// Names of the resolver's errors (gethostbyname(3)).
pub(crate) fn host_error(code: i32) -> String {
    match code {
        -1 => format!("NETDB_INTERNAL {}", name(errno())),
        0 => "no error".to_owned(),
        1 => "HOST_NOT_FOUND".to_owned(),
        2 => "TRY_AGAIN".to_owned(),
        3 => "NO_RECOVERY".to_owned(),
        4 => "NO_DATA".to_owned(),
        code => format!("h_errno {code}"),
    }
}

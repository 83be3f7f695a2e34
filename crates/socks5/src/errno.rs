//! The error numbers a direct `connect(2)` would have given, as in `asm-generic/errno.h`. Own constants because this
//! crate has no dependencies; a test holds them against `libc`.

// A wrong number would tell a program something untrue: better not to build at all.
#[cfg(any(
    target_arch = "mips",
    target_arch = "mips32r6",
    target_arch = "mips64",
    target_arch = "mips64r6",
    target_arch = "sparc",
    target_arch = "sparc64"
))]
compile_error!("this architecture numbers its errors differently from asm-generic/errno.h");

pub(crate) const EACCES: i32 = 13;
pub(crate) const EINVAL: i32 = 22;
pub(crate) const EOPNOTSUPP: i32 = 95;
pub(crate) const EAFNOSUPPORT: i32 = 97;
pub(crate) const ENETUNREACH: i32 = 101;
pub(crate) const ECONNABORTED: i32 = 103;
pub(crate) const ETIMEDOUT: i32 = 110;
pub(crate) const ECONNREFUSED: i32 = 111;
pub(crate) const EHOSTUNREACH: i32 = 113;

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_those_of_the_platform() {
        let pairs = [
            (super::EACCES, libc::EACCES),
            (super::EINVAL, libc::EINVAL),
            (super::EOPNOTSUPP, libc::EOPNOTSUPP),
            (super::EAFNOSUPPORT, libc::EAFNOSUPPORT),
            (super::ENETUNREACH, libc::ENETUNREACH),
            (super::ECONNABORTED, libc::ECONNABORTED),
            (super::ETIMEDOUT, libc::ETIMEDOUT),
            (super::ECONNREFUSED, libc::ECONNREFUSED),
            (super::EHOSTUNREACH, libc::EHOSTUNREACH),
        ];
        for (ours, theirs) in pairs {
            assert_eq!(ours, theirs);
        }
    }
}

//! System calls as they are, of each kind a program here can make.

use std::arch::asm;
use std::io;

/// The result, or the errno.
pub(super) type Outcome = Result<i64, i32>;

/// A native call with all six registers set.
pub(super) fn call(number: i64, arguments: [u64; 6]) -> Outcome {
    let [first, second, third, fourth, fifth, sixth] = arguments;
    // SAFETY: the tests pass numbers, addresses of their own data, and addresses nobody has.
    match unsafe { libc::syscall(number, first, second, third, fourth, fifth, sixth) } {
        -1 => Err(io::Error::last_os_error().raw_os_error().unwrap_or(0)),
        result => Ok(result),
    }
}

/// An i386 call. Kernels without 32-bit emulation answer it with SIGSEGV.
pub(super) fn call_i386(number: u32, arguments: [u32; 5]) -> Outcome {
    let [first, second, third, fourth, fifth] = arguments;
    let result: i32;
    // SAFETY: as above. The kernel keeps all registers but the result's; rbx, which the compiler reserves, is put back.
    unsafe {
        asm!(
            "xchg rbx, {first:r}",
            "int 0x80",
            "xchg rbx, {first:r}",
            first = inout(reg) u64::from(first) => _,
            inlateout("eax") number.cast_signed() => result,
            in("ecx") second,
            in("edx") third,
            in("esi") fourth,
            in("edi") fifth,
            out("r8") _,
            out("r9") _,
            out("r10") _,
            out("r11") _,
        );
    }
    if (-4095..0).contains(&result) { Err(-result) } else { Ok(i64::from(result)) }
}

/// The address of something, as an argument.
pub(super) fn address<T: ?Sized>(of: &T) -> u64 {
    let pointer: *const T = of;
    u64::try_from(pointer.addr()).unwrap()
}

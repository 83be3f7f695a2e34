//! execl(3), execlp(3), execle(3): C-variadic, which stable Rust can only take over in assembly.
//!
//! Each entry lays its five argument registers out on the stack and hands both parts of the argument list on.

use core::arch::naked_asm;
use core::ffi::{c_char, c_int};

use uwt_policy::Errno;

use super::exec::{run_in_path, run_path};
use crate::abi::{self, Strings};
use crate::{env, sys};

/// The variable arguments of a call: five from registers, the others where the caller pushed them.
struct Arguments {
    registers: *const *const c_char,
    stack: *const *const c_char,
}

const IN_REGISTERS: usize = 5;

impl Arguments {
    /// # Safety
    /// `index` is at most that of the terminating null (for execle, of the environment behind it).
    unsafe fn get(&self, index: usize) -> *const c_char {
        // SAFETY: the caller's promise.
        unsafe {
            match index.checked_sub(IN_REGISTERS) {
                None => *self.registers.add(index),
                Some(pushed) => *self.stack.add(pushed),
            }
        }
    }

    /// How many there are before the null.
    ///
    /// # Safety
    /// The program ended them with a null pointer, as exec(3) asks.
    unsafe fn count(&self) -> usize {
        let mut count = 0;
        // SAFETY: stops at the null.
        while !unsafe { self.get(count) }.is_null() {
            count += 1;
        }
        count
    }
}

/// The most arguments that are copied on the stack; beyond them the array is mapped, and lost if the exec fails after
/// vfork(2).
const FEW: usize = 256;

/// What is done with the arguments: the number each entry hands on.
#[repr(usize)]
enum Act {
    Run = 0,
    RunInPath = 1,
    RunWithEnvironment = 2,
}

/// Lays the arguments out in one null-terminated array and executes.
unsafe fn run_list(path: *const c_char, arguments: &Arguments, act: usize) -> Errno {
    // SAFETY: the program ended them with a null pointer.
    let count = unsafe { arguments.count() };
    let mut few: [*const c_char; FEW] = [core::ptr::null(); FEW];
    let array = if count < FEW {
        few.as_mut_ptr()
    } else {
        let bytes = (count + 1) * size_of::<*const c_char>();
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        let request = [0, bytes, sys::word(protection), sys::word(flags), usize::MAX, 0];
        // SAFETY: new memory, where the kernel likes.
        match unsafe { sys::call(libc::SYS_mmap, request) } {
            Ok(at) => core::ptr::with_exposed_provenance_mut(at),
            Err(errno) => return errno,
        }
    };
    for index in 0..count {
        // SAFETY: `array` has room for count + 1 pointers and is zero.
        unsafe { array.add(index).write(arguments.get(index)) };
    }
    // SAFETY: the program's own call; for execle the environment stands behind the null.
    unsafe {
        if act == Act::RunInPath as usize {
            return run_in_path(path, array, env::current());
        }
        let own = act == Act::RunWithEnvironment as usize;
        let environment = if own { Strings(arguments.get(count + 1).cast()) } else { env::current() };
        run_path(path, array, environment)
    }
}

extern "C" fn list(
    path: *const c_char,
    registers: *const *const c_char,
    stack: *const *const c_char,
    act: usize,
) -> c_int {
    // SAFETY: the program's own call.
    failed(unsafe { run_list(path, &Arguments { registers, stack }, act) })
}

fn failed(errno: Errno) -> c_int {
    abi::set_errno(errno);
    -1
}

macro_rules! variadic {
    ($($name:ident => $act:ident;)*) => {$(
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            naked_asm!(
                // 5 registers and 16 bytes that keep the stack aligned; the caller's pushed arguments lie behind them
                // and the return address.
                "sub rsp, 56",
                "mov [rsp], rsi",
                "mov [rsp + 8], rdx",
                "mov [rsp + 16], rcx",
                "mov [rsp + 24], r8",
                "mov [rsp + 32], r9",
                "mov rsi, rsp",
                "lea rdx, [rsp + 64]",
                "mov ecx, {act}",
                "call {list}",
                "add rsp, 56",
                "ret",
                act = const Act::$act as usize,
                list = sym list,
            )
        }
    )*};
}

variadic! {
    execl => Run;
    execlp => RunInPath;
    execle => RunWithEnvironment;
}

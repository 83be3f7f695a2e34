//! How the probe calls libc.

use std::ffi::{CString, c_void};

/// Calls into libc.
macro_rules! call {
    ($($call:tt)*) => {
        // SAFETY: a script says what is called and with what; arguments are buffers of the probe that outlive the call.
        unsafe { $($call)* }
    };
}
pub(crate) use call;

/// Calls a socket function: by its name, or, after the step `via syscall`, through syscall(2).
macro_rules! route {
    ($state:expr, $number:ident, $function:path, ($($argument:expr),* $(,)?)) => {
        if $state.by_number {
            $crate::libc_calls::call!(libc::syscall(libc::$number, $($argument),*))
        } else {
            #[expect(clippy::allow_attributes, reason = "not every function returns an int")]
            #[allow(clippy::useless_conversion, reason = "the results are of several widths")]
            i64::try_from($crate::libc_calls::call!($function($($argument),*))).unwrap_or(-1)
        }
    };
}
pub(crate) use route;

/// A function by its name in the global scope, as a program finds it that was linked long ago.
pub(crate) fn function(name: &str) -> *mut c_void {
    let name = text(name);
    call!(libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()))
}

/// Calls a function that is found by name at run time.
macro_rules! named {
    ($name:expr, fn($($kind:ty),*) -> $result:ty, ($($argument:expr),* $(,)?)) => {{
        let found = $crate::libc_calls::function($name);
        assert!(!found.is_null(), "there is no function {}", $name);
        $crate::libc_calls::call!({
            let function: unsafe extern "C" fn($($kind),*) -> $result = std::mem::transmute(found);
            function($($argument),*)
        })
    }};
}
pub(crate) use named;

/// A C string.
pub(crate) fn text(text: impl Into<Vec<u8>>) -> CString {
    CString::new(text).expect("a text without NUL")
}

//! The functions behind our hooks, where a hook goes on to libc's.
#![expect(unsafe_code, reason = "dlsym(3) returns untyped pointers")]

use core::ffi::{CStr, c_void};
use core::sync::atomic::{AtomicPtr, Ordering};

/// One libc function, looked up when first called.
///
/// Without its name: a pointer in it would have to be relocated at every start.
pub(crate) struct Next(AtomicPtr<c_void>);

impl Next {
    pub(crate) const fn new() -> Self {
        Self(AtomicPtr::new(core::ptr::null_mut()))
    }

    /// The address of the next definition of `name` after ours in the search order, null where there is none.
    #[inline(never)]
    pub(crate) fn address(&self, name: &CStr) -> *mut c_void {
        let found = self.0.load(Ordering::Relaxed);
        if !found.is_null() {
            return found;
        }
        // SAFETY: the name is a string; two threads doing this at once find the same address.
        let found = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
        self.0.store(found, Ordering::Relaxed);
        found
    }
}

/// `next!(NAME(argument types) -> result)`: libc's function NAME as `Option<unsafe extern "C" fn …>`.
macro_rules! next {
    ($name:ident($($argument:ty),* $(,)?) $(-> $result:ty)?) => {{
        static NEXT: $crate::next::Next = $crate::next::Next::new();
        const NAME: &::core::ffi::CStr =
            match ::core::ffi::CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => c"",
            };
        let address = NEXT.address(NAME);
        // SAFETY: libc's declaration of this function is the type given; Option makes a null pointer None.
        unsafe {
            ::core::mem::transmute::<
                *mut ::core::ffi::c_void,
                Option<unsafe extern "C" fn($($argument),*) $(-> $result)?>,
            >(address)
        }
    }};
}
pub(crate) use next;

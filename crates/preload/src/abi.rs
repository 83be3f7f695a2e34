//! C structures and strings that belong to the program.
#![expect(unsafe_code, reason = "this is where the program's pointers are followed")]

use core::ffi::{CStr, c_char, c_int, c_void};
use core::net::IpAddr;

use uwt_policy::Errno;

/// Sets errno(3) of the calling thread.
pub(crate) fn set_errno(errno: Errno) {
    // SAFETY: __errno_location gives the thread's own int.
    unsafe { *libc::__errno_location() = errno.0 };
}

unsafe extern "C" {
    safe fn strerrorname_np(number: c_int) -> *const c_char;
}

/// The symbolic name of an error number (strerrorname_np(3)).
pub(crate) fn errno_name(errno: Errno) -> Option<&'static str> {
    // SAFETY: null or a static string of libc's.
    unsafe { string(strerrorname_np(errno.0)) }?.to_str().ok()
}

/// The value a hooked function returns: the number, or −1 and errno.
pub(crate) fn answer<T: From<i8>>(result: Result<T, Errno>) -> T {
    result.unwrap_or_else(|errno| {
        set_errno(errno);
        T::from(-1)
    })
}

/// The bytes of an object the program points to; empty for a null pointer.
///
/// # Safety
/// `from` is null or points to `len` readable bytes that nobody writes meanwhile.
pub(crate) unsafe fn bytes<'a>(from: *const c_void, len: usize) -> &'a [u8] {
    if from.is_null() {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { core::slice::from_raw_parts(from.cast(), len) }
}

/// A string of the program, `None` for a null pointer.
///
/// # Safety
/// `text` is null or points to a NUL-terminated string.
pub(crate) unsafe fn string<'a>(text: *const c_char) -> Option<&'a CStr> {
    // SAFETY: the caller's promise.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
}

/// The string in a buffer of ours, up to its first NUL.
#[inline(never)]
#[expect(clippy::manual_contains, reason = "contains brings a search by whole words along")]
pub(crate) fn terminated(buffer: &[u8]) -> Option<&CStr> {
    // SAFETY: strlen(3) stops at the NUL that is there.
    buffer.iter().any(|byte| *byte == 0).then(|| unsafe { CStr::from_ptr(buffer.as_ptr().cast()) })
}

/// Copies a socket address to where the program wants it, cut to its size, the full length told (getpeername(2)).
///
/// # Safety
/// `to` and `len` are as getpeername(2) asks for.
pub(crate) unsafe fn put_address(address: &[u8], to: *mut c_void, len: *mut libc::socklen_t) -> Result<(), Errno> {
    if to.is_null() || len.is_null() {
        return Err(Errno::EFAULT);
    }
    // SAFETY: the caller's promise: `len` says how many bytes are writable at `to`.
    unsafe {
        let room = (*len as usize).min(address.len());
        core::ptr::copy_nonoverlapping(address.as_ptr(), to.cast(), room);
        *len = libc::socklen_t::try_from(address.len()).map_err(|_| Errno::EINVAL)?;
    }
    Ok(())
}

/// A null-terminated array of pointers to strings, such as argv and environ.
#[derive(Clone, Copy)]
pub(crate) struct Strings(pub(crate) *const *const c_char);

impl Strings {
    /// The pointers before the null.
    ///
    /// # Safety
    /// The array is null, or null-terminated and its strings are valid while the iterator lives.
    pub(crate) unsafe fn iter<'a>(self) -> impl Iterator<Item = &'a CStr> {
        let mut next = self.0;
        core::iter::from_fn(move || {
            if next.is_null() {
                return None;
            }
            // SAFETY: the caller's promise; the iterator stops at the null pointer.
            unsafe {
                let text = string(*next)?;
                next = next.add(1);
                Some(text)
            }
        })
    }
}

/// struct hostent with everything it points to, in a buffer of the caller's (gethostbyname_r(3)).
///
/// # Safety
/// `entry` is writable; `buffer` points to `len` writable bytes that live as long as the entry is used.
pub(crate) unsafe fn put_hostent(
    entry: *mut libc::hostent,
    buffer: *mut c_char,
    len: usize,
    name: &str,
    address: IpAddr,
) -> Result<(), Errno> {
    /// The pointers the entry needs: no alias, and one address with its end.
    #[repr(C)]
    struct Room {
        aliases: [*mut c_char; 1],
        addresses: [*mut c_char; 2],
        octets: [u8; 16],
    }
    const ERANGE: Errno = Errno(libc::ERANGE);
    let padding = buffer.align_offset(align_of::<Room>());
    let name_at = padding.checked_add(size_of::<Room>()).ok_or(ERANGE)?;
    let needed = name_at.checked_add(name.len() + 1).ok_or(ERANGE)?;
    if buffer.is_null() || needed > len {
        return Err(ERANGE);
    }
    let mut octets = [0_u8; 16];
    let (family, size) = match address {
        IpAddr::V4(v4) => {
            octets.iter_mut().zip(v4.octets()).for_each(|(to, from)| *to = from);
            (libc::AF_INET, 4)
        }
        IpAddr::V6(v6) => {
            octets = v6.octets();
            (libc::AF_INET6, 16)
        }
    };
    // SAFETY: `needed` bytes are there, `room` is aligned, and the name with its NUL fits behind it.
    unsafe {
        #[expect(clippy::cast_ptr_alignment, reason = "padding makes it aligned")]
        let room = buffer.add(padding).cast::<Room>();
        let text = buffer.add(name_at);
        core::ptr::copy_nonoverlapping(name.as_ptr().cast(), text, name.len());
        *text.add(name.len()) = 0;
        let first = (&raw mut (*room).octets).cast::<c_char>();
        room.write(Room { aliases: [core::ptr::null_mut()], addresses: [first, core::ptr::null_mut()], octets });
        entry.write(libc::hostent {
            h_name: text,
            h_aliases: (&raw mut (*room).aliases).cast(),
            h_addrtype: family,
            h_length: size,
            h_addr_list: (&raw mut (*room).addresses).cast(),
        });
    }
    Ok(())
}

/// Copies text into a buffer of the caller's with a NUL behind it; false when it does not fit.
///
/// # Safety
/// `to` points to `len` writable bytes.
pub(crate) unsafe fn put_string(text: &str, to: *mut c_char, len: usize) -> bool {
    if to.is_null() || text.len() >= len {
        return false;
    }
    // SAFETY: text and NUL fit into `len` bytes.
    unsafe {
        core::ptr::copy_nonoverlapping(text.as_ptr().cast(), to, text.len());
        *to.add(text.len()) = 0;
    }
    true
}

unsafe extern "C" {
    fn inet_ntop(family: c_int, address: *const c_void, text: *mut c_char, len: libc::socklen_t) -> *const c_char;
}

/// An address in text, NUL-terminated: the form of inet_ntop(3), one for each address.
pub(crate) struct AddressText([u8; 48]);

impl AddressText {
    #[inline(never)]
    pub(crate) fn of(address: IpAddr) -> Self {
        // The longest has 45 characters; were it cut, there would be nothing, which no function takes for an address.
        let mut text = [0_u8; 48];
        let (v4, v6);
        let (family, octets): (_, &[u8]) = match address {
            IpAddr::V4(address) => {
                v4 = address.octets();
                (libc::AF_INET, &v4)
            }
            IpAddr::V6(address) => {
                v6 = address.octets();
                (libc::AF_INET6, &v6)
            }
        };
        // SAFETY: reads the octets of this family, writes at most 48 bytes; nobody is asked.
        unsafe { inet_ntop(family, octets.as_ptr().cast(), text.as_mut_ptr().cast(), 48) };
        Self(text)
    }

    pub(crate) fn as_c_str(&self) -> &CStr {
        terminated(&self.0).unwrap_or_default()
    }

    pub(crate) fn as_str(&self) -> &str {
        // ASCII.
        self.as_c_str().to_str().unwrap_or_default()
    }
}

/// Puts `name` in the place of a result's canonical name (getaddrinfo(3), `AI_CANONNAME`).
///
/// # Safety
/// `list` is null or a list that libc's getaddrinfo made.
pub(crate) unsafe fn rename_addrinfo(list: *mut libc::addrinfo, name: &CStr) -> Result<(), Errno> {
    // SAFETY: the list is libc's, so the name is null or from its malloc, and freeaddrinfo will free the new one.
    unsafe {
        if list.is_null() || (*list).ai_canonname.is_null() {
            return Ok(());
        }
        let copy = libc::strdup(name.as_ptr());
        if copy.is_null() {
            return Err(Errno::ENOMEM);
        }
        libc::free((*list).ai_canonname.cast());
        (*list).ai_canonname = copy;
    }
    Ok(())
}

unsafe extern "C" {
    safe fn __h_errno_location() -> *mut c_int;
}

/// The resolver's error numbers (gethostbyname(3)).
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum HostError {
    /// Look at errno.
    Internal = -1,
    /// HOST_NOT_FOUND
    NotFound = 1,
    /// TRY_AGAIN
    TryAgain = 2,
    /// NO_RECOVERY
    NoRecovery = 3,
    /// NO_DATA
    NoData = 4,
}

/// Sets h_errno of the calling thread.
pub(crate) fn set_h_errno(error: c_int) {
    // SAFETY: __h_errno_location gives the thread's own int.
    unsafe { *__h_errno_location() = error };
}

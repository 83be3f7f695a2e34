//! What Rust's standard library for glibc asks of the C library and musl does not have. All else it asks for is in both,
//! with the same types: `cargo xtask test` compares them.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::ffi::{c_char, c_int, c_void};
use std::ptr::null_mut;

/// gnu_get_libc_version(3): the standard library starts programs with posix_spawn(3) where glibc's is new enough, else with
/// fork(2) and execve(2), which any C library has.
// SAFETY: musl has no function of this name.
#[unsafe(no_mangle)]
extern "C" fn gnu_get_libc_version() -> *const c_char {
    c"2.0".as_ptr()
}

/// How glibc tells the unwinder where it finds an object's tables: it does not know, and the unwinder then asks
/// dl_iterate_phdr(3).
// SAFETY: musl has no function of this name.
#[unsafe(no_mangle)]
extern "C" fn _dl_find_object(_: *mut c_void, _: *mut c_void) -> c_int {
    -1
}

/// What stands before each block: its size with this. As large as any C type's alignment, so that the block is aligned.
const HEADER: usize = 16;

/// Of a block of `size` bytes for the C library.
fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(HEADER)?, HEADER).ok()
}

/// A block for the C library from Rust's allocator.
fn block(size: usize, allocate: unsafe fn(Layout) -> *mut u8) -> *mut c_void {
    let Some(layout) = layout(size) else { return null_mut() };
    // SAFETY: the layout is not empty, and its start has room for a number, which is what is written there.
    unsafe {
        let start = allocate(layout);
        if start.is_null() {
            return null_mut();
        }
        let start = start.cast::<c_void>();
        start.cast::<usize>().write(size);
        start.add(HEADER)
    }
}

/// malloc(3): musl lets programs bring their own, and its own would be set up for the one or two blocks that realpath(3)
/// and opendir(3) take, by six system calls.
// SAFETY: with the next three it is a whole replacement, as musl asks for (malloc_replaced.c); what else takes memory there,
// aligned_alloc(3), then fails.
#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut c_void {
    block(size, alloc)
}

/// calloc(3).
// SAFETY: see `malloc`.
#[unsafe(no_mangle)]
extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    count.checked_mul(size).map_or(null_mut(), |size| block(size, alloc_zeroed))
}

/// realloc(3).
///
/// # Safety
/// `old` is NULL or a block that is not freed.
// SAFETY: see `malloc`.
#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(old: *mut c_void, size: usize) -> *mut c_void {
    let new = malloc(size);
    if !old.is_null() && !new.is_null() {
        // SAFETY: the caller's promise, and the number before a block says how long it is.
        unsafe {
            let former = old.sub(HEADER).cast::<usize>().read();
            new.cast::<u8>().copy_from_nonoverlapping(old.cast(), former.min(size));
            free(old);
        }
    }
    new
}

/// free(3).
///
/// # Safety
/// `old` is NULL or a block that is not freed.
// SAFETY: see `malloc`.
#[unsafe(no_mangle)]
unsafe extern "C" fn free(old: *mut c_void) {
    if old.is_null() {
        return;
    }
    // SAFETY: the caller's promise: it was allocated with the layout that follows from the number before it.
    unsafe {
        let start = old.sub(HEADER);
        if let Some(layout) = layout(start.cast::<usize>().read()) {
            dealloc(start.cast(), layout);
        }
    }
}

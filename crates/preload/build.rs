//! How the library is linked.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // The loader runs our constructor by itself; the C compiler's start files would only add code that does nothing here.
    println!("cargo:rustc-cdylib-link-arg=-nostartfiles");
}

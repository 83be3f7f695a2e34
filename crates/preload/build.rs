//! How the library is linked.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=link.ld");
    // The loader runs our constructor by itself; the C compiler's start files would only add code that does nothing here.
    println!("cargo:rustc-cdylib-link-arg=-nostartfiles");
    // See there.
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("link.ld");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-T,{}", script.display());
    println!("cargo:rustc-cdylib-link-arg=-Wl,--no-eh-frame-hdr");
}

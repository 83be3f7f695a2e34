//! Whether musl takes what the launcher, compiled for glibc, gives it.

use std::path::Path;
use std::process::Command;

use crate::workspace;

/// What `abi.c` prints, compiled by `compiler` (and linked statically, so that it needs no loader of that C library).
fn printed(compiler: &str, directory: &Path) -> String {
    let program = directory.join(compiler);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/artifacts/abi.c");
    workspace::run(Command::new(compiler).args(["-std=c11", "-static", "-o"]).arg(&program).arg(source))
        .expect(compiler);
    workspace::text(&mut Command::new(&program)).expect(compiler)
}

#[test]
fn both_c_libraries_have_the_same_types() {
    let directory = tempfile::tempdir().expect("a directory");
    let [glibc, musl] = ["cc", "musl-gcc"].map(|compiler| printed(compiler, directory.path()));
    assert!(glibc.lines().count() > 100, "{glibc}");
    let differences: Vec<_> = glibc.lines().zip(musl.lines()).filter(|(glibc, musl)| glibc != musl).collect();
    assert!(differences.is_empty() && glibc == musl, "glibc, musl: {differences:#?}");
}

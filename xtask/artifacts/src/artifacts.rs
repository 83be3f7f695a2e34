//! Builds what is shipped: a static launcher, the preload and `uwtctl`, side by side in `target/uwt`.

#[cfg(test)]
mod abi;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::elf;
use crate::workspace::{self, Workspace, existing};

/// The preload's file name.
pub const PRELOAD: &str = "libuwt_preload.so";

/// The administrator's program.
const CONTROL: &str = "uwtctl";

/// A string that every static program with name-service code carries: glibc reads this file to find the modules it
/// then loads dynamically, which works only with exactly the C library it was linked with.
const NSS_MARK: &[u8] = b"/etc/nsswitch.conf";

/// Prints size and path of each file.
///
/// # Errors
/// A file is not there.
pub fn show(workspace: &Workspace) -> Result<()> {
    let directory = workspace.bin_dir();
    for name in ["uwt", PRELOAD, CONTROL] {
        let file = directory.join(name);
        let size = fs::metadata(&file).with_context(|| format!("{}", file.display()))?.len();
        println!("{size:>9} bytes  {}", file.display());
    }
    Ok(())
}

/// Builds everything; afterwards `UWT_BIN_DIR` can point at [`Workspace::bin_dir`].
///
/// # Errors
/// Something is not compiled, or the launcher is not static.
pub fn build(workspace: &Workspace) -> Result<()> {
    launcher(workspace)?;
    preload(workspace)?;
    control(workspace)?;
    Ok(())
}

/// The launcher, statically linked, with musl for its C library. Each start of glibc executes some 70 `cpuid` instructions,
/// linked statically or not, and in a virtual machine each of them is a call of the hypervisor: together as long as half the
/// life of a short program. At a fixed address, for otherwise it would relocate itself each time; it reads nothing that
/// somebody else wrote but root's and the user's own configuration.
///
/// The Rust target is glibc's all the same, so that one toolchain is enough: what the standard library asks of it musl has
/// under the same names, or `crates/uwt/src/sys/musl.rs` has, and with the same types, which `artifacts/abi.rs` checks.
fn launcher(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = workspace.cargo("rustc");
    cargo.args(["--profile", "launcher", "-p", "uwt", "--bin", "uwt", "--features", "musl"]);
    cargo.args(["--", "-C", "target-feature=+crt-static", "-C", "relocation-model=static", "-C", "linker=musl-gcc"]);
    for name in LARGE_FILE_NAMES {
        // From 1.2.4 on musl has them for programs that were linked with an earlier one only.
        cargo.arg("-C").arg(format!("link-arg=-Wl,--undefined={name},--defsym={name}64={name}"));
    }
    workspace::run(&mut cargo)?;
    let built = existing(&workspace.target.join("launcher/uwt"))?;
    check_static(&built)?;
    publish(&built, &workspace.bin_dir())
}

/// Functions that the standard library calls by their names for large files, as glibc has them. musl's are always for
/// large files.
const LARGE_FILE_NAMES: &[&str] =
    &["fstat", "fstatat", "getrlimit", "lseek", "lstat", "mmap", "open", "readdir", "setrlimit", "stat", "statvfs"];

/// Up to which cost a function is copied into those that call it. The compiler's own limit for small programs keeps even
/// functions apart that are shorter than the call; with this one the library is smallest.
const INLINED: u32 = 32;

/// The preload, by itself: features that other crates switch on in shared dependencies must not reach it.
///
/// # Errors
/// It is not compiled.
pub fn preload(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = workspace.cargo("rustc");
    cargo.args(["--profile", "preload", "-p", "uwt-preload", "--"]);
    cargo.arg("-C").arg(format!("llvm-args=--inline-threshold={INLINED}"));
    workspace::run(&mut cargo)?;
    publish(&existing(&workspace.target.join("preload").join(PRELOAD))?, &workspace.bin_dir())
}

/// `uwtctl`, an ordinary program: it is started by hand, and does not have to be quick.
fn control(workspace: &Workspace) -> Result<PathBuf> {
    workspace::run(workspace.cargo("build").args(["--profile", "control", "-p", CONTROL, "--bin", CONTROL]))?;
    publish(&existing(&workspace.target.join("control").join(CONTROL))?, &workspace.bin_dir())
}

fn check_static(program: &Path) -> Result<()> {
    let dynamic = elf::dynamic(program)?;
    if let Some(interpreter) = dynamic.interpreter {
        bail!("{} is not static: it asks for {interpreter}", program.display());
    }
    if let Some(library) = dynamic.needed.first() {
        bail!("{} is not static: it needs {library}", program.display());
    }
    let content = fs::read(program).with_context(|| format!("{}", program.display()))?;
    if contains(&content, NSS_MARK) {
        bail!(
            "{} contains name-service code (getpwnam, getaddrinfo, …): static glibc would load modules for it at run \
             time; use numbers, environment or files instead",
            program.display()
        );
    }
    Ok(())
}

fn contains(content: &[u8], mark: &[u8]) -> bool {
    content.windows(mark.len()).any(|window| window == mark)
}

/// Puts a copy into the directory in one step, so that nobody starts half a file or finds it busy.
fn publish(built: &Path, directory: &Path) -> Result<PathBuf> {
    fs::create_dir_all(directory).with_context(|| format!("{}", directory.display()))?;
    let name = built.file_name().context("a file has a name")?;
    let target = directory.join(name);
    if same(built, &target) {
        return Ok(target);
    }
    let staged = directory.join(format!(".{}.{}", name.to_string_lossy(), std::process::id()));
    fs::copy(built, &staged).with_context(|| format!("{}", staged.display()))?;
    fs::rename(&staged, &target).with_context(|| format!("{}", target.display()))?;
    Ok(target)
}

fn same(one: &Path, other: &Path) -> bool {
    matches!((fs::read(one), fs::read(other)), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dynamic_program_is_no_launcher() {
        let error = check_static(Path::new("/bin/sh")).expect_err("sh is dynamic");
        assert!(error.to_string().contains("is not static"), "{error}");
    }

    #[test]
    fn a_mark_is_found_anywhere() {
        assert!(contains(b"\x7fELF/etc/nsswitch.conf\0", NSS_MARK));
        assert!(!contains(b"/etc/nsswitch", NSS_MARK));
    }

    #[test]
    fn publishing_replaces_the_old_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let built = directory.path().join("uwt");
        let to = directory.path().join("out");
        for content in ["one", "two", "two"] {
            fs::write(&built, content).expect("written");
            let target = publish(&built, &to).expect("published");
            assert_eq!(fs::read_to_string(&target).expect("there"), content);
        }
        assert_eq!(fs::read_dir(&to).expect("there").count(), 1);
    }
}

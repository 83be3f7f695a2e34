//! Programs that would run without the preload: refused with one line that says why, by every function.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::netns::Identity;

use crate::site::{Seen, Site, library, open_to_all, probe};

/// An ELF file as its first bytes tell it: class (1: 32 bits), machine, interpreter.
fn elf(class: u8, machine: u16, interpreter: Option<&str>) -> Vec<u8> {
    let mut file = vec![0; 64 + 56];
    file[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, 1, 1]);
    file[16] = 2;
    file[18..20].copy_from_slice(&machine.to_le_bytes());
    file[32] = 64;
    file[54] = 56;
    file[56] = 1;
    if let Some(path) = interpreter {
        file[64] = 3;
        file[72] = 120;
        file[96] = u8::try_from(path.len() + 1).expect("short");
        file.extend(path.bytes());
        file.push(0);
    }
    file
}

/// Programs of every kind, in a folder that everybody can read, on a file system that knows set-user-ID.
struct Programs(tempfile::TempDir);

impl Programs {
    fn new() -> Self {
        let this = Self(tempfile::tempdir().expect("a folder"));
        let copy = |name: &str, from: &Path| {
            // By another process: a child forked meanwhile must not hold the copy open for writing.
            assert!(Command::new("cp").arg(from).arg(this.path(name)).status().expect("cp").success());
        };
        for (name, content) in [
            ("elf32", elf(1, 3, None)),
            ("foreign", elf(2, 183, Some("/lib/ld-linux-aarch64.so.1"))),
            ("musl", elf(2, 62, Some("/lib/ld-musl-x86_64.so.1"))),
            ("static", elf(2, 62, None)),
            ("script", format!("#!{}\n", this.path("static")).into_bytes()),
            ("nested", format!("#!{}\n", this.path("script")).into_bytes()),
            ("good", b"#!/bin/sh\necho good\n".to_vec()),
        ] {
            std::fs::write(this.path(name), content).expect("written");
        }
        for name in ["setuid", "setgid", "capable", "unreadable"] {
            copy(name, &probe());
        }
        open_to_all(this.0.path());
        for (name, mode) in [("setuid", 0o4755), ("setgid", 0o2755), ("unreadable", 0o711)] {
            std::fs::set_permissions(this.path(name), std::fs::Permissions::from_mode(mode)).expect("chmod");
        }
        // security.capability, version 2 (capabilities(7)): CAP_NET_RAW, permitted and effective.
        let mut value = vec![0_u8; 20];
        value[..4].copy_from_slice(&0x0200_0001_u32.to_le_bytes());
        value[4..8].copy_from_slice(&(1_u32 << 13).to_le_bytes());
        set_attribute(&this.path("capable"), c"security.capability", &value);
        this
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }
}

fn set_attribute(path: &str, name: &std::ffi::CStr, value: &[u8]) {
    let path = std::ffi::CString::new(path).expect("a path");
    #[expect(unsafe_code, reason = "no safe wrapper is among our dependencies")]
    // SAFETY: two strings and a buffer with its length.
    let done = unsafe { libc::setxattr(path.as_ptr(), name.as_ptr(), value.as_ptr().cast(), value.len(), 0) };
    assert_eq!(done, 0, "setxattr: {}", std::io::Error::last_os_error());
}

/// Refused with EACCES and one line that names the program and the reason.
#[track_caller]
fn refused(seen: &Seen, path: &str, reason: &str) {
    let told = matches!(&seen.notes[..], [line] if line.starts_with(&format!("uwt: {path} ")) && line.contains(reason));
    assert!(seen.output == "EACCES" && told && seen.log.is_empty(), "{path}: {reason}\n{seen:?}");
}

#[test]
fn by_every_function() {
    let (site, programs) = (Site::unguarded(), Programs::new());
    let path = programs.path("static");
    for function in
        ["execve", "execv", "execvp", "execvpe", "execl", "execlp", "execle", "execveat", "syscall", "syscall-at"]
    {
        let named = if function == "execveat" { "static".to_owned() } else { path.clone() };
        refused(&site.run(&format!("exec {function} same path={path} -- x")), &named, "statically linked");
    }
    for function in ["fexecve", "execveat-empty"] {
        refused(&site.run(&format!("exec {function} same path={path} -- x")), &path, "statically linked");
    }
    for function in ["posix_spawn", "posix_spawnp"] {
        refused(&site.run(&format!("spawn {function} same path={path} -- x; end")), &path, "statically linked");
    }
    // In PATH, after nothing of that name elsewhere.
    let folder = programs.path("");
    for step in ["exec execvp same", "exec execlp same", "spawn posix_spawnp same"] {
        let end = if step.starts_with("spawn") { "; end" } else { "" };
        let seen = site.run(&format!("setenv PATH /nonexistent:{folder}; {step} path=static -- x{end}"));
        assert!(
            seen.output == "EACCES" && seen.notes.len() == 1 && seen.notes[0].contains("static is statically linked"),
            "{seen:?}"
        );
    }
    // By a shell: it is the shell's child that is refused, and the shell says so too.
    let seen = site.watch(site.uwt(&[]).args(["/bin/sh", "-c", &format!("{path} x; echo $?")]));
    assert_eq!(seen.output, "126", "{seen:?}");
    assert!(seen.notes.iter().filter(|line| line.starts_with("uwt: ")).count() == 1, "{seen:?}");
}

#[test]
fn kinds_of_files() {
    let (site, programs) = (Site::unguarded(), Programs::new());
    for (name, culprit, reason) in [
        ("elf32", "elf32", "of another architecture"),
        ("foreign", "foreign", "of another architecture"),
        ("musl", "musl", "not a glibc program"),
        ("static", "static", "statically linked"),
        ("script", "static", "statically linked"),
        ("nested", "static", "statically linked"),
    ] {
        let seen = site.run(&format!("exec execv same path={} --", programs.path(name)));
        refused(&seen, &programs.path(culprit), reason);
    }
    site.check(&format!("exec execv same path={} --", programs.path("good")), "good", &[]);
    // A real static program, built here.
    let source = programs.path("real.c");
    std::fs::write(&source, "#include <unistd.h>\nint main(void) { return write(1, \"ran\\n\", 4) != 4; }\n")
        .expect("written");
    let built = Command::new("cc").args(["-static", "-o", &programs.path("real"), &source]).output().expect("cc");
    assert!(built.status.success(), "{built:?}");
    refused(
        &site.run(&format!("exec execv same path={} --", programs.path("real"))),
        &programs.path("real"),
        "statically linked",
    );
    // Not looked at because no descriptor is left: not run either.
    let seen = site.run(&format!("files 3; exec execv same path={} --", programs.path("real")));
    assert!(seen.output == "ok; EMFILE" && seen.log.is_empty(), "{seen:?}");
    // Unless the configuration says that it uses no network.
    site.configure(&format!("trusted = [\"{}\"]", programs.path("real")));
    site.check(&format!("exec execv same path={} --", programs.path("real")), "ran", &[]);
    site.check(&format!("spawn posix_spawn empty path={} --; end", programs.path("real")), "ran", &[]);
}

#[test]
fn privileges_that_would_be_gained() {
    let (site, programs) = (Site::unguarded(), Programs::new());
    let as_nobody = |name: &str| {
        let script = format!("exec execv same path={} --", programs.path(name));
        site.watch(site.uwt_as(&[], Some(Identity::nobody())).arg(probe()).arg(script))
    };
    refused(&as_nobody("setuid"), &programs.path("setuid"), "set-user-ID");
    refused(&as_nobody("setgid"), &programs.path("setgid"), "set-user-ID");
    refused(&as_nobody("capable"), &programs.path("capable"), "file capabilities");
    refused(&as_nobody("unreadable"), &programs.path("unreadable"), "can't be read");
    // Root gains nothing by them, and reads everything.
    for name in ["setuid", "setgid", "capable", "unreadable"] {
        site.check(&format!("exec execv same path={} --", programs.path(name)), "1 arguments", &[]);
    }
    // Where privileges cannot be gained at all it is a program like any other.
    let script = format!("exec execv same path={} --", programs.path("setuid"));
    let mut command = site.uwt_as(&[], Some(Identity::nobody()));
    let seen = site.watch(command.args(["/usr/bin/setpriv", "--no-new-privs"]).arg(probe()).arg(script));
    assert_eq!(seen.output, "1 arguments", "{seen:?}");
}

#[test]
fn without_the_library_nothing_is_started() {
    let site = Site::unguarded();
    // A copy of everything, so that the library can be taken away.
    let folder = tempfile::tempdir().expect("a folder");
    assert!(Command::new("cp").args([probe(), library()]).arg(folder.path()).status().expect("cp").success());
    open_to_all(folder.path());
    let copy: PathBuf = folder.path().join("libuwt_preload.so");
    site.configure(&format!("preload = \"{}\"", copy.display()));
    for step in ["exec execve empty", "exec execvp same", "spawn posix_spawn same"] {
        assert!(Command::new("cp").arg(library()).arg(&copy).status().expect("cp").success());
        let end = if step.starts_with("spawn") { "; end" } else { "" };
        let seen = site.run(&format!("unlink {}; {step} path=/bin/echo -- ran{end}", copy.display()));
        assert_eq!(seen.output, "ok; EACCES", "{seen:?}");
        assert!(seen.notes.len() == 1 && seen.notes[0].contains(&copy.display().to_string()), "{seen:?}");
    }
    // In a chroot it is not there either.
    site.configure("");
    let root = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(root.path().join("bin")).expect("made");
    assert!(Command::new("cp").args(["/bin/echo"]).arg(root.path().join("bin")).status().expect("cp").success());
    let seen = site.run(&format!("chroot {}; exec execv same path=/bin/echo -- ran", root.path().display()));
    assert_eq!(seen.output, "ok; EACCES", "{seen:?}");
    assert!(seen.notes.len() == 1 && seen.notes[0].contains("can't be read here"), "{seen:?}");
}

//! Starting programs: their environment, their arguments, where they are found.

use std::os::unix::fs::PermissionsExt as _;

use support::netns::Identity;

use crate::site::{Site, library, open_to_all, probe};

const SEVEN: &[&str] = &["203.0.113.7:80"];
const CONNECT: &str = "socket inet stream; connect 203.0.113.7:80; echo hi";

const EXECS: [&str; 12] = [
    "execve",
    "execv",
    "execvp",
    "execvpe",
    "execl",
    "execlp",
    "execle",
    "fexecve",
    "execveat",
    "execveat-empty",
    "syscall",
    "syscall-at",
];
/// Those that take an environment.
const WITH_ENVIRONMENT: [&str; 8] =
    ["execve", "execvpe", "execle", "fexecve", "execveat", "execveat-empty", "syscall", "syscall-at"];

#[test]
fn a_scrubbed_environment_is_completed() {
    let site = Site::new();
    let ours = "LD_PRELOAD UWT_SESSION";
    for function in WITH_ENVIRONMENT {
        site.check(&format!("exec {function} empty; environ; {CONNECT}"), &format!("{ours}; ok; ok; hi"), SEVEN);
        site.check(&format!("exec {function} A=1+B=2; environ; env B"), &format!("A B {ours}; 2"), &[]);
        // What is there stays there, once.
        let script = format!("exec {function} same; exec {function} same; environ; env LD_PRELOAD");
        let seen = site.run(&script);
        let library = library();
        let wanted =
            format!("HOME LD_PRELOAD PATH UWT_CONFIG_PATH UWT_SESSION uwtwrapper_counter; {}", library.display());
        assert_eq!(seen.output, wanted, "{function}: {seen:?}");
    }
    for function in EXECS {
        site.check(
            &format!("clearenv; exec {function} same; environ; {CONNECT}"),
            &format!("{ours}; ok; ok; hi"),
            SEVEN,
        );
    }
    for function in ["posix_spawn", "posix_spawnp"] {
        site.check(&format!("spawn {function} empty; environ; {CONNECT}; end"), &format!("{ours}; ok; ok; hi"), SEVEN);
        site.check(
            &format!("clearenv; spawn {function} same; environ; {CONNECT}; end"),
            &format!("{ours}; ok; ok; hi"),
            SEVEN,
        );
    }
    // A shell adds variables of its own.
    for (function, more) in [("system", "; ok"), ("popen", ""), ("wordexp", "")] {
        let script = format!("clearenv; shell {function}; env NOTHING; {CONNECT}; end");
        site.check(&script, &format!("unset; ok; ok; hi{more}"), SEVEN);
    }
}

#[test]
fn a_preload_of_the_programs_own_is_kept() {
    let site = Site::new();
    let library = library();
    let (library, other) = (library.display(), "/usr/lib/x86_64-linux-gnu/libresolv.so.2");
    for function in WITH_ENVIRONMENT {
        let script = |list: &str| format!("exec {function} LD_PRELOAD={list}; env LD_PRELOAD; {CONNECT}");
        site.check(&script(other), &format!("{library} {other}; ok; ok; hi"), SEVEN);
        // Ours is in it already, wherever.
        site.check(&script(&format!("{other}:{library}")), &format!("{other}:{library}; ok; ok; hi"), SEVEN);
        site.check(&script(&format!("{other}%20{library}")), &format!("{other} {library}; ok; ok; hi"), SEVEN);
    }
    for (function, more) in [("system", "; ok"), ("popen", ""), ("wordexp", "")] {
        let script = format!("setenv LD_PRELOAD {other}; shell {function}; env LD_PRELOAD; {CONNECT}; end");
        site.check(&script, &format!("{library} {other}; ok; ok; hi{more}"), SEVEN);
    }
    // A session that is none is replaced by ours.
    site.check(&format!("exec execve UWT_SESSION=version%3d9; {CONNECT}"), "ok; ok; hi", SEVEN);
    site.check(&format!("setenv UWT_SESSION x; shell system; {CONNECT}; end"), "ok; ok; hi; ok", SEVEN);
}

#[test]
fn every_number_of_arguments() {
    let site = Site::new();
    for function in ["execl", "execlp", "execle", "execv", "execve"] {
        for count in [1, 2, 4, 5, 6, 7, 255, 256, 257, 299] {
            site.check(&format!("exec {function} empty count={count}"), &format!("{count} arguments"), &[]);
        }
        // Linux gives a program without arguments an empty one.
        site.check(&format!("exec {function} empty count=0"), "1 arguments", &[]);
    }
    let words: Vec<String> = (0..280).map(|index| format!("w{index}")).collect();
    for function in ["execl", "execlp", "execle"] {
        let script = format!("exec {function} same path=/bin/echo -- {}", words.join(" "));
        site.check(&script, &words.join(" "), &[]);
    }
}

/// Files to be found, or not, in a folder of PATH.
fn folder_with(files: &[(&str, &str, u32)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    open_to_all(folder.path());
    for (name, content, mode) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(*mode)).expect("chmod");
    }
    folder
}

#[test]
fn searching_in_path() {
    let site = Site::new();
    let script = "#!/bin/sh\necho found\n";
    let one = folder_with(&[("denied", script, 0o644), ("later", script, 0o644), ("both", script, 0o755)]);
    let two = folder_with(&[("later", "#!/bin/sh\necho later\n", 0o755), ("both", "#!/bin/sh\necho second\n", 0o755)]);
    let file = folder_with(&[("file", "x", 0o644)]);
    let (one, two, file) = (one.path().display(), two.path().display(), file.path().join("file"));
    let path = format!("/nonexistent:{}:{one}:{two}", file.display());
    for function in ["exec execvp same", "exec execvpe same", "exec execlp same", "spawn posix_spawnp same"] {
        let end = if function.starts_with("spawn") { "; end" } else { "" };
        for (name, output) in [
            ("denied", "EACCES"),
            ("later", "later"),
            ("both", "found"),
            ("nothing-of-this-name", "ENOENT"),
            ("''", "ENOENT"),
            (&format!("{one}/denied"), "EACCES"),
            (&format!("{two}/later"), "later"),
            ("x/y", "ENOENT"),
            (&"n".repeat(300), "ENAMETOOLONG"),
        ] {
            let script = format!("setenv PATH {path}; {function} path={name} -- {end}");
            let (bare, wrapped) = (site.run_bare(&script), site.run(&script));
            assert_eq!(wrapped.output, bare.output, "{script}: {wrapped:?}");
            assert!(wrapped.output == output || name.len() == 300, "{script}: {wrapped:?}");
        }
        // Without PATH there is a default.
        site.check(&format!("clearenv; {function} path=echo -- yes{end}"), "yes", &[]);
        site.check(&format!("chdir {two}; setenv PATH :/bin; {function} path=later -- {end}"), "ok; later", &[]);
    }
}

#[test]
fn scripts_without_an_interpreter() {
    let site = Site::new();
    let folder = folder_with(&[
        ("plain", "echo \"plain $1\"\n", 0o755),
        ("connects", &format!("exec {} \"$1\"\n", probe().display()), 0o755),
    ]);
    let at = |name: &str| folder.path().join(name).display().to_string();
    for function in ["execvp", "execvpe", "execlp"] {
        site.check(&format!("exec {function} same path={} -- word", at("plain")), "plain word", &[]);
        let script = CONNECT.replace(' ', "%20").replace(';', "%3b");
        site.check(&format!("exec {function} empty path={} -- {script}", at("connects")), "ok; ok; hi", SEVEN);
    }
    for function in ["execv", "execve", "execl", "execle", "fexecve", "syscall"] {
        site.check(&format!("exec {function} same path={} -- word", at("plain")), "ENOEXEC", &[]);
    }
}

#[test]
fn by_descriptor_and_folder() {
    let site = Site::new();
    site.check("exec execveat same path=/bin/echo -- yes", "yes", &[]);
    site.check("exec execveat-empty same path=/bin/echo -- yes", "yes", &[]);
    site.check("exec fexecve same path=/bin/echo -- yes", "yes", &[]);
    site.check("exec fexecve same path=/nonexistent --", "EBADF", &[]);
    site.check("exec execveat-empty same path=/nonexistent --", "EBADF", &[]);
    for function in EXECS {
        // Folders and devices are no programs; a program that is none.
        site.check(&format!("exec {function} same path=/tmp/. --"), "EACCES", &[]);
    }
    // As another user, who may execute what is readable to all.
    let seen = site
        .watch(site.uwt_as(&[], Some(Identity::nobody())).arg(probe()).arg(format!("exec execve empty; {CONNECT}")));
    assert_eq!((seen.output.as_str(), seen.targets().len()), ("ok; ok; hi", 1), "{seen:?}");
}

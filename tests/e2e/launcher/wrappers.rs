//! Called by the name of a wrapped command.

use std::fs::{self, File};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::place::{Place, Ran, bin_dir, run};

/// What `cat /proc/self/cmdline` printed.
fn argv(ran: &Ran) -> Vec<&str> {
    ran.succeeded().split_terminator('\0').collect()
}

#[test]
fn the_program_sees_the_name_that_was_typed() {
    let place = Place::new();
    place.wrap("prog", "/bin/cat");
    place.link("bin/prog-receive-pack", "prog");
    fs::create_dir_all(place.at("etc/alternatives")).expect("made");
    place.link("bin/editor", place.at("etc/alternatives/editor"));
    place.link("etc/alternatives/editor", place.at("bin/prog"));
    for typed in ["prog", "prog-receive-pack", "editor"] {
        let ran = run(place.command(typed).arg("/proc/self/cmdline"));
        assert_eq!(argv(&ran), [typed, "/proc/self/cmdline"]);
        let path = place.at("bin").join(typed).display().to_string();
        assert_eq!(argv(&run(place.command(&path).arg("/proc/self/cmdline"))), [path.as_str(), "/proc/self/cmdline"]);
        // Through `uwt` too.
        assert_eq!(argv(&run(&mut place.uwt(&[typed, "/proc/self/cmdline"]))), [typed, "/proc/self/cmdline"]);
    }
    for (folder, path, typed) in
        [("bin", "/usr/bin:/bin", "./prog"), ("", "/usr/bin:/bin", "bin/prog"), ("bin", "", "prog")]
    {
        let script = format!("cd '{}' && PATH={path} && exec {typed} /proc/self/cmdline", place.at(folder).display());
        assert_eq!(argv(&run(place.command("sh").args(["-c", &script]))), [typed, "/proc/self/cmdline"]);
    }
    let executed = run(place.command("prog").arg("/proc/self/maps"));
    assert!(executed.succeeded().contains("/bin/prog.anondist-orig"), "{executed:?}");
    assert!(executed.succeeded().contains("/libuwt_preload.so"), "{executed:?}");
}

#[test]
fn the_wrapper_itself_can_be_executed() {
    let place = Place::new();
    place.wrap("prog", "/bin/cat");
    let wrapper = place.at("bin/prog.anondist").display().to_string();
    assert_eq!(argv(&run(place.command(&wrapper).arg("/proc/self/cmdline"))), [wrapper.as_str(), "/proc/self/cmdline"]);
}

#[test]
fn argv_0_decides_nothing() {
    let place = Place::new();
    place.wrap("prog", "/bin/cat");
    for name in ["uwt", "-prog", "other", "a b"] {
        let ran = run(Command::new(place.at("bin/prog")).arg0(name).arg("/proc/self/cmdline"));
        assert_eq!(argv(&ran), [name, "/proc/self/cmdline"]);
    }
    let ran = run(Command::new(bin_dir().join("uwt")).arg0("prog").args(["cat", "/proc/self/cmdline"]));
    assert_eq!(argv(&ran), ["cat", "/proc/self/cmdline"]);
}

#[test]
fn without_a_path_argv_0_is_looked_up() {
    let place = Place::new();
    place.wrap("prog", "/bin/cat");
    let uwt = File::open(bin_dir().join("uwt")).expect("readable");
    // What fexecve(3) does: the path that was executed is the one of a descriptor.
    let descriptor = format!("/proc/{}/fd/{}", std::process::id(), uwt.as_raw_fd());
    let by_descriptor = |name: &str| {
        let mut command = Command::new(&descriptor);
        command.arg0(name).env("PATH", format!("{}:/usr/bin:/bin", place.at("bin").display()));
        command.env("UWT_CONFIG_PATH", place.at("etc"));
        command
    };
    assert_eq!(argv(&run(by_descriptor("prog").arg("/proc/self/cmdline"))), ["prog", "/proc/self/cmdline"]);
    let unknown = run(by_descriptor("nonesuch").arg("/proc/self/cmdline"));
    assert_eq!(unknown.failed_with(125), "cannot tell how it was called; run it by its path or through PATH");
}

#[test]
fn all_arguments_are_the_command_s() {
    let place = Place::new();
    place.wrap("prog", "/bin/echo");
    assert_eq!(
        run(place.command("prog").args(["-i", "1", "--explain", "--", "-v"])).succeeded(),
        "-i 1 --explain -- -v\n"
    );
    assert_eq!(run(&mut place.command("prog")).succeeded(), "\n");
}

#[test]
fn a_missing_original_is_explained() {
    let place = Place::new();
    place.link("bin/ssh.anondist", bin_dir().join("uwt"));
    place.link("bin/ssh", "ssh.anondist");
    place.program("bin/command-not-found", "#!/bin/sh\necho \"asked: $*\"\nexit 1\n");
    let message = format!(
        "uwt: {}.anondist-orig: not found; the package that brings ssh may be missing, perhaps openssh-client: install it\n",
        place.at("bin/ssh").display()
    );
    for mut command in [place.command("ssh"), place.uwt(&["ssh"])] {
        let ran = run(command.arg("host"));
        assert_eq!((ran.status, ran.out.as_str()), (127, ""), "nothing on standard output: {ran:?}");
        assert_eq!(ran.err, format!("asked: --ignore-installed ssh\n{message}"));
    }
}

#[test]
fn a_spelled_out_original_is_the_distribution_s_file() {
    let place = Place::new();
    place.wrap("prog", "/bin/cat");
    let bare = run(place.command("prog.anondist-orig").arg("/proc/self/environ"));
    assert!(!bare.succeeded().contains("UWT_SESSION"), "{bare:?}");
    let wrapped = run(&mut place.uwt(&["prog.anondist-orig", "/proc/self/environ"]));
    assert!(wrapped.succeeded().contains("UWT_SESSION"), "{wrapped:?}");
}

#[test]
fn a_script_can_name_uwt_as_its_interpreter() {
    let place = Place::new();
    let uwt = bin_dir().join("uwt");
    place.program("bin/script", format!("#!{} /bin/sh\necho \"$0 $1 ${{UWT_SESSION%% *}}\"\n", uwt.display()));
    let path = place.at("bin/script").display().to_string();
    assert_eq!(run(place.command("script").arg("x")).succeeded(), format!("{path} x version=1\n"));
    assert_eq!(run(&mut place.uwt(&["script", "x"])).succeeded(), format!("{path} x version=1\n"));
}

//! Which files are run, and which are not.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::PathBuf;

use crate::place::{Place, bin_dir, run};

#[test]
fn what_is_not_there_or_not_executable() {
    let place = Place::new();
    place.file("bin/data", "");
    fs::create_dir(place.at("bin/folder")).expect("made");
    let at = |name: &str| place.at(name).display().to_string();
    let data = at("bin/data");
    for (command, status, expected) in [
        (
            "nonesuch",
            127,
            "nonesuch: not found in PATH; check the name, or install the package that brings it".to_owned(),
        ),
        ("/nonexistent/x", 127, "/nonexistent/x: not found; check the path".to_owned()),
        ("", 127, "the command is empty; usage: uwt [OPTIONS] [--] COMMAND [ARGS…]".to_owned()),
        ("data", 126, format!("{data}: permission denied; is it executable? (`ls -l {data}`)")),
        (&data, 126, format!("{data}: permission denied; is it executable? (`ls -l {data}`)")),
        (&at("bin/folder"), 126, format!("{}: is a folder; name a program", at("bin/folder"))),
    ] {
        assert_eq!(run(&mut place.uwt(&[command])).failed_with(status), expected, "{command}");
    }
}

#[test]
fn a_script_without_interpreter_is_the_shell_s() {
    let place = Place::new();
    let script = place.program("bin/plain", "echo \"$0 $*\"\n").display().to_string();
    assert_eq!(run(&mut place.uwt(&["plain", "a b", "-c"])).succeeded(), format!("{script} a b -c\n"));
    let command = format!("cd '{}' && exec \"$0\" ./plain x", place.at("bin").display());
    let uwt = bin_dir().join("uwt").display().to_string();
    assert_eq!(run(place.command("sh").args(["-c", &command, &uwt])).succeeded(), "./plain x\n");
}

#[test]
fn what_would_run_unprotected_is_not_run() {
    let place = Place::new();
    // uwt is static; under another name it is a program like any other.
    let static_program = place.copy("bin/static", bin_dir().join("uwt"));
    let shown = static_program.display().to_string();
    let message =
        format!("{shown} is statically linked and would run unprotected; not run (use a dynamic build of it)");
    let unguarded = |program: &str| run(&mut place.uwt(&["--guard=off", program]));
    assert_eq!(unguarded("static").failed_with(126), message);
    place.program("bin/by-static", format!("#!{shown}\n"));
    assert_eq!(unguarded("by-static").failed_with(126), message);

    let mut foreign = fs::read("/bin/true").expect("readable");
    foreign[18] ^= 0x55;
    let foreign = place.program("bin/foreign", foreign);
    let ran = unguarded("foreign");
    assert!(ran.failed_with(126).starts_with(&format!("{} is of another architecture", foreign.display())), "{ran:?}");

    place.program("bin/orphan", "#!/nonexistent/perl\n");
    let ran = run(&mut place.uwt(&["orphan"]));
    assert!(ran.failed_with(127).starts_with("/nonexistent/perl: not found"), "{ran:?}");

    // Trusted, it runs: it is a wrapper without an original then, and says so itself.
    place.configure(&format!("trusted = [\"{shown}\"]\n"));
    let ran = unguarded("static");
    assert!(ran.failed_with(127).starts_with(&format!("{shown}.anondist-orig: not found")), "{ran:?}");
    let ran = unguarded("by-static");
    assert!(ran.failed_with(127).starts_with(&format!("{shown}.anondist-orig: not found")), "{ran:?}");
}

#[test]
fn under_a_guard_everything_runs() {
    let place = Place::new();
    // busybox is static; what is of another architecture only the kernel can refuse now.
    place.copy("bin/busybox", "/usr/bin/busybox");
    place.program("bin/by-static", format!("#!{} sh\necho \"$0\"\n", place.at("bin/busybox").display()));
    let mut foreign = fs::read("/bin/true").expect("readable");
    foreign[18] ^= 0x55;
    place.program("bin/foreign", foreign);
    for level in ["tunnel", "deny"] {
        let guarded = |arguments: &[&str]| run(&mut place.uwt(&[&["--guard", level], arguments].concat()));
        assert_eq!(guarded(&["busybox", "echo", "ran"]).succeeded(), "ran\n");
        assert_eq!(guarded(&["by-static"]).succeeded(), format!("{}\n", place.at("bin/by-static").display()));
        let ran = guarded(&["foreign"]);
        assert!(ran.failed_with(126).contains("foreign: Exec format error; not run"), "{ran:?}");
        // A missing interpreter is missing for everybody.
        place.program("bin/orphan", "#!/nonexistent/perl\n");
        assert_eq!(guarded(&["orphan"]).status, 127);
    }
}

#[test]
fn set_user_id_programs_are_not_run_without_a_guard() {
    let place = Place::new();
    let program = set_user_id(&place);
    let ran = run(&mut place.uwt(&["--guard=off", program.to_str().expect("UTF-8")]));
    let expected = format!("{} is set-user-ID or set-group-ID and would run unprotected; not run", program.display());
    assert!(ran.failed_with(126).starts_with(&expected), "{ran:?}");
}

/// A program that would change the user: as root one of nobody's, else one of the system's.
fn set_user_id(place: &Place) -> PathBuf {
    let own = fs::metadata(place.at("bin")).expect("there").uid();
    if own == 0 {
        let program = place.copy("bin/as-nobody", "/bin/true");
        chown(&program, Some(65534), Some(65534)).expect("root may");
        fs::set_permissions(&program, Permissions::from_mode(0o4755)).expect("set");
        return program;
    }
    let mut known =
        ["/usr/bin/su", "/usr/bin/passwd", "/usr/bin/mount", "/usr/bin/chsh"].map(PathBuf::from).into_iter();
    known
        .find(|path| fs::metadata(path).is_ok_and(|status| status.mode() & 0o4000 != 0))
        .expect("this machine has a set-user-ID program: su, passwd, mount or chsh")
}

//! The guard's level: what is asked for, what is had, and what is said about it.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::place::{Place, Ran, bin_dir, run, word};

/// What proc_pid_status(5) says about the filters of a program: how many, and whether it can still gain privileges.
#[derive(Debug, PartialEq, Eq)]
struct Filters {
    count: u32,
    no_new_privileges: u32,
}

const SHOW: [&str; 3] = ["grep", "-E", "^(NoNewPrivs|Seccomp_filters):"];

fn filters(ran: &Ran) -> Filters {
    let field = |name: &str| {
        let line = ran.succeeded().lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.trim().parse().ok()).unwrap_or_else(|| panic!("{name} {ran:?}"))
    };
    Filters { count: field("Seccomp_filters:"), no_new_privileges: field("NoNewPrivs:") }
}

/// The word for the guard in the session, and the program's filters.
fn guarded(place: &Place, options: &[&str]) -> (String, Filters) {
    let session = run(&mut place.uwt(&[options, &["printenv", "UWT_SESSION"]].concat()));
    let shown = run(&mut place.uwt(&[options, &SHOW, &["/proc/self/status"]].concat()));
    (word(session.succeeded(), "guard").to_owned(), filters(&shown))
}

/// The line of `--explain` about the guard: the level and why.
fn explained(ran: &Ran) -> (String, String) {
    let line = ran.succeeded().lines().find(|line| line.starts_with("guard ")).expect("said").to_owned();
    let mut words = line.split("  ").map(str::trim).filter(|word| !word.is_empty()).skip(1);
    let mut next = || words.next().unwrap_or_default().to_owned();
    (next(), next())
}

fn bare(place: &Place) -> Filters {
    filters(&run(place.command(SHOW[0]).args(&SHOW[1..]).arg("/proc/self/status")))
}

#[test]
fn every_level() {
    let place = Place::new();
    let bare = bare(&place);
    for (options, level, filters) in [
        (&[][..], "tunnel", 1),
        (&["--guard", "auto"], "tunnel", 1),
        (&["--guard=tunnel"], "tunnel", 1),
        (&["--guard=deny"], "deny", 1),
        (&["--guard=off"], "off", 0),
    ] {
        let (word, found) = guarded(&place, options);
        assert_eq!(found.count, bare.count + filters, "{options:?}");
        match word.split_once(':') {
            Some((word, secret)) => assert_eq!((word, secret.len()), (level, 64)),
            None => assert_eq!((word.as_str(), level), ("off", "off")),
        }
        let why = match options {
            [] => "auto, built-in",
            ["--guard", "auto"] => "auto, --guard",
            _ => "--guard",
        };
        let ran = run(&mut place.uwt(&[options, &["--explain", "true"]].concat()));
        assert_eq!(explained(&ran), (level.to_owned(), why.to_owned()));
        let said = run(&mut place.uwt(&[options, &["-v", "true"]].concat()));
        assert_eq!(said.status, 0, "{said:?}");
        assert!(said.err.contains(&format!("uwt: guard {level} ({why})\n")), "{said:?}");
        assert!(word == "off" || !said.err.contains(&word), "the secret is not said");
    }
    let [(one, _), (other, _)] = [guarded(&place, &[]), guarded(&place, &[])];
    assert_ne!(one, other, "every tree has a secret of its own");
}

#[test]
fn the_configuration_chooses_for_all_and_for_single_commands() {
    let place = Place::new();
    place.configure("guard = \"deny\"\n[command.printenv]\nguard = \"off\"\n");
    let file = place.at("etc/50_test.toml").display().to_string();
    let explain = |options: &[&str]| explained(&run(&mut place.uwt(&[&["--explain"], options].concat())));
    assert_eq!(explain(&["true"]), ("deny".to_owned(), format!("{file}:1")));
    assert_eq!(explain(&["printenv"]), ("off".to_owned(), format!("{file}:3")));
    assert_eq!(explain(&["--guard=tunnel", "printenv"]), ("tunnel".to_owned(), "--guard".to_owned()));
    let session = run(&mut place.uwt(&["printenv", "UWT_SESSION"]));
    assert_eq!(word(session.succeeded(), "guard"), "off");
    let session = run(&mut place.uwt(&["sh", "-c", "printenv UWT_SESSION"]));
    assert!(word(session.succeeded(), "guard").starts_with("deny:"));
}

/// A user who is root in a namespace of their own, in which no more networks can be had.
fn without_networks(place: &Place, arguments: &[&str]) -> Ran {
    let script = "echo 0 > /proc/sys/user/max_net_namespaces && exec \"$@\"";
    let mut command = place.command("unshare");
    command.args(["-Ur", "sh", "-c", script, "sh"]).arg(bin_dir().join("uwt")).args(arguments);
    run(&mut command)
}

#[test]
fn where_no_cage_can_be_had() {
    let place = Place::new();
    let reason = "user.max_net_namespaces is 0 (`sysctl -w user.max_net_namespaces=10000` allows it)";
    // What was found out elsewhere does not count here, nor the other way round.
    run(&mut place.uwt(&["true"])).succeeded();
    let found = explained(&without_networks(&place, &["--explain", "true"]));
    assert_eq!(found, ("deny".to_owned(), format!("auto, built-in: no tunnel: {reason}")));
    let session = without_networks(&place, &["printenv", "UWT_SESSION"]);
    assert!(word(session.succeeded(), "guard").starts_with("deny:"));
    let said = without_networks(&place, &["-v", "true"]);
    assert!(said.err.contains(&format!("uwt: guard deny (auto, built-in: no tunnel: {reason})\n")), "{said:?}");
    without_networks(&place, &["--guard=deny", "true"]).succeeded();

    let marker = place.at("marker").display().to_string();
    let expected = |origin: &str| format!("guard \"tunnel\" ({origin}): {reason}; nothing was run (or use \"deny\"");
    let refused = without_networks(&place, &["--guard=tunnel", "touch", &marker]);
    assert!(refused.failed_with(125).starts_with(&expected("--guard")), "{refused:?}");
    place.configure("guard = \"tunnel\"\n");
    let refused = without_networks(&place, &["touch", &marker]);
    let origin = format!("{}:1", place.at("etc/50_test.toml").display());
    assert!(refused.failed_with(125).starts_with(&expected(&origin)), "{refused:?}");
    assert!(!place.at("marker").exists());
    assert_eq!(explained(&run(&mut place.uwt(&["--explain", "true"]))).0, "tunnel");
}

#[test]
fn what_was_found_out_is_kept_and_not_believed_blindly() {
    let place = Place::new();
    let kept = place.at("run/uwt/guard");
    let level = || explained(&run(&mut place.uwt(&["--explain", "true"])));
    run(&mut place.uwt(&["--guard=off", "true"])).succeeded();
    assert!(!kept.exists(), "without need nothing is tried out");
    assert_eq!(level().0, "tunnel");
    let good = fs::read_to_string(&kept).expect("kept");
    assert_eq!(fs::metadata(&kept).expect("there").mode() & 0o7777, 0o600);
    // What is there is used; another file only where it is sound and about this machine.
    let (key, _) = good.split_once('\n').expect("several lines");
    fs::write(&kept, format!("{key}\nyes\nno room (says a test)\n")).expect("written");
    assert_eq!(level(), ("deny".to_owned(), "auto, built-in: no tunnel: no room (says a test)".to_owned()));
    for bad in [format!("another {good}"), format!("{key}\nyes\n"), String::new(), "\0".repeat(5000)] {
        fs::write(&kept, bad).expect("written");
        assert_eq!(level().0, "tunnel");
        assert_eq!(fs::read_to_string(&kept).expect("there"), good, "replaced");
    }
    // Another version may know how to do more.
    let other = place.copy("bin/uwt", bin_dir().join("uwt"));
    place.copy("bin/libuwt_preload.so", bin_dir().join("libuwt_preload.so"));
    run(place.command(other).arg("true")).succeeded();
    assert_ne!(fs::read_to_string(&kept).expect("there"), good);
    fs::remove_file(&kept).expect("removed");
    place.link("run/uwt/guard", "/dev/zero");
    assert_eq!(level().0, "tunnel");
    fs::remove_dir_all(place.at("run/uwt")).expect("removed");
    // Without a folder to keep it in.
    place.file("run/uwt", "");
    assert_eq!(level().0, "tunnel");
}

/// Somebody who is not root: nobody, or whoever runs the tests.
const NOBODY: u32 = 65534;

fn as_nobody(command: &mut Command) -> Ran {
    if fs::metadata("/proc/self").expect("there is /proc").uid() == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
    run(command)
}

#[test]
fn an_ordinary_user_gives_up_new_privileges_and_root_does_not() {
    let place = Place::new();
    // The build folder may be closed to others.
    let uwt = place.copy("bin/uwt", bin_dir().join("uwt"));
    place.copy("bin/libuwt_preload.so", bin_dir().join("libuwt_preload.so"));
    let show = |level: &str| {
        let mut command = place.command(&uwt);
        command.arg(format!("--guard={level}")).args(SHOW).arg("/proc/self/status");
        filters(&as_nobody(&mut command))
    };
    let bare = bare(&place).count;
    for level in ["tunnel", "deny"] {
        assert_eq!(show(level), Filters { count: bare + 1, no_new_privileges: 1 }, "{level}");
    }
    assert_eq!(show("off"), Filters { count: bare, no_new_privileges: 0 });
    let mut known = ["/usr/bin/su", "/usr/bin/passwd", "/usr/bin/mount", "/usr/bin/chsh"].into_iter();
    let set_user_id = known.find(|path| fs::metadata(path).is_ok_and(|status| status.mode() & 0o4000 != 0));
    let set_user_id = set_user_id.expect("this machine has a set-user-ID program: su, passwd, mount or chsh");
    let expected = |what: &str| format!("{set_user_id} {what}");
    let outside = as_nobody(place.command(&uwt).args([set_user_id, "--version"]));
    assert!(outside.failed_with(126).starts_with(&expected("is set-user-ID")), "{outside:?}");
    assert!(outside.err.contains("an ordinary user's guard takes away; not run"), "{outside:?}");
    // The kernel remembers it for nested calls.
    let nested = as_nobody(place.command(&uwt).arg(&uwt).args([set_user_id, "--version"]));
    assert_eq!(nested.failed_with(126), outside.failed_with(126));
    let unguarded = as_nobody(place.command(&uwt).args(["--guard=off", set_user_id, "--version"]));
    assert!(unguarded.failed_with(126).contains("would run unprotected"), "{unguarded:?}");
    if fs::metadata("/proc/self").expect("there is /proc").uid() == 0 {
        assert_eq!(filters(&run(place.uwt(&SHOW).arg("/proc/self/status"))).no_new_privileges, 0);
    }
}

#[test]
fn the_program_has_no_children_it_does_not_know() {
    let place = Place::new();
    for level in ["tunnel", "deny"] {
        let ran = run(&mut place.uwt(&[
            &format!("--guard={level}"),
            "sh",
            "-c",
            "read a < /proc/$$/task/$$/children; echo $a",
        ]));
        assert_eq!(ran.succeeded(), "\n", "{level}");
    }
}

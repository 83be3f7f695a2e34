//! Configuration as users meet it: what a file changes, and that a bad one stops everything.

#[path = "launcher/place.rs"]
mod place;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;

use place::{Place, bin_dir, run, word};

/// Everything a bad file must stop: the direct call, the wrapper, and both where uwt is switched off.
fn refused(place: &Place) -> String {
    let marker = place.at("marker");
    let mut said = Vec::new();
    for variable in ["A=1", "UWT_DEV_PASSTHROUGH=1"] {
        let path = marker.to_str().expect("UTF-8");
        for ran in [
            place.uwt_with(&[variable], &["touch", path]),
            place.uwt_with(&[variable], &["--explain", "touch", path]),
            place.run_with(&[variable], "prog", &[path]),
        ] {
            said.push(ran.failed_with(125).to_owned());
        }
    }
    assert!(!marker.exists(), "nothing runs: {said:?}");
    said.dedup();
    assert_eq!(said.len(), 1, "always the same: {said:?}");
    said.remove(0)
}

fn place() -> Place {
    let place = Place::new();
    place.wrap("prog", "/bin/touch");
    place
}

#[test]
fn a_bad_file_runs_nothing_and_is_named_with_its_line() {
    let place = place();
    for (content, line, expected) in [
        ("port = 9050\nprot = 1\n", 2, "did you mean"),
        ("port = 0\n", 1, "expected"),
        ("port = 65536\n", 1, "expected"),
        ("port = \"9050\"\n", 1, "expected"),
        ("gateway = \"::1\"\n", 1, "IPv6"),
        ("gateway = \"tor.example\"\n", 1, "expected"),
        ("gateway = \"unix:/run/tor/socks\"\n", 1, "unix socket"),
        ("\n\nscope = \"proces\"\n", 3, "process"),
        ("dns = \"system\"\n", 1, "names"),
        ("guard = \"denny\"\n", 1, "did you mean 'deny'?"),
        ("[command.prog]\nguard = true\n", 2, "tunnel"),
        ("enabled = \"no\"\n", 1, "expected"),
        ("max_nested = -1\n", 1, "expected"),
        ("trusted = [\"ldconfig\"]\n", 1, "absolute"),
        ("[command.curl]\nenabled = fals\n", 2, "expected"),
        ("[command.curl]\nspeed = 1\n", 2, "speed"),
        ("[comand.curl]\nenabled = true\n", 1, "did you mean"),
        ("port = 1\nport = 2\n", 2, "expected"),
        ("port = \n", 1, "expected"),
        ("\u{1b}[2J = 1\n", 1, "expected"),
    ] {
        place.configure(content);
        let said = refused(&place);
        let file = format!("{}:{line}: ", place.at("etc/50_test.toml").display());
        assert!(said.starts_with(&file), "{content:?}: {said}");
        assert!(said.contains(expected), "{content:?}: {said}");
        assert!(said.ends_with("(nothing was run)") && !said.contains('\u{1b}'), "{content:?}: {said}");
    }
}

#[test]
fn a_bad_legacy_file_too() {
    let place = place();
    for (content, line) in [
        ("uwtwrapper_global=\"1\"\nrm -rf /tmp/x\n", 2),
        ("uwtwrapper_global=\"$(id)\"\n", 1),
        ("uwtwrapper[\"/usr/bin/git\"]=\"maybe\"\n", 1),
        ("source /etc/other\n", 1),
        ("nested_protection() {\nfalse\n}\n", 2),
        ("uwtwrapper_max=many\n", 1),
    ] {
        place.file("etc/50_user.conf", content);
        let said = refused(&place);
        let file = format!("{}:", place.at("etc/50_user.conf").display());
        let at: Option<usize> = said.strip_prefix(&file).and_then(|rest| rest.split(':').next()?.parse().ok());
        assert!(at.is_some_and(|at| at == line || content.starts_with("nested") && at <= line), "{content:?}: {said}");
    }
}

#[test]
fn what_cannot_be_read_runs_nothing() {
    let place = place();
    place.link("etc/60_dangling.toml", "nowhere");
    assert!(refused(&place).starts_with(&place.at("etc/60_dangling.toml").display().to_string()));
    fs::remove_file(place.at("etc/60_dangling.toml")).expect("removed");
    fs::create_dir(place.at("etc/60_folder.conf")).expect("made");
    assert!(refused(&place).starts_with(&place.at("etc/60_folder.conf").display().to_string()));
    fs::remove_dir(place.at("etc/60_folder.conf")).expect("removed");
    place.file("etc/60_bytes.toml", b"port = 9050 # \xff\n");
    assert!(refused(&place).starts_with(&place.at("etc/60_bytes.toml").display().to_string()));
}

fn session(place: &Place, variables: &[&str]) -> String {
    place.uwt_with(variables, &["printenv", "UWT_SESSION"]).succeeded().to_owned()
}

#[test]
fn files_are_merged_in_order() {
    let place = Place::new();
    place.file("etc/10_a.toml", "gateway = \"10.0.0.1\"\nport = 9001\ndns = \"resolve\"\n");
    place.file("etc/20_b.toml", "port = 9002\n[command.printenv]\nscope = \"invocation\"\n");
    fs::create_dir(place.at("later")).expect("made");
    place.file("later/00_c.toml", "gateway = \"10.0.0.3\"\n");
    place.file("later/notes.txt", "this is no configuration");
    let one = session(&place, &[]);
    assert_eq!((word(&one, "gateway"), word(&one, "dns")), ("10.0.0.1:9002", "resolve"));
    assert_eq!(word(&one, "scope"), "invocation");
    let folders = format!("UWT_CONFIG_PATH={}:{}", place.at("etc").display(), place.at("later").display());
    assert_eq!(word(&session(&place, &[&folders]), "gateway"), "10.0.0.3:9002");
    let other_order = format!("UWT_CONFIG_PATH={}:{}", place.at("later").display(), place.at("etc").display());
    assert_eq!(word(&session(&place, &[&other_order]), "gateway"), "10.0.0.1:9002");
    let asked = run(&mut place.uwt(&["-p", "9003", "--dns", "names", "printenv", "UWT_SESSION"]));
    assert_eq!((word(asked.succeeded(), "gateway"), word(&asked.out, "dns")), ("10.0.0.1:9003", "names"));
}

#[test]
fn the_legacy_subset_counts() {
    let place = Place::new();
    place.wrap("prog", "/usr/bin/printenv");
    let path = place.at("bin/prog").display().to_string();
    place.file(
        "etc/50_user.conf",
        format!("uwtwrapper_global=\"0\"\nuwtwrapper[\"{path}\"]=\"1\"\nuwtport[\"{path}\"]=\"9104\"\n"),
    );
    let wrapped = run(place.command("prog").arg("UWT_SESSION"));
    assert!(word(wrapped.succeeded(), "gateway").ends_with(":9104"));
    assert_eq!(place.uwt_with(&[], &["printenv", "UWT_SESSION"]).status, 1, "all others are off");
}

#[test]
fn other_folders_are_absolute() {
    let place = place();
    let ran = place.uwt_with(&["UWT_CONFIG_PATH=/nonexistent:etc"], &["true"]);
    assert_eq!(
        ran.failed_with(125),
        "UWT_CONFIG_PATH: 'etc' is no absolute path; expected absolute ones, or the variable unset (nothing was run)"
    );
    place.uwt_with(&["UWT_CONFIG_PATH=/nonexistent"], &["true"]).succeeded();
}

#[test]
fn tables_are_found_by_name_and_by_path() {
    let place = Place::new();
    let tool = place.program("bin/tool", "#!/bin/sh\nexec printenv UWT_SESSION\n").display().to_string();
    place.link("bin/alias", "tool");
    let port = |typed: &str| {
        let ran = run(&mut place.uwt(&[typed]));
        word(ran.succeeded(), "gateway").rsplit(':').next().expect("a port").to_owned()
    };
    let alias = place.at("bin/alias").display().to_string();
    for (table, by_tool, by_alias) in [
        ("tool", "9222", "9222"),
        ("alias", "9050", "9222"),
        (&format!("\"{tool}\""), "9222", "9222"),
        (&format!("\"{alias}\""), "9050", "9222"),
        ("other", "9050", "9050"),
    ] {
        place.configure(&format!("[command.{table}]\nport = 9222\n"));
        assert_eq!((port("tool").as_str(), port(&tool).as_str()), (by_tool, by_tool), "{table}");
        assert_eq!((port("alias").as_str(), port(&alias).as_str()), (by_alias, by_alias), "{table}");
    }
}

/// Somebody who is not root: nobody, or whoever runs the tests.
const NOBODY: u32 = 65534;

#[test]
fn the_user_s_own_folder_counts_for_its_owner() {
    let place = Place::new();
    // The build folder may be closed to others.
    let uwt = place.copy("bin/uwt", bin_dir().join("uwt"));
    place.copy("bin/libuwt_preload.so", bin_dir().join("libuwt_preload.so"));
    fs::create_dir_all(place.at(".config/uwt")).expect("made");
    place.file(".config/uwt/50_mine.toml", "port = 9333\n");
    let root = fs::metadata(place.at("bin")).expect("there").uid() == 0;
    let folder = place.at(".config/uwt");
    let port = |user: Option<u32>| {
        let mut command = place.command(&uwt);
        command.args(["printenv", "UWT_SESSION"]);
        if let Some(user) = user {
            command.uid(user).gid(user);
        }
        let ran = run(&mut command);
        word(ran.succeeded(), "gateway").rsplit(':').next().expect("a port").to_owned()
    };
    if !root {
        assert_eq!(port(None), "9333");
        return;
    }
    assert_eq!(port(None), "9050", "root reads no user's folder");
    assert_eq!(port(Some(NOBODY)), "9333", "root may set up a user's");
    chown(&folder, Some(NOBODY), None).expect("root may");
    assert_eq!(port(Some(NOBODY)), "9333");
    chown(&folder, Some(NOBODY - 1), None).expect("root may");
    assert_eq!(port(Some(NOBODY)), "9050", "somebody else's");
}

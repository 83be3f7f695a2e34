//! The user's secret: what calls of the same identity, or of the same program, have in common.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Child, Stdio};

use crate::place::{Place, run, word};

fn secret(place: &Place, options: &[&str]) -> String {
    let arguments: Vec<&str> = options.iter().copied().chain(["printenv", "UWT_SESSION"]).collect();
    word(run(&mut place.uwt(&arguments)).succeeded(), "secret").to_owned()
}

#[test]
fn racing_calls_agree() {
    let place = Place::new();
    // An older boot's, which all of them want to replace.
    fs::create_dir(place.at("run/uwt")).expect("made");
    fs::set_permissions(place.at("run/uwt"), Permissions::from_mode(0o700)).expect("set");
    let old = place.file("run/uwt/secret", format!("00000000-0000-0000-0000-000000000000 {}\n", "5a".repeat(32)));
    fs::set_permissions(old, Permissions::from_mode(0o600)).expect("set");
    let children: Vec<Child> = (0..12)
        .map(|_| {
            let mut command = place.uwt(&["--identity", "work", "printenv", "UWT_SESSION"]);
            command.stdout(Stdio::piped()).spawn().expect("starts")
        })
        .collect();
    let secrets: Vec<String> = children
        .into_iter()
        .map(|child| String::from_utf8(child.wait_with_output().expect("ends").stdout).expect("UTF-8"))
        .map(|session| word(&session, "secret").to_owned())
        .collect();
    assert!(secrets.iter().all(|other| *other == secrets[0]), "{secrets:?}");
    assert_eq!(secret(&place, &["--identity", "work"]), secrets[0], "and later ones");
}

#[test]
fn who_shares_what() {
    let place = Place::new();
    let work = secret(&place, &["--identity", "work"]);
    let home = secret(&place, &["--identity", "home"]);
    let command = secret(&place, &["--isolate", "command"]);
    assert_eq!(secret(&place, &["--identity", "work"]), work);
    assert_eq!(secret(&place, &["--isolate", "command"]), command);
    assert!(work != home && work != command && home != command);
    place.configure("[command.printenv]\nidentity = \"work\"\n");
    assert_eq!(secret(&place, &[]), work, "from the configuration");
    let kept = fs::read_to_string(place.at("run/uwt/secret")).expect("readable");
    assert!(!kept.contains(&work), "identities are derived");
    for (path, mode) in [("run/uwt", 0o700), ("run/uwt/secret", 0o600)] {
        assert_eq!(fs::metadata(place.at(path)).expect("there").mode() & 0o7777, mode, "{path}");
    }
}

#[test]
fn no_file_is_made_without_need() {
    let place = Place::new();
    secret(&place, &[]);
    secret(&place, &["--isolate", "invocation"]);
    run(&mut place.uwt(&["--identity", "work", "--explain", "true"])).succeeded();
    assert!(!place.at("run/uwt/secret").exists());
}

#[test]
fn a_secret_that_others_could_know_is_refused() {
    let place = Place::new();
    let marker = place.at("marker");
    let path = place.at("run/uwt/secret");
    let shown = path.display().to_string();
    let refused = |cause: &str, named: &str| {
        let ran = run(place.uwt(&["--identity", "work", "touch"]).arg(&marker));
        assert_eq!(ran.failed_with(125), format!("{named}: {cause}; remove {named}, the next call makes a new one"));
        assert!(!marker.exists());
    };
    secret(&place, &["--identity", "work"]);
    fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("set");
    refused("is open to others", &shown);
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("set");
    fs::write(&path, "not a secret\n").expect("written");
    refused("is malformed", &shown);
    fs::remove_file(&path).expect("removed");
    place.link("run/uwt/secret", "/dev/zero");
    refused("is a symbolic link", &shown);
    fs::remove_file(&path).expect("removed");
    let folder = place.at("run/uwt");
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).expect("set");
    refused("is open to others", &folder.display().to_string());
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).expect("set");
    run(place.uwt(&["--identity", "work", "touch"]).arg(&marker)).succeeded();
    assert!(marker.exists());
}

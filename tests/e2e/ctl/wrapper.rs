//! `uwtctl wrapper`, without Debian's packages: what it makes of links, of what dpkg says, and of the configuration.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::place::Place;
use crate::program::{ran, wide};
use crate::schema::json;

/// What the launcher says of a command of the place.
fn explained(place: &Place, command: &str) -> String {
    place.uwt_with(&[], &["--explain", command]).succeeded().to_owned()
}

#[test]
fn commands_are_switched_off_and_on() {
    let place = Place::new();
    place.wrap("prog", "/bin/true");
    let drop_in = place.at("etc/90_uwtctl.toml");
    let off = ran(&place, &["wrapper", "disable", "prog"]);
    let text = fs::read_to_string(&drop_in).expect("it was written");
    assert!(text.ends_with("\n\n[command.prog]\nenabled = false\n"), "{text}");
    assert!(off.succeeded().starts_with("Written to ") && off.out.contains(&text), "{off:?}");
    assert!(explained(&place, "prog").contains(&format!("enabled = false, {}:4", drop_in.display())));
    assert_eq!(fs::metadata(&drop_in).expect("there").permissions().mode() & 0o7777, 0o644);

    let again = ran(&place, &["wrapper", "disable", "prog.anondist"]);
    assert!(again.succeeded().starts_with("Nothing to write"), "{again:?}");
    assert_eq!(fs::read_to_string(&drop_in).expect("there"), text);

    let (on, document) = json(&place, &["wrapper", "enable", "prog", "prog"]);
    assert_eq!((on.status, &document["written"], &document["file"]), (0, &json!(true), &json!(drop_in)), "{on:?}");
    let key =
        json!({"command": "prog", "key": "enabled", "value": true, "holds": true, "instead": null, "instead_by": null});
    assert_eq!(document["keys"], json!([key]));
    assert!(!explained(&place, "prog").contains("enabled = false"));
    assert_eq!(fs::read_to_string(&drop_in).expect("there"), text.replace("false", "true"));
}

#[test]
fn what_others_have_written_stays() {
    let place = Place::new();
    let theirs = "# mine\nport = 9100 # why\n\n[command.prog] # a\nenabled = true # b\nidentity = \"c\"\n# d\n";
    let drop_in = place.file("etc/90_uwtctl.toml", theirs);
    ran(&place, &["wrapper", "disable", "prog", "/usr/bin/env"]).succeeded();
    let expected =
        theirs.replace("enabled = true", "enabled = false") + "\n[command.\"/usr/bin/env\"]\nenabled = false\n";
    assert_eq!(fs::read_to_string(drop_in).expect("there"), expected);
}

#[test]
fn without_effect_is_no_success() {
    let place = Place::new();
    let later = place.file("etc/95_later.toml", "\n[command.prog]\nenabled = true\n");
    for (dry_run, written) in [(&["--dry-run"][..], false), (&[], true)] {
        let arguments = [&["wrapper", "disable", "prog"], dry_run].concat();
        let (off, document) = json(&place, &arguments);
        assert_eq!((off.status, &document["written"]), (1, &json!(written)), "{off:?}");
        assert_eq!(document["keys"][0]["instead_by"], format!("{}:3", later.display()));
        assert_eq!(place.at("etc/90_uwtctl.toml").exists(), written);
        let text = ran(&place, &arguments);
        assert_eq!((text.status, text.err.as_str()), (1, ""), "{text:?}");
        assert!(text.out.contains("But for prog enabled = true holds"), "{text:?}");
        assert!(text.out.contains("There is no program prog here;"), "{text:?}");
    }
}

#[test]
fn what_is_not_understood_is_not_written_to() {
    let place = Place::new();
    for (name, content, place_of_fault) in [
        ("90_uwtctl.toml", "[command.prog\n", "90_uwtctl.toml:1:"),
        ("90_uwtctl.toml", "a = 1\na = 2\n", "90_uwtctl.toml:2:"),
        ("90_uwtctl.toml", "\ngatevay = \"10.0.0.1\"\n", "90_uwtctl.toml:2:"),
        ("20_first.toml", "port = 0\n", "20_first.toml:1:"),
    ] {
        let file = place.file(&format!("etc/{name}"), content);
        let refused = ran(&place, &["wrapper", "disable", "prog"]);
        assert_eq!((refused.status, refused.out.as_str()), (2, ""), "{refused:?}");
        let said = refused.err.replace("\n ", "");
        assert!(said.contains(place_of_fault) && said.contains("nothing was written"), "{said}");
        assert_eq!(fs::read_to_string(&file).expect("there"), content);
        assert_eq!(fs::read_dir(place.at("etc")).expect("a folder").count(), 1, "nothing new");
        fs::remove_file(file).expect("removed");
    }
}

/// Who runs the tests is root, or is not; both get an answer.
#[test]
fn for_whom() {
    let place = Place::new();
    let is_root = nix::unistd::geteuid().is_root();
    let own = ran(&place, &["wrapper", "disable", "--user", "prog"]);
    if is_root {
        assert_eq!((own.status, own.out.as_str()), (2, ""), "{own:?}");
        assert!(own.err.replace("\n ", "").contains("leave --user out"), "{own:?}");
    } else {
        assert!(own.succeeded().contains(".config/uwt/90_uwtctl.toml"), "{own:?}");
    }
    // A user who is not root, in a home of their own.
    let (user, home) = if is_root { (1234, "home") } else { (nix::unistd::geteuid().as_raw(), "home") };
    fs::create_dir(place.at(home)).expect("made");
    fs::set_permissions(place.at(home), Permissions::from_mode(0o777)).expect("set");
    let as_user = |arguments: &[&str]| {
        let program = crate::place::bin_dir().join("uwtctl");
        let home = format!("HOME={}", place.at(home).display());
        let (user, setpriv) = (user.to_string(), ["--reuid", "--regid", "--clear-groups"]);
        let become_user = ["setpriv", setpriv[0], &user, setpriv[1], &user, setpriv[2]];
        let become_user = if is_root { &become_user[..] } else { &[] };
        let mut words = vec![home.as_str()];
        words.extend(become_user);
        let program = program.display().to_string();
        words.push(&program);
        words.extend(arguments);
        place.run_with(&[], "/usr/bin/env", &words)
    };
    if is_root {
        let refused = as_user(&["wrapper", "disable", "prog"]);
        assert_eq!((refused.status, refused.out.as_str()), (2, ""), "{refused:?}");
        assert!(refused.err.replace("\n ", "").contains("run it as root, or with --user"), "{refused:?}");
        assert!(wide(&refused.err).is_empty(), "{refused:?}");
    }
    as_user(&["wrapper", "disable", "--user", "prog"]).succeeded();
    let written = fs::read_to_string(place.at("home/.config/uwt/90_uwtctl.toml")).expect("written");
    assert!(written.contains("[command.prog]\nenabled = false\n"), "{written}");
}

/// Programs of dpkg that say this about the place's commands; a `~` stands for the place's folder of commands.
fn fake_dpkg(place: &Place, diversions: &str, packages: &str) {
    let bin = place.at("bin").display().to_string();
    let script = |text: &str| format!("#!/bin/sh\ncat <<'END'\n{}END\n", text.replace('~', &bin));
    place.program("bin/dpkg-divert", script(diversions));
    place.program("bin/dpkg-query", script(packages));
}

/// The entry of a command.
fn entry<'a>(document: &'a Value, name: &str) -> &'a Value {
    let commands = document["commands"].as_array().expect("a list");
    commands.iter().find(|command| command["name"] == name).unwrap_or_else(|| panic!("{name} in {document:#}"))
}

#[test]
fn every_state_is_told() {
    let place = Place::new();
    for name in ["good", "off", "lost", "gone", "bare", "elsewhere", "replaced", "dangling"] {
        place.wrap(name, "/bin/true");
    }
    for path in ["lost.anondist-orig", "gone.anondist-orig", "replaced", "dangling.anondist"] {
        fs::remove_file(place.at("bin").join(path)).expect("removed");
    }
    place.copy("bin/replaced", "/bin/true");
    place.copy("bin/plain", "/bin/true");
    place.copy("bin/whonix.anondist", "/bin/true");
    place.copy("bin/whonix.anondist-orig", "/bin/true");
    place.link("bin/whonix", "whonix.anondist");
    place.copy("bin/moved", "/bin/true");
    place.link("bin/alias", "good");
    place.configure("[command.off]\nenabled = false\n");
    let line = |name: &str| format!("diversion of ~/{name} to ~/{name}.anondist-orig by uwt-wrappers\n");
    let diverted = ["good", "off", "lost", "gone", "replaced", "dangling"].map(line).concat();
    let others = "diversion of ~/elsewhere to ~/elsewhere.real by other\nlocal diversion of ~/moved to ~/moved.distrib\n\
                  diversion of ~/whonix to ~/whonix.anondist-orig by uwt\n";
    fake_dpkg(&place, &(diverted + others), "diversion by uwt-wrappers from: ~/good\nkind: ~/good\nlosing: ~/lost\n");

    let names =
        ["good", "off", "lost", "gone", "bare", "elsewhere", "replaced", "dangling", "plain", "whonix", "moved"];
    let (listed, document) = json(&place, &[&["wrapper", "list", "alias", "nonesuch"], &names[..]].concat());
    assert_eq!((listed.status, listed.err.as_str()), (1, ""), "{listed:?}");
    let bin = place.at("bin").canonicalize().expect("there");
    for (name, state, by, why) in [
        ("good", "wrapped", json!("uwt-wrappers"), ""),
        ("alias", "wrapped", json!("uwt-wrappers"), "it leads to ~/good"),
        ("off", "switched-off", json!("uwt-wrappers"), "50_test.toml:2"),
        ("lost", "original-missing", json!("uwt-wrappers"), "losing should have brought it"),
        ("gone", "original-missing", json!("uwt-wrappers"), ""),
        ("bare", "broken", json!(null), "nothing diverts it"),
        ("elsewhere", "broken", json!("other"), "its package's file goes to ~/elsewhere.real"),
        ("replaced", "broken", json!("uwt-wrappers"), "something else has taken the place of the link ~/replaced"),
        ("dangling", "broken", json!("uwt-wrappers"), "~/dangling.anondist is gone"),
        ("plain", "not-wrapped", json!(null), ""),
        ("whonix", "broken", json!("uwt"), "the package uwt has wrapped it, by something else than this uwt"),
        ("moved", "not-wrapped", json!(null), "it is diverted to ~/moved.distrib by the administrator"),
        ("nonesuch", "not-wrapped", json!(null), "there is no such program"),
    ] {
        let found = entry(&document, name);
        assert_eq!((&found["state"], &found["by"]), (&json!(state), &by), "{found:#}");
        let why = why.replace('~', &bin.display().to_string());
        assert!(found["why"].as_str().unwrap_or_default().contains(&why), "{found:#}");
        assert_eq!(found["why"].is_null(), why.is_empty(), "{found:#}");
    }
    assert_eq!(entry(&document, "good")["package"], "kind");
    assert_eq!(document["dpkg"], true);

    for (name, status) in [("good", 0), ("alias", 0), ("gone", 0), ("off", 1), ("lost", 1), ("bare", 1), ("plain", 1)] {
        let listed = ran(&place, &["wrapper", "list", name]);
        assert_eq!((listed.status, listed.err.as_str()), (status, ""), "{name}: {listed:?}");
        assert!(listed.out.starts_with("Command"), "{listed:?}");
    }
    // All that are diverted, whatever else this machine has.
    let all = ran(&place, &["wrapper", "list"]);
    assert_eq!(all.status, 1, "{all:?}");
    for name in ["good ", "off ", "lost ", "replaced ", "whonix "] {
        assert!(all.out.contains(&format!("/bin/{name}")), "{name}: {all:?}");
    }
}

#[test]
fn without_dpkg_what_it_alone_knows_is_unknown() {
    let place = Place::new();
    place.wrap("good", "/bin/true");
    place.copy("bin/plain", "/bin/true");
    let path = format!("PATH={}", place.at("bin").display());
    let program = crate::place::bin_dir().join("uwtctl");
    let here = |arguments: &[&str]| place.run_with(&[&path], &program, arguments);

    let listed = here(&["wrapper", "list", "good"]);
    assert!(listed.succeeded().contains("cannot be known"), "{listed:?}");
    let listed = here(&["--json", "wrapper", "list", "good", "plain"]);
    assert_eq!((listed.status, listed.err.as_str()), (1, ""), "{listed:?}");
    let document: Value = serde_json::from_str(&listed.out).expect("JSON");
    crate::schema::check("wrapper", &document);
    assert_eq!(document["dpkg"], false);
    for (name, state) in [("good", "wrapped"), ("plain", "not-wrapped")] {
        let found = entry(&document, name);
        assert_eq!((&found["state"], &found["by"], &found["package"]), (&json!(state), &json!(null), &json!(null)));
    }
    for wish in ["add", "remove"] {
        let refused = here(&["wrapper", wish, "plain"]);
        assert_eq!((refused.status, refused.out.as_str()), (2, ""), "{refused:?}");
        assert!(refused.err.replace("\n ", "").contains("alias plain='uwt plain'"), "{refused:?}");
    }
}

#[test]
fn what_would_be_done_is_shown() {
    let place = Place::new();
    fake_dpkg(&place, "", "");
    let (shown, document) = json(&place, &["wrapper", "add", "--dry-run", "plain", "bash"]);
    assert_eq!((shown.status, &document["dry_run"]), (2, &json!(true)), "{shown:?}");
    let outcomes: Vec<_> = document["commands"].as_array().expect("a list").iter().map(|it| &it["outcome"]).collect();
    assert_eq!(outcomes, ["refused", "refused"]);
    assert_eq!(document["steps"], json!([]));
    let (shown, document) = json(&place, &["wrapper", "remove", "--dry-run", "plain"]);
    assert_eq!((shown.status, &document["commands"][0]["outcome"]), (0, &json!("already")), "{shown:?}");
}

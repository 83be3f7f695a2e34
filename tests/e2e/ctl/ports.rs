//! `uwtctl ports`.

use std::fs;

use serde_json::{Value, json};

use crate::place::Place;
use crate::program::{ran, wide};
use crate::schema::json;

/// The part of the plan that begins with a port.
fn part(document: &Value, first: u16) -> &Value {
    let plan = document["plan"].as_array().expect("a list");
    plan.iter().find(|part| part["first"] == first).unwrap_or_else(|| panic!("{first} in {document:#}"))
}

#[test]
fn the_plan_and_who_uses_it() {
    let place = Place::new();
    let file = place.file(
        "etc/50_user.toml",
        "[command.git]\nport = 9160\n[command.ssh]\nport = 9400\n[command.gpg]\nport = 9161\nenabled = false\n",
    );
    let (shown, document) = json(&place, &["ports"]);
    assert_eq!((shown.status, &document["findings"]), (0, &json!([])), "{document:#}");
    for (first, last, isolation) in [
        (9050, 9050, json!([])),
        (9102, 9102, json!(["IsolateDestAddr", "IsolateDestPort"])),
        (9150, 9150, json!([])),
        (9153, 9159, json!([])),
        (9160, 9169, json!(["IsolateDestAddr"])),
        (9170, 9179, json!(["IsolateDestPort"])),
        (9180, 9189, json!(["IsolateDestAddr", "IsolateDestPort"])),
    ] {
        let part = part(&document, first);
        assert_eq!((&part["last"], &part["isolation"]), (&json!(last), &isolation));
    }
    let git = json!({"command": "git", "port": 9160, "enabled": true, "file": file, "line": 2});
    let gpg = json!({"command": "gpg", "port": 9161, "enabled": false, "file": file, "line": 6});
    assert_eq!(part(&document, 9160)["commands"], json!([git, gpg]));
    assert_eq!(document["other"][0]["command"], "ssh");
    let text = ran(&place, &["ports"]);
    let text = text.succeeded();
    assert!(wide(text).is_empty(), "{:#?}", wide(text));
    for said in ["Thunderbird", "9160-9169", "git 9160", "gpg 9161", "(disabled)", "Outside of the plan: ssh 9400."] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn what_is_shared_or_somebody_elses_is_a_finding() {
    let place = Place::new();
    place.configure("[command.git]\nport = 9153\n[command.ssh]\nport = 9153\n[command.gpg]\nport = 9150\n");
    let (shown, document) = json(&place, &["ports"]);
    assert_eq!(shown.status, 1);
    let findings = json!([
        {"port": 9150, "commands": ["gpg"], "what": "it is for Tor Browser"},
        {"port": 9153, "commands": ["git", "ssh"], "what": "they share it"},
    ]);
    assert_eq!(document["findings"], findings);
    let text = ran(&place, &["ports"]);
    assert_eq!((text.status, text.err.as_str()), (1, ""));
    assert!(text.out.contains("Port 9153, git, ssh: they share it."), "{}", text.out);
}

#[test]
fn a_port_is_assigned_once_and_read_by_uwt() {
    let place = Place::new();
    place.copy("bin/tool", "/bin/true");
    place.configure("[command.git]\nport = 9153\n");
    let drop_in = place.at("etc/90_uwtctl.toml");

    let (_, would) = json(&place, &["ports", "assign", "tool", "--dry-run"]);
    assert_eq!((&would["port"], &would["outcome"]["written"]), (&json!(9154), &json!(false)));
    assert!(!drop_in.exists());

    let (assigned, document) = json(&place, &["ports", "assign", "tool"]);
    assert_eq!((assigned.status, &document["port"]), (0, &json!(9154)));
    assert_eq!((&document["outcome"]["file"], &document["outcome"]["written"]), (&json!(drop_in), &json!(true)));
    let explained = place.uwt_with(&[], &["--explain", "tool"]);
    assert!(
        explained.succeeded().lines().any(|line| line.starts_with("port ") && line.contains(" 9154 ")),
        "{explained:?}"
    );

    let before = fs::read_to_string(&drop_in).expect("written");
    let (again, document) = json(&place, &["ports", "assign", "tool"]);
    assert_eq!((again.status, &document["port"], &document["outcome"]), (0, &json!(9154), &Value::Null));
    assert_eq!(fs::read_to_string(&drop_in).expect("there"), before);

    for (flags, port) in [
        (&["--isolate-dest-addr"][..], 9160),
        (&["--isolate-dest-port"], 9170),
        (&["--isolate-dest-addr", "--isolate-dest-port"], 9180),
    ] {
        let (_, document) = json(&place, &[&["ports", "assign", "tool"], flags].concat());
        assert_eq!(document["port"], port);
    }
    let (checked, _) = json(&place, &["config", "check"]);
    assert_eq!(checked.status, 0);
}

#[test]
fn a_full_range_is_said_and_nothing_is_written() {
    let place = Place::new();
    let tables: Vec<String> = (9153..=9159).map(|port| format!("[command.c{port}]\nport = {port}\n")).collect();
    place.configure(&tables.concat());
    let refused = ran(&place, &["ports", "assign", "tool"]);
    assert_eq!((refused.status, refused.out.as_str()), (2, ""), "{refused:?}");
    assert!(refused.err.contains("all ports from 9153 to 9159 are taken"), "{refused:?}");
    assert!(!place.at("etc/90_uwtctl.toml").exists());
    let text = ran(&place, &["ports", "assign", "tool", "--isolate-dest-port"]);
    let text = text.succeeded();
    assert!(text.contains("Port 9170 for tool") && text.contains("gateway"), "{text}");
    assert!(wide(text).iter().all(|line| line.contains("90_uwtctl.toml")), "{:#?}", wide(text));
}

//! `uwtctl config`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::place::Place;
use crate::program::{ran, wide};
use crate::schema::json;

/// The entry of a key.
fn setting<'a>(settings: &'a Value, key: &str) -> &'a Value {
    let all = settings.as_array().expect("a list");
    all.iter().find(|setting| setting["key"] == key).unwrap_or_else(|| panic!("{key} in {settings:#}"))
}

#[test]
fn what_holds_is_shown_with_who_says_so() {
    let place = Place::new();
    let first = place.file("etc/30_default.toml", "port = 9050\nguard = \"deny\"\n[command.git]\nport = 9160\n");
    let last =
        place.file("etc/50_user.toml", "# mine\nport = 9100\n[command.\"/usr/bin/x\"]\nidentity = \"a \\\" b\"\n");
    let (shown, document) = json(&place, &["config", "show"]);
    assert_eq!(shown.status, 0, "{shown:?}");
    assert_eq!(document["files"], json!([first, last]));
    let port = json!({"key": "port", "value": 9100, "toml": "9100", "file": last, "line": 2});
    assert_eq!(*setting(&document["settings"], "port"), port);
    let dns = json!({"key": "dns", "value": "names", "toml": "\"names\"", "file": null, "line": null});
    assert_eq!(*setting(&document["settings"], "dns"), dns);
    let commands = &document["commands"];
    assert_eq!(commands.as_array().map(Vec::len), Some(2));
    assert_eq!(commands[0]["command"], "git");
    assert_eq!(
        *setting(&commands[0]["settings"], "port"),
        json!({"key": "port", "value": 9160, "toml": "9160", "file": first, "line": 4})
    );
    assert_eq!(setting(&commands[1]["settings"], "identity")["value"], "a \" b");

    let (_, document) = json(&place, &["config", "show", "git"]);
    assert_eq!(document["command"], "git");
    assert_eq!(setting(&document["settings"], "port")["value"], 9160);
    assert_eq!(setting(&document["settings"], "guard")["value"], "deny");

    let text = ran(&place, &["config", "show"]);
    let text = text.succeeded();
    assert!(wide(text).is_empty(), "{:#?}", wide(text));
    for part in ["50_user.toml:2", "built-in", "For git", "30_default.toml:4", "For /usr/bin/x"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_command_is_found_as_it_is_typed() {
    let place = Place::new();
    place.wrap("prog", "/bin/true");
    let path = place.at("bin/prog");
    place.configure(&format!("[command.\"{}\"]\nport = 9170\n[command.nothing]\nport = 9171\n", path.display()));
    for command in ["prog", path.to_str().expect("UTF-8"), "prog.anondist"] {
        let (_, document) = json(&place, &["config", "show", command]);
        assert_eq!(setting(&document["settings"], "port")["value"], 9170, "{command}");
        assert_eq!(document["program"], json!(path));
    }
    let (_, document) = json(&place, &["config", "show", "nothing"]);
    assert_eq!((&document["program"], &setting(&document["settings"], "port")["value"]), (&Value::Null, &json!(9171)));
    let text = ran(&place, &["config", "show", "nothing"]);
    assert!(text.succeeded().contains("No program of this name is installed"), "{text:?}");
    let refused = ran(&place, &["config", "show", "a/b"]);
    assert_eq!((refused.status, refused.out.as_str()), (2, ""), "{refused:?}");
    assert!(refused.err.contains("'a/b' is no path of a program"), "{refused:?}");
}

#[test]
fn without_any_file_everything_is_built_in() {
    let place = Place::new();
    let (_, document) = json(&place, &["config", "show"]);
    let settings = document["settings"].as_array().expect("a list");
    assert!(settings.len() > 15 && settings.iter().all(|setting| setting["file"].is_null()), "{document:#}");
    let (checked, document) = json(&place, &["config", "check"]);
    assert_eq!((checked.status, &document["files"]), (0, &json!([])));
}

#[test]
fn a_wrong_file_stops_show_and_is_found_by_check_with_every_line() {
    let place = Place::new();
    let toml = place.file("etc/10_a.toml", "prot = 1\nport = 9050\n[command.git]\nguard = 1\n");
    let conf = place.file("etc/20_b.conf", "uwtwrapper_global=\"2\"\nid\n");
    let good = place.file("etc/30_c.toml", "port = 9100\n");
    let stopped = ran(&place, &["config", "show"]);
    assert_eq!((stopped.status, stopped.out.as_str()), (2, ""), "{stopped:?}");
    assert!(stopped.err.contains("uwtctl config check") && stopped.err.contains("10_a.toml:1"), "{stopped:?}");

    let (checked, document) = json(&place, &["config", "check"]);
    assert_eq!(checked.status, 1);
    assert_eq!(document["files"], json!([toml, conf, good]));
    let findings = document["findings"].as_array().expect("a list");
    let places: Vec<_> = findings.iter().map(|finding| (finding["file"].clone(), finding["line"].clone())).collect();
    let expected = [(&toml, 1), (&toml, 4), (&conf, 1), (&conf, 2)].map(|(file, line)| (json!(file), json!(line)));
    assert_eq!(places, expected);
    assert!(findings.iter().all(|finding| finding["what"].as_str().is_some_and(|what| what.contains("expected"))));

    let text = ran(&place, &["config", "check", conf.to_str().expect("UTF-8")]);
    assert_eq!((text.status, text.err.as_str()), (1, ""), "{text:?}");
    assert!(text.out.contains("20_b.conf:1: uwtwrapper_global: '2' is unknown"), "{}", text.out);
    assert!(text.out.contains("1 file was read, 2 things are wrong.") && !text.out.contains("10_a"), "{}", text.out);
    let one = ran(&place, &["config", "check", good.to_str().expect("UTF-8")]);
    assert_eq!(one.succeeded(), "1 file was read, nothing is wrong.\n");
}

#[test]
fn check_sees_who_can_write_and_what_is_not_read() {
    let place = Place::new();
    let open = place.file("etc/50_open.toml", "port = 9050\n");
    fs::set_permissions(&open, Permissions::from_mode(0o646)).expect("set");
    let mut left = Vec::new();
    for name in ["40_x.toml.dpkg-old", "40_x.toml~", ".40_x.toml", "README"] {
        left.push(json!(place.file(&format!("etc/{name}"), "port = 1\n")));
    }
    let (checked, document) = json(&place, &["config", "check"]);
    assert_eq!(checked.status, 1);
    let findings = document["findings"].as_array().expect("a list");
    assert_eq!(findings.len(), 1, "{document:#}");
    assert_eq!(findings[0]["file"], json!(open));
    assert_eq!(findings[0]["what"], "everybody can write to it: chmod o-w");
    let notes = document["notes"].as_array().expect("a list");
    assert_eq!(notes.len(), left.len(), "{document:#}");
    for (file, what) in
        left.iter().zip(["dpkg has left it", "an editor has left it", "begins with a dot", "neither in"])
    {
        let note = notes.iter().find(|note| note["file"] == *file).unwrap_or_else(|| panic!("{file}: {document:#}"));
        assert!(note["what"].as_str().is_some_and(|said| said.contains(what)), "{note}");
    }

    fs::set_permissions(&open, Permissions::from_mode(0o644)).expect("set");
    fs::set_permissions(place.at("etc"), Permissions::from_mode(0o777)).expect("set");
    let (_, document) = json(&place, &["config", "check"]);
    assert_eq!(document["findings"][0]["file"], json!(place.at("etc")));
}

#[test]
fn check_names_what_cannot_be_there() {
    let place = Place::new();
    place.configure("preload = \"/none/libuwt.so\"\n[command.\"/none/git\"]\nport = 9160\n");
    let missing = place.at("none.toml");
    let (checked, document) = json(&place, &["config", "check", missing.to_str().expect("UTF-8")]);
    assert_eq!(
        (checked.status, &document["findings"][0]["what"]),
        (1, &json!("is not there; expected a file that can be read"))
    );
    let (checked, document) = json(&place, &["config", "check"]);
    assert_eq!((checked.status, &document["findings"][0]["line"]), (1, &json!(1)));
    assert_eq!(document["notes"][0]["what"], "is about /none/git, which is not installed");
}

const OLD: &str = "# mine\nuwtwrapper_global=\"1\"\nuwtwrapper[\"/usr/bin/git\"]=\"0\" # slow\nuwtwrapper_max=100\n\
    uwtport[\"/usr/bin/apt-get\"]=9104\n";

#[test]
fn an_old_file_becomes_a_new_one_that_means_the_same() {
    let place = Place::new();
    let (old, new) = (place.file("etc/50_user.conf", OLD), place.at("new.toml"));
    let (_, before) = json(&place, &["config", "show"]);
    let printed = ran(&place, &["config", "import", old.to_str().expect("UTF-8")]);
    let printed = printed.succeeded();
    assert!(printed.contains("an old uwt.d file"), "{printed}");
    assert!(printed.contains("# line 3: uwtwrapper[\"/usr/bin/git\"]=\"0\" # slow\nenabled = false\n"), "{printed}");

    let arguments = ["config", "import", old.to_str().expect("UTF-8"), "-o", new.to_str().expect("UTF-8")];
    let (_, imported) = json(&place, &arguments);
    assert_eq!((&imported["kind"], &imported["output"]), (&json!("uwt"), &json!(new)));
    assert_eq!(fs::read_to_string(&new).expect("written"), printed);
    let again = ran(&place, &arguments);
    assert_eq!((again.status, again.out.as_str()), (2, ""), "{again:?}");
    assert!(again.err.contains("is there already"), "{again:?}");

    fs::remove_file(&old).expect("removed");
    fs::rename(&new, place.at("etc/50_user.toml")).expect("moved");
    let (_, after) = json(&place, &["config", "show"]);
    let values = |document: &Value| {
        let tables = document["commands"].as_array().expect("a list").iter();
        let all = tables.map(|table| (table["command"].clone(), &table["settings"]));
        let all = std::iter::once((Value::Null, &document["settings"])).chain(all);
        let pairs = all.flat_map(|(command, settings)| {
            let settings = settings.as_array().expect("a list").iter();
            settings.map(move |setting| (command.clone(), setting["key"].clone(), setting["toml"].clone()))
        });
        pairs.collect::<Vec<_>>()
    };
    assert_eq!(values(&before), values(&after));
}

#[test]
fn comments_go_where_their_settings_go() {
    let place = Place::new();
    let text = "# Settings of\n# the laptop\n\nuwtwrapper_max=100\n# slow\n# \tand \x1b big\nuwtwrapper[\"/usr/bin/git\"]=0\n\
        # for later\n\n#uwtwrapper_global=0\n#id\n";
    let old = place.file("old\nenabled = false\n.conf", text);
    let printed = ran(&place, &["config", "import", old.to_str().expect("UTF-8")]);
    let name = old.display().to_string().replace('\n', "?");
    let left = |lines| format!("# {name}:{lines}: this comment is above nothing that is set, and is left out\n");
    let expected = format!(
        "# From {name}, an old uwt.d file, by uwtctl config import.\n{}{}\n# Settings of\n# the laptop\n\n\
        # line 4: uwtwrapper_max=100\nmax_nested = 100\n\n[command.\"/usr/bin/git\"]\n# slow\n#  and ? big\n\
        # line 7: uwtwrapper[\"/usr/bin/git\"]=0\nenabled = false\n",
        left("8"),
        left("10-11")
    );
    assert_eq!(printed.succeeded(), expected);
}

#[test]
fn a_torsocks_conf_is_told_from_its_words() {
    let place = Place::new();
    let text = "TorAddress 127.0.0.1\nTorPort 9050\nOnionAddrRange 127.42.42.0/24\nAllowInbound 1\nIsolatePID 1\n";
    let old = place.file("torsocks.conf", text);
    let printed = ran(&place, &["config", "import", old.to_str().expect("UTF-8")]);
    let printed = printed.succeeded();
    for part in
        ["a torsocks.conf", "# OnionAddrRange 127.42.42.0/24", "# line 4: AllowInbound 1\ninbound = \"allow\"\n"]
    {
        assert!(printed.contains(part), "{part}: {printed}");
    }
}

#[test]
fn what_has_no_meaning_today_is_refused_by_its_line() {
    let place = Place::new();
    let marker = place.at("marker");
    let run = format!("uwtwrapper_global=1\ntouch {0}\nuwtwrapper_max=\"$(touch {0})\"\n", marker.display());
    let output = place.at("new.toml");
    for (text, lines) in [
        (run.as_str(), &[":2: ", ":3: "][..]),
        ("TorPort 9050\nSOCKS5Username secret\nSOCKS5Password secret\n", &[":2: SOCKS5Username", ":3: SOCKS5Password"]),
        ("port = 9050\n", &["is neither an old uwt.d file"]),
    ] {
        let old = place.file("old", text);
        let refused =
            ran(&place, &["config", "import", old.to_str().expect("UTF-8"), "-o", output.to_str().expect("UTF-8")]);
        assert_eq!((refused.status, refused.out.as_str()), (2, ""), "{refused:?}");
        for line in lines {
            assert!(refused.err.contains(line), "{line}: {}", refused.err);
        }
        assert!(!refused.err.contains("secret") && !marker.exists() && !output.exists(), "{refused:?}");
    }
}

#[test]
fn what_cannot_be_read_or_written_is_said_with_what_to_do() {
    let place = Place::new();
    let (folder, empty) = (place.at("etc"), place.file("empty.conf", ""));
    let latin = place.file("latin.conf", b"uwtwrapper_max=1 # \xe9\n");
    let good = place.file("good.conf", OLD);
    let shown = |path: &std::path::Path| path.to_str().expect("UTF-8").to_owned();
    for (words, says) in [
        (vec![shown(&folder)], "is no file; expected a regular file; nothing was translated"),
        (vec![shown(&empty)], "sets nothing; expected a line as uwtwrapper_global=\"1\""),
        (vec![shown(&latin)], ":1: a byte that is not UTF-8; expected UTF-8 text; nothing was translated"),
        (vec![shown(&good), "-o".to_owned(), shown(&place.at("none/x.toml"))], "make its folder first"),
        (vec![shown(&good), "-o".to_owned(), shown(&good.join("x"))], "cannot be written"),
    ] {
        let words: Vec<&str> = ["config", "import"].into_iter().chain(words.iter().map(String::as_str)).collect();
        let refused = ran(&place, &words);
        assert_eq!((refused.status, refused.out.as_str()), (2, ""), "{refused:?}");
        let flat = refused.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(says) && !refused.err.contains("panicked"), "{says}: {}", refused.err);
    }
    let missing = ran(&place, &["config", "import", "/none/old"]);
    assert_eq!(missing.status, 2);
    let flat = missing.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flat.contains("/none/old: is not there; expected a file that can be read; nothing was translated"),
        "{missing:?}"
    );
}

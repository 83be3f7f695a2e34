//! `--explain` says what would be done and why, and does nothing.

use serde_json::Value;

use crate::place::{Place, bin_dir, run};

#[test]
fn the_whole_plan() {
    let place = Place::new();
    place.wrap("prog", "/bin/touch");
    place.configure("port = 9111\ntrusted = [\"/sbin/ldconfig\"]\n\n[command.prog]\ndns = \"resolve\"\n");
    let marker = place.at("marker");
    let mut command = place.uwt(&["--explain", "-i", "10.1.2.3", "--identity", "work", "prog"]);
    let ran = run(command.arg(&marker));
    let file = place.at("etc/50_test.toml").display().to_string();
    let program = place.at("bin/prog.anondist-orig").display().to_string();
    let library = bin_dir().join("libuwt_preload.so").display().to_string();
    let rows: Vec<Vec<&str>> = ran
        .succeeded()
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect())
        .collect();
    let (line1, line2, line5) = (format!("{file}:1"), format!("{file}:2"), format!("{file}:5"));
    let expected: &[&[&str]] = &[
        &["program", &program],
        &["argv[0]", "prog", "as typed"],
        &["configuration", &file],
        &["nesting", "1, at most 10", "built-in"],
        &["protection", "on"],
        &["gateway", "10.1.2.3", "--ip"],
        &["port", "9111", &line1],
        &["isolation", "identity work", "--identity"],
        &["credentials", "plain", "built-in"],
        &["guard", "tunnel", "auto, built-in"],
        &["dns", "resolve", &line5],
        &["loopback", "direct", "built-in"],
        &["local tor", "usable", "built-in"],
        &["inbound", "loopback", "built-in"],
        &["bind", "none", "built-in"],
        &["timeout", "150 s", "built-in"],
        &["optimistic", "false", "built-in"],
        &["trusted", "/sbin/ldconfig", &line2],
        &["native", "none", "built-in"],
        &["preload", &library, "beside uwt itself"],
        &["report", "none", "built-in"],
        &["time", "real", "built-in"],
    ];
    assert_eq!(rows, expected, "{}", ran.out);
    assert!(!marker.exists());
    let column = |line: &str| line.strip_suffix("  built-in").map(str::len);
    let columns: Vec<usize> = ran.out.lines().filter_map(column).collect();
    assert!(columns.windows(2).all(|pair| pair[0] == pair[1]), "aligned: {}", ran.out);
}

#[test]
fn why_a_command_runs_without_uwt() {
    let place = Place::new();
    let protection = |variables: &[&str], arguments: &[&str]| {
        let ran = place.uwt_with(variables, &[&["--explain"], arguments].concat());
        let line = ran.succeeded().lines().find(|line| line.starts_with("protection")).expect("said").to_owned();
        line.split("  ").last().expect("why").trim().to_owned()
    };
    assert_eq!(protection(&["UWT_DEV_PASSTHROUGH=1"], &["true"]), "UWT_DEV_PASSTHROUGH=1 in the environment");
    place.configure("enabled = false\n");
    let file = place.at("etc/50_test.toml").display().to_string();
    assert_eq!(protection(&[], &["true"]), format!("enabled = false, {file}:1"));
    place.configure("localhost = \"passthrough\"\n");
    let why = protection(&[], &["true", "::1"]);
    assert_eq!(why, format!("the arguments contain ::1 and localhost = \"passthrough\", {file}:1"));
}

#[test]
fn programs_get_the_same_as_json() {
    let place = Place::new();
    place.configure("port = 9111\n");
    let explained = |option| run(&mut place.uwt(&[option, "true"])).succeeded().to_owned();
    assert_eq!(explained("--explain=text"), explained("--explain"));
    let lines: Value = serde_json::from_str(&explained("--explain=json")).expect("JSON");
    let rows: Vec<String> = lines.as_array().expect("an array").iter().map(row).collect();
    let table: Vec<String> = explained("--explain").lines().map(words).collect();
    assert_eq!(rows, table);
    let file = place.at("etc/50_test.toml").display().to_string();
    assert!(rows.contains(&format!("port 9111 {file}:1")) && rows.contains(&"protection on".to_owned()), "{rows:?}");
}

/// A line's three members, without what the columns of a table add.
fn row(line: &Value) -> String {
    let members = line.as_object().expect("an object");
    assert_eq!(members.len(), 3, "{line}");
    let member = |name| members.get(name).and_then(Value::as_str).expect(name);
    words(&[member("label"), member("value"), member("why")].join(" "))
}

fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_cannot_be_done_cannot_be_explained() {
    let place = Place::new();
    assert_eq!(run(&mut place.uwt(&["--explain", "nonesuch"])).status, 127);
    place.copy("bin/static", bin_dir().join("uwt"));
    assert_eq!(run(&mut place.uwt(&["--guard=off", "--explain", "static"])).status, 126);
    place.configure("port = 0\n");
    assert_eq!(run(&mut place.uwt(&["--explain", "true"])).status, 125);
}

//! What we accept of a legacy file means to us what it meant to bash, which once sourced it.

use std::path::{Path, PathBuf};
use std::process::Command as Process;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::parse;
use crate::command::Command;
use crate::source::{Contents, Source};

/// Prints the variables as `global|git|max|port|protection|time|time of git`, unset ones empty.
const REPORT: &str = r#"
declare -A uwtwrapper uwtport timeprivacy
nested_protection() { return 1; }
eval "$1" || exit 1
if nested_protection; then protection=off; else protection=on; fi
git=/usr/bin/git
printf '%s|' "$uwtwrapper_global" "${uwtwrapper[$git]}" "$uwtwrapper_max" "${uwtport[$git]}" "$protection"
printf '%s|' "$timeprivacy_global" "${timeprivacy[$git]}"
"#;

fn bash(text: &str) -> String {
    let output = Process::new("/bin/bash")
        .args(["--norc", "-c", REPORT, "bash", text])
        .env_clear()
        .output()
        .expect("this test compares with /bin/bash: install the package bash");
    assert!(output.stderr.is_empty(), "{text:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn ours(contents: &Contents, protection_off: bool) -> String {
    let bit = |on: bool| u8::from(on).to_string();
    let git = Command::Path(PathBuf::from("/usr/bin/git"));
    let git = contents.commands.iter().find(|(command, _)| *command == git).map(|(_, layer)| layer);
    let global = contents.global.enabled.as_ref().map(|on| bit(on.value)).unwrap_or_default();
    let switch = git.and_then(|layer| layer.enabled.as_ref()).map(|on| bit(on.value)).unwrap_or_default();
    let max = contents.global.max_nested.as_ref().map(|max| max.value.to_string()).unwrap_or_default();
    let port = git.and_then(|layer| layer.port.as_ref()).map(|port| port.value.to_string()).unwrap_or_default();
    let protection = if protection_off { "off" } else { "on" };
    let max = if protection_off { String::new() } else { max };
    let time = contents.global.time_privacy.as_ref().map(|on| bit(on.value)).unwrap_or_default();
    let of_git = git.and_then(|layer| layer.time_privacy.as_ref()).map(|on| bit(on.value)).unwrap_or_default();
    format!("{global}|{switch}|{max}|{port}|{protection}|{time}|{of_git}|")
}

fn line() -> impl Strategy<Value = String> {
    let name = select(vec![
        "uwtwrapper_global",
        "uwtwrapper",
        "uwtwrapper_max",
        "uwtport",
        "timeprivacy_global",
        "timeprivacy",
    ]);
    let index = select(vec![
        "",
        "[\"/usr/bin/git\"]",
        "['/usr/bin/git']",
        "[/usr/bin/git]",
        "[/usr/bin/ssh]",
        "[git]",
        "[\"/usr/bin/git]",
    ]);
    let equals = select(vec!["=", "=", "=", " = ", "= ", "+="]);
    let value = select(vec![
        "0",
        "\"1\"",
        "'0'",
        "100",
        "\"9104\"",
        "",
        "\"$((1+1))\"",
        "1\\",
        "\"1\"'0'",
        "'1",
        "1#",
        "{0,1}",
        "~",
        "*",
    ]);
    let tail = select(vec!["", "", " ", "\t# why", " #", ";", " true", "#", " \\"]);
    let head = select(vec!["", "", "  ", "\t", "# "]);
    (head, name, index, equals, value, tail)
        .prop_map(|(head, name, index, equals, value, tail)| format!("{head}{name}{index}{equals}{value}{tail}\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn what_is_accepted_means_the_same_to_bash(lines in vec(line(), 1..3)) {
        let text = lines.concat();
        if let Ok(contents) = parse(&Source::new(Path::new("/f"), &text)) {
            prop_assert_eq!(ours(&contents, false), bash(&text), "{:?}", text);
        }
    }
}

#[test]
fn accepted_lines_mean_the_same_to_bash() {
    for text in [
        "uwtwrapper_global=\"0\"",
        "uwtwrapper_global='1' # on\n\tuwtwrapper[\"/usr/bin/git\"]=\"0\"\n",
        "uwtwrapper[/usr/bin/git]=1\nuwtwrapper['/usr/bin/git']=0\n\n# end",
        "uwtport[\"/usr/bin/git\"]=\"9104\"\nuwtwrapper_max=100",
        "timeprivacy_global=\"0\"\ntimeprivacy[\"/usr/bin/git\"]=\"1\"",
        "timeprivacy_global='1' # on\ntimeprivacy[/usr/bin/git]=0\n",
    ] {
        let contents = parse(&Source::new(Path::new("/f"), text)).unwrap();
        assert_eq!(ours(&contents, false), bash(text), "{text:?}");
    }
}

#[test]
fn the_protection_is_switched_off_as_in_bash() {
    for text in [
        "nested_protection() {\ntrue\n}",
        "nested_protection() { true; }",
        "nested_protection(){ true ; } # off",
        "nested_protection () {\n\n  # nothing\n\ttrue;\n}\n",
        "nested_protection() { true\n}",
    ] {
        let contents = parse(&Source::new(Path::new("/f"), text)).unwrap();
        assert_eq!(contents.global.max_nested.as_ref().map(|max| max.value), Some(0), "{text:?}");
        assert_eq!(ours(&contents, true), bash(text), "{text:?}");
    }
    // Not bash, where the brace would be an argument, but the way it is often written down.
    let contents = parse(&Source::new(Path::new("/f"), "nested_protection() { true }")).unwrap();
    assert_eq!(contents.global.max_nested.map(|max| max.value), Some(0));
}

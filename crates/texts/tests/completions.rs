//! The shells themselves complete uwt's options, and what is typed behind them as if it stood alone.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// Lines, and what must be offered at their ends. A word that begins with `!` must not be.
const LINES: &[(&str, &[&str])] = &[
    ("uwt --gu", &["--guard"]),
    ("uwt -v --ex", &["--explain"]),
    ("uwt --guard d", &["deny", "!off", "!names"]),
    ("uwt --isolate ", &["process", "none", "!identity"]),
    ("uwt -v --dns r", &["resolve"]),
    ("uwt gi", &["git"]),
    ("uwt -v gi", &["git"]),
    ("uwt -- gi", &["git"]),
    ("uwt git che", &["checkout", "cherry-pick"]),
    ("uwt -p 9050 git che", &["checkout", "cherry-pick"]),
    ("uwt -vp 9050 git che", &["checkout", "cherry-pick"]),
    ("uwt -p9050 git che", &["checkout", "cherry-pick"]),
    ("uwt --guard=deny git che", &["checkout", "cherry-pick"]),
    ("uwt --identity git git che", &["checkout", "cherry-pick"]),
    ("uwt -i 10.152.152.10 -- git che", &["checkout", "cherry-pick"]),
    ("uwt git --ver", &["--version", "!--verbose"]),
    ("uwt git --gu", &["!--guard"]),
];

fn texts() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let made = Command::new(env!("CARGO_BIN_EXE_uwt-texts")).arg(folder.path()).output().expect("runs");
    assert!(made.status.success(), "{made:?}");
    folder
}

/// A shell that knows nothing of its user.
fn shell(program: &str, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", home).env("TERM", "dumb").env("LC_ALL", "C.UTF-8");
    command.current_dir(home);
    command
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("the shell is installed: `cargo xtask test` does it");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn check(offered: impl Fn(&str) -> Vec<String>) {
    for (line, expected) in LINES {
        let offered = offered(line);
        for word in *expected {
            let (word, wanted) = word.strip_prefix('!').map_or((*word, true), |word| (word, false));
            assert_eq!(offered.iter().any(|it| it == word), wanted, "{line:?}, {word}: {offered:?}");
        }
    }
}

#[test]
fn bash_completes() {
    let texts = texts();
    let completion = texts.path().join("completions/bash/uwt");
    let offered = |line: &str| {
        let mut command = shell("bash", texts.path());
        command.arg("--norc").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/complete.bash")).arg(&completion);
        // Readline makes a word of every `=` (COMP_WORDBREAKS).
        let line = line.replace('=', " = ");
        let lines = output(command.args(line.split(' ')));
        lines.lines().map(|word| word.trim_end().to_owned()).collect()
    };
    check(offered);
    assert_eq!(offered("uwt --guard=d"), ["deny"]);
    assert_eq!(offered("uwt --guard="), ["auto", "tunnel", "deny", "off"]);
}

#[test]
fn fish_completes() {
    let texts = texts();
    let completion = texts.path().join("completions/fish/uwt.fish");
    check(|line| {
        let mut command = shell("fish", texts.path());
        let script = format!("source {}; complete -C '{line}'", completion.display());
        let lines = output(command.args(["-c", &script]));
        // Behind a tab is the description.
        lines.lines().filter_map(|line| line.split('\t').next()).map(str::to_owned).collect()
    });
}

#[test]
fn zsh_completes() {
    let texts = texts();
    let folder = texts.path().join("zsh");
    fs::create_dir(&folder).expect("made");
    fs::rename(texts.path().join("completions/zsh/_uwt"), folder.join("_uwt")).expect("moved");
    check(|line| {
        let mut command = shell("zsh", texts.path());
        command.arg("-f").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/complete.zsh")).arg(&folder);
        let typed = output(command.arg(line));
        typed.split('\u{1}').skip(1).filter_map(|word| word.lines().next()).map(str::to_owned).collect()
    });
}

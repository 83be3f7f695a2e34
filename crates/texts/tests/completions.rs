//! The shells themselves complete uwt's options, and what is typed behind them as if it stood alone; and uwtctl's commands,
//! with the names of programs.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// Lines, and what must be offered at their ends. A word that begins with `!` must not be.
const LINES: &[(&str, &[&str])] = &[
    ("uwt --gu", &["--guard"]),
    ("uwt -v --ex", &["--explain"]),
    ("uwt --explain gi", &["git", "!json"]),
    ("uwt --explain=json git che", &["checkout", "cherry-pick"]),
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
    ("uwtctl st", &["status"]),
    ("uwtctl --js", &["--json"]),
    ("uwtctl --json wra", &["wrapper"]),
    ("uwtctl wrapper ", &["list", "add", "!ports"]),
    ("uwtctl status --off", &["--offline"]),
    ("uwtctl check transparent-t", &["transparent-tcp", "!transparent-dns"]),
    ("uwtctl gateway torrc --no", &["--no-transparent"]),
    ("uwtctl status fro", &["frobnicate"]),
    ("uwtctl wrapper remove fro", &["frobnicate"]),
    ("uwtctl wrapper disable --user fro", &["frobnicate"]),
    ("uwtctl wrapper enable other fro", &["frobnicate"]),
    ("uwtctl wrapper list gi", &["!git"]),
    ("uwtctl config show fro", &["frobnicate"]),
    ("uwtctl wrapper add gi", &["git"]),
    ("uwtctl --json ports assign gi", &["git"]),
    ("uwtctl audit --sv", &["--svg"]),
    ("uwtctl audit gi", &["git"]),
    ("uwtctl audit git che", &["checkout", "cherry-pick"]),
    ("uwtctl audit --json --svg git -- gi", &["git"]),
    ("uwtctl audit -o report -- git che", &["checkout", "cherry-pick"]),
    ("uwtctl audit --svg=picture git che", &["checkout", "cherry-pick"]),
    ("uwtctl audit -- --gu", &["--guard", "!--svg"]),
    ("uwtctl audit -- --guard deny git che", &["checkout", "cherry-pick"]),
    ("uwtctl audit git --ver", &["--version"]),
    ("uwtctl audit git --js", &["!--json"]),
];

fn texts() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let made = Command::new(env!("CARGO_BIN_EXE_uwt-texts")).arg(folder.path()).output().expect("runs");
    assert!(made.status.success(), "{made:?}");
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).expect("made");
    fs::write(bin.join("frobnicate.anondist-orig"), "").expect("written");
    folder
}

/// A shell that knows nothing of its user.
fn shell(program: &str, home: &Path) -> Command {
    let mut command = Command::new(program);
    let path = format!("{}:/usr/bin:/bin", home.join("bin").display());
    command.env_clear().env("PATH", path).env("HOME", home).env("TERM", "dumb").env("LC_ALL", "C.UTF-8");
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
    let completions = texts.path().join("completions/bash");
    let offered = |line: &str| {
        let mut command = shell("bash", texts.path());
        command.arg("--norc").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/complete.bash")).arg(&completions);
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
    let completions = texts.path().join("completions/fish").display().to_string();
    check(|line| {
        let mut command = shell("fish", texts.path());
        let script = format!("source {completions}/uwt.fish; source {completions}/uwtctl.fish; complete -C '{line}'");
        let lines = output(command.args(["-c", &script]));
        // Behind a tab is the description.
        lines.lines().filter_map(|line| line.split('\t').next()).map(str::to_owned).collect()
    });
}

#[test]
fn zsh_completes() {
    let texts = texts();
    let folder = texts.path().join("completions/zsh");
    check(|line| {
        let mut command = shell("zsh", texts.path());
        command.arg("-f").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/complete.zsh")).arg(&folder);
        let typed = output(command.arg(line));
        typed.split('\u{1}').skip(1).filter_map(|word| word.lines().next()).map(str::to_owned).collect()
    });
}

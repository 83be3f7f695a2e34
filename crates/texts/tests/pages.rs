//! The pages are well-formed, fit a terminal and depend on nothing but the sources.

use std::fs;
use std::path::Path;
use std::process::Command;

const PAGES: &[&str] = &["uwt.1", "uwt.d.5", "uwt.7", "uwtctl.1", "uwt-torsocks.1"];

/// Makes everything in a folder.
fn make(folder: &Path, epoch: Option<&str>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_uwt-texts"));
    command.arg(folder).env_remove("SOURCE_DATE_EPOCH");
    if let Some(epoch) = epoch {
        command.env("SOURCE_DATE_EPOCH", epoch);
    }
    let made = command.output().expect("runs");
    assert!(made.status.success(), "{made:?}");
}

#[test]
fn mandoc_and_groff_have_nothing_to_complain_about() {
    let folder = tempfile::tempdir().expect("a folder");
    make(folder.path(), Some("1700000000"));
    for page in PAGES {
        let page = folder.path().join(page);
        let lint = Command::new("mandoc").args(["-Tlint", "-Wwarning"]).arg(&page).output().expect("mandoc is there");
        assert!(lint.status.success(), "{}", String::from_utf8_lossy(&lint.stdout));

        let mut man = Command::new("man");
        man.args(["--warnings=w", "--local-file"]).arg(&page).env("MANWIDTH", "80").env("LC_ALL", "C.UTF-8");
        let shown = man.env("MANPAGER", "cat").output().expect("man is there");
        assert!(shown.status.success() && shown.stderr.is_empty(), "{}", String::from_utf8_lossy(&shown.stderr));
        let text = String::from_utf8(shown.stdout).expect("text");
        assert!(text.lines().count() > 100, "{text}");
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{}: {wide:#?}", page.display());
    }
}

#[test]
fn the_same_sources_make_the_same_pages() {
    let (one, other, dated) = (tempfile::tempdir(), tempfile::tempdir(), tempfile::tempdir());
    let [one, other, dated] = [one, other, dated].map(|folder| folder.expect("a folder"));
    make(one.path(), None);
    make(other.path(), None);
    make(dated.path(), Some("86399"));
    for page in PAGES {
        let read = |folder: &Path| fs::read_to_string(folder.join(page)).expect("made");
        let text = read(one.path());
        assert_eq!(text, read(other.path()), "{page}");
        assert_eq!(text.replacen(" \"\" ", " \"1970-01-01\" ", 1), read(dated.path()), "{page}");
    }
}

#[test]
fn a_date_that_is_none_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_uwt-texts"));
    let refused = command.arg(folder.path()).env("SOURCE_DATE_EPOCH", "today").output().expect("runs");
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("SOURCE_DATE_EPOCH is no number"), "{refused:?}");
}

//! What counts as a configuration file, and what cannot be read.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use uwt_config::{Config, Error, Sources};

fn load(folder: &Path) -> Result<Config, Error> {
    Config::load(&Sources { folders: vec![folder.to_owned()] })
}

fn shown(folder: &Path) -> String {
    load(folder).unwrap_err().to_string()
}

#[test]
fn other_names_are_no_configuration() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "50_user.toml~",
        "50_user.toml.dpkg-old",
        "50_user.conf.dpkg-dist",
        "50_user.toml.swp",
        ".50_user.toml.swp",
        ".hidden.toml",
        ".toml",
        "#50_user.toml#",
        "README",
        "50_user.TOML",
        "toml",
    ] {
        fs::write(folder.path().join(name), "not a configuration").unwrap();
    }
    // Emacs' lock of a file being edited.
    symlink("user@host.1:2", folder.path().join(".#50_user.toml")).unwrap();
    fs::write(folder.path().join("empty.conf"), "").unwrap();
    fs::write(folder.path().join("with a space.toml"), "\u{feff}port = 1").unwrap();
    let config = load(folder.path()).unwrap();
    assert_eq!(config.files(), [folder.path().join("empty.conf"), folder.path().join("with a space.toml")]);
}

#[test]
fn what_is_there_and_cannot_be_read_is_an_error() {
    type Make = fn(&Path);
    let cases: [(Make, &str); 5] = [
        (
            |file| symlink("/nonexistent/file", file).unwrap(),
            "is a symlink that leads nowhere; expected a file that can be read",
        ),
        (|file| fs::create_dir(file).unwrap(), "is no file; expected a regular file"),
        (
            |file| assert!(Command::new("mkfifo").arg(file).status().unwrap().success()),
            "is no file; expected a regular file",
        ),
        (|file| symlink("/dev/null", file).unwrap(), "is no file; expected a regular file"),
        (
            |file| symlink(file, file).unwrap(),
            "cannot be read: Too many levels of symbolic links (os error 40); expected a file that can be read",
        ),
    ];
    for (make, expected) in cases {
        for name in ["50_user.toml", "50_user.conf"] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join(name);
            make(&file);
            assert_eq!(shown(folder.path()), format!("{}: {expected}", file.display()));
        }
    }
}

#[test]
fn a_folder_that_is_there_and_cannot_be_read_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("uwt.d");
    assert_eq!(load(&folder).unwrap().files(), &[] as &[PathBuf]);

    fs::write(&folder, "").unwrap();
    let expected = "cannot be read: Not a directory (os error 20); expected a folder that can be read";
    assert_eq!(shown(&folder), format!("{}: {expected}", folder.display()));
    fs::remove_file(&folder).unwrap();

    symlink("/nonexistent/folder", &folder).unwrap();
    let expected = "is a symlink that leads nowhere; expected a folder that can be read";
    assert_eq!(shown(&folder), format!("{}: {expected}", folder.display()));
    fs::remove_file(&folder).unwrap();

    let elsewhere = root.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("a.toml"), "port = 1").unwrap();
    symlink(&elsewhere, &folder).unwrap();
    assert_eq!(load(&folder).unwrap().files(), [folder.join("a.toml")]);
}

#[test]
fn a_name_cannot_write_on_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a\n\u{1b}[31m.toml"), "banana = 1").unwrap();
    let shown = shown(folder.path());
    assert!(shown.contains("a\\n\\u{1b}[31m.toml:1: unknown key 'banana'"), "{shown}");
    assert!(!shown.contains(char::is_control), "{shown:?}");
}

#[test]
fn a_file_of_the_largest_size_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "port = 1\n".to_owned();
    text.push_str(&"#".repeat((1 << 20) - text.len()));
    fs::write(folder.path().join("a.toml"), text).unwrap();
    assert_eq!(load(folder.path()).unwrap().files().len(), 1);
}

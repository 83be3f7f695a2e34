//! Packages: those that were built, others made from them, and small ones that bring commands to wrap.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use support::process::run;
use tempfile::TempDir;

pub(super) use crate::built::built;

/// A package under construction.
#[derive(Debug)]
pub(super) struct Package {
    folder: TempDir,
}

impl Package {
    /// A small one of no files.
    pub(super) fn new(name: &str, version: &str) -> Self {
        let package = Self { folder: tempfile::tempdir().expect("a folder") };
        fs::create_dir_all(package.path("DEBIAN")).expect("made");
        let control = format!(
            "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: Tests <tests@example.org>\n\
             Description: commands to wrap\n"
        );
        fs::write(package.path("DEBIAN/control"), control).expect("written");
        package
    }

    /// What `deb` consists of, to be changed.
    pub(super) fn of(deb: &Path) -> Self {
        let package = Self { folder: tempfile::tempdir().expect("a folder") };
        let root = package.path("");
        run(Command::new("dpkg-deb").arg("--raw-extract").args([deb, &root])).expect("unpacked");
        package
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join("root").join(path)
    }

    /// With a program that says `says` and its arguments. Its time of modification is one that nothing written now has.
    pub(super) fn program(self, path: &str, says: &str) -> Self {
        let file = self.path(path);
        self.script(path, &format!("echo {says} \"$@\"\n"));
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_hours(450_000);
        File::open(file).and_then(|file| file.set_modified(long_ago)).expect("set");
        self
    }

    /// With a program that is the file `original`.
    pub(super) fn copy(self, path: &str, original: &Path) -> Self {
        let file = self.path(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs::copy(original, file).unwrap_or_else(|error| panic!("{}: {error}", original.display()));
        self
    }

    /// With a symbolic link.
    pub(super) fn link(self, path: &str, target: &str) -> Self {
        let link = self.path(path);
        fs::create_dir_all(link.parent().expect("a folder")).expect("made");
        symlink(target, link).expect("linked");
        self
    }

    /// With lines of shell before those that the maintainer script `name` begins with, if there is one.
    pub(super) fn begins(self, name: &str, lines: &str) -> Self {
        self.edit_script(name, |script| format!("{lines}\n{script}"))
    }

    /// With lines of shell behind those of the maintainer script `name`.
    pub(super) fn ends(self, name: &str, lines: &str) -> Self {
        self.edit_script(name, |script| format!("{}\n{lines}\n", script.trim_end().trim_end_matches("exit 0")))
    }

    fn edit_script(self, name: &str, edit: impl FnOnce(&str) -> String) -> Self {
        let path = format!("DEBIAN/{name}");
        let former = fs::read_to_string(self.path(&path)).unwrap_or_default();
        let former = former.strip_prefix("#!/bin/sh\n").unwrap_or(&former);
        self.script(&path, &edit(former));
        self
    }

    fn script(&self, path: &str, text: &str) {
        let file = self.path(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs::write(&file, format!("#!/bin/sh\n{text}")).expect("written");
        fs::set_permissions(&file, Permissions::from_mode(0o755)).expect("executable");
    }

    /// Which cannot be there together with `other`.
    pub(super) fn breaks(self, other: &str) -> Self {
        let path = self.path("DEBIAN/control");
        let control = fs::read_to_string(&path).expect("readable");
        fs::write(path, format!("{control}Breaks: {other}\n")).expect("written");
        self
    }

    /// In another version.
    pub(super) fn version(self, version: &str) -> Self {
        let path = self.path("DEBIAN/control");
        let control = fs::read_to_string(&path).expect("readable");
        let is_version = |line: &&str| line.starts_with("Version: ");
        let former = control.lines().find(is_version).expect("a version");
        fs::write(path, control.replace(former, &format!("Version: {version}"))).expect("written");
        self
    }

    /// Of uwt-wrappers or uwt: with these commands for those that it wraps.
    pub(super) fn commands(self, commands: &[&str]) -> Self {
        let scripts = fs::read_dir(self.path("DEBIAN")).expect("readable").flatten();
        let mut changed = 0;
        for path in scripts.map(|entry| entry.path()) {
            let text = fs::read_to_string(&path).expect("readable");
            let Some((before, list)) = text.split_once("uwt_commands='\n") else { continue };
            let (_, after) = list.split_once("\n'\n").expect("the list ends");
            fs::write(&path, format!("{before}uwt_commands='\n{}\n'\n{after}", commands.join("\n"))).expect("written");
            changed += 1;
        }
        assert!(changed > 0, "no maintainer script has a list of commands");
        self
    }

    /// The finished package.
    pub(super) fn build(self) -> Deb {
        let path = self.folder.path().join("package.deb");
        run(Command::new("dpkg-deb")
            .args(["--root-owner-group", "-Znone", "--build"])
            .args([self.path(""), path.clone()]))
        .expect("built");
        Deb { path, _folder: self.folder }
    }
}

/// A package of the tests, which goes when this does.
#[derive(Debug)]
pub(super) struct Deb {
    path: PathBuf,
    _folder: TempDir,
}

impl AsRef<Path> for Deb {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

/// A package with a program, `rawdog`, which says "rawdog VERSION".
pub(super) fn rawdog(version: &str) -> Deb {
    Package::new("rawdog", version).program("usr/bin/rawdog", &format!("rawdog {version}")).build()
}

/// A package with a link to that program, `gpg2`.
pub(super) fn gpg2() -> Deb {
    Package::new("link", "1").link("usr/bin/gpg2", "rawdog").build()
}

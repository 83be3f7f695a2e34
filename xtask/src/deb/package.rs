//! dpkg-buildpackage, and what goes in and comes out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;

use super::sync::VENDOR;
use super::version::Version;
use super::{Place, read, remove_dir};
use crate::workspace::{self, Workspace, text};

/// Debian packages whose versions can change what is built, besides the compiler.
const TOOLS: &[&str] = &["binutils", "debhelper", "dpkg-dev", "gcc", "libc6-dev", "musl-dev"];

/// What builds packages, the same way each time: nothing of the environment we are called in reaches it.
#[derive(Debug)]
pub(super) struct Builder {
    /// The versions of all that has a part in it, to be compared with another time's.
    pub(super) toolchain: String,
    /// `PATH`, with the compiler's own folder first: rustup, which would look for its settings at home, is not asked.
    path: String,
}

impl Builder {
    /// With the compiler that cargo uses here.
    pub(super) fn new(workspace: &Workspace) -> Result<Self> {
        let rustc = |arguments: &[&str]| text(Command::new("rustc").args(arguments).current_dir(&workspace.root));
        let mut query = Command::new("dpkg-query");
        let tools = text(query.args(["-W", "-f", "${Package} ${Version}\n"]).args(TOOLS))?;
        Ok(Self {
            toolchain: rustc(&["--version", "--verbose"])? + &tools,
            path: format!("{}/bin:/usr/sbin:/usr/bin:/sbin:/bin", rustc(&["--print", "sysroot"])?.trim_end()),
        })
    }

    /// Builds the packages of the tree; they are put beside it. `cargo` is a target directory for cargo that is kept;
    /// without one only the binary packages are built, and cargo's directory is one in the tree.
    pub(super) fn build(&self, tree: &Path, cargo: Option<&Path>) -> Result<()> {
        // Root can show that no network is needed, as Debian's own builders do.
        let mut command = if geteuid().is_root() {
            let mut unshare = Command::new("unshare");
            unshare.args(["--net", "--", "dpkg-buildpackage"]);
            unshare
        } else {
            Command::new("dpkg-buildpackage")
        };
        command.args(["--unsigned-source", "--unsigned-changes", "--unsigned-buildinfo"]);
        // What it leaves in the tree would look like a change.
        command.arg("--post-clean");
        // debian/control asks for Debian's own cargo otherwise.
        command.arg("--build-profiles=pkg.uwt.rustup");
        command.arg(if cargo.is_some() { "--build=full" } else { "--build=binary" });
        command.current_dir(tree).env_clear().env("PATH", &self.path).env("LC_ALL", "C.UTF-8");
        if let Some(cargo) = cargo {
            command.env("CARGO_TARGET_DIR", cargo);
        }
        workspace::run(&mut command)
    }
}

/// Packs what is not Debian's of the tree into the two archives that the source package begins with: the checkout, and
/// the crates unless they are packed already.
pub(super) fn pack(place: &Place, version: &Version) -> Result<()> {
    let [checkout, crates] = &place.archives;
    for entry in fs::read_dir(&place.work).with_context(|| format!("{}", place.work.display()))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("uwt") && entry.path() != *crates {
            fs::remove_file(entry.path())?;
        }
    }
    let tar = |archive: &Path| {
        let mut tar = Command::new("tar");
        tar.args(["--create", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX"]);
        tar.arg(format!("--mtime=@{}", version.date))
            .arg("--use-compress-program=xz -3 -T2")
            .arg("--file")
            .arg(archive);
        tar
    };
    let folder = format!("uwt-{}", version.upstream);
    let mut checkout = tar(checkout);
    checkout.current_dir(&place.work).arg("--exclude=tree/debian").arg(format!("--exclude=tree/{VENDOR}"));
    // Names of links stay what they are.
    workspace::run(checkout.arg(format!("--transform=s,^tree,{folder},S")).arg("tree"))?;
    if crates.exists() {
        return Ok(());
    }
    // An archive that was not finished has another name.
    let staged = crates.with_extension("new");
    workspace::run(tar(&staged).current_dir(place.tree()).arg(VENDOR))?;
    fs::rename(&staged, crates).with_context(|| format!("{}", crates.display()))
}

/// Puts what was built into the folder of the results, and nothing else.
pub(super) fn collect(version: &Version, from: &Path, to: &Path) -> Result<()> {
    let architecture = text(Command::new("dpkg").arg("--print-architecture"))?;
    let changes = format!("uwt_{}_{}.changes", version.full, architecture.trim_end());
    let mut names = listed(&read(&from.join(&changes))?)?;
    names.push(changes);
    let staged = to.with_extension("new");
    remove_dir(&staged)?;
    fs::create_dir_all(&staged).with_context(|| format!("{}", staged.display()))?;
    for name in names {
        fs::copy(from.join(&name), staged.join(&name)).with_context(|| name.clone())?;
    }
    remove_dir(to)?;
    fs::rename(&staged, to).with_context(|| format!("{}", to.display()))
}

/// The files that a .changes file lists (deb-changes(5)).
fn listed(changes: &str) -> Result<Vec<String>> {
    let lines = changes.lines().skip_while(|line| *line != "Files:").skip(1).take_while(|line| line.starts_with(' '));
    let names: Vec<String> = lines.filter_map(|line| line.split_whitespace().nth(4)).map(str::to_owned).collect();
    if names.is_empty() {
        bail!("a .changes file lists no files");
    }
    Ok(names)
}

/// The .deb files in a folder, sorted.
pub(super) fn binaries(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            found.push(path);
        }
    }
    found.sort();
    if found.is_empty() {
        bail!("{}: no packages", folder.display());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_changes_file() {
        let changes = "Format: 1.8\nChecksums-Sha256:\n aa 7 uwt_1.dsc\nFiles:\n aa 7 net optional uwt_1.dsc\n bb 8 net \
            optional uwt_1_amd64.deb\nOther: x\n cc 9 net optional no\n";
        assert_eq!(listed(changes).expect("listed"), ["uwt_1.dsc", "uwt_1_amd64.deb"]);
        assert!(listed("Format: 1.8\n").is_err());
    }

    #[test]
    fn packages_are_found_by_their_names() {
        let folder = tempfile::tempdir().expect("a directory");
        assert!(binaries(folder.path()).is_err());
        for name in ["b.deb", "a.deb", "a.dsc"] {
            fs::write(folder.path().join(name), "").expect("written");
        }
        assert_eq!(binaries(folder.path()).expect("found"), ["a.deb", "b.deb"].map(|name| folder.path().join(name)));
    }
}

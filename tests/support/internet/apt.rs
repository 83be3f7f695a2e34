//! A package mirror with packages made on the spot.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process::{find, run};

/// A package on the mirror.
#[derive(Debug)]
struct Package {
    name: &'static str,
    description: &'static str,
    /// Path, mode and content of its files, maintainer scripts among them.
    files: &'static [(&'static str, u32, &'static str)],
}

/// All of them, version 1.0.
const PACKAGES: [Package; 3] = [
    Package {
        name: "uwt-lab-hello",
        description: "proof that a package came through Tor",
        files: &[
            ("usr/share/uwt-lab-hello/hello", 0o644, "hello\n"),
            ("DEBIAN/postinst", 0o755, "#!/bin/sh\nset -e\necho \"$1\" >/var/lib/uwt-lab-hello.configured\n"),
        ],
    },
    // Whonix's program of this name calls curl with options that are more secure than the usual ones.
    Package {
        name: "uwt-lab-scurl",
        description: "a program that calls another wrapped one",
        files: &[("usr/bin/scurl", 0o755, "#!/bin/sh\nexec curl --silent --show-error --fail \"$@\"\n")],
    },
    Package {
        name: "uwt-lab-daemon",
        description: "a service that is started when it is installed",
        files: &[
            ("usr/sbin/uwt-lab-daemon", 0o755, include_str!("daemon/daemon.pl")),
            ("etc/init.d/uwt-lab-daemon", 0o755, include_str!("daemon/init.sh")),
            ("DEBIAN/conffiles", 0o644, "/etc/init.d/uwt-lab-daemon\n"),
            ("DEBIAN/postinst", 0o755, "#!/bin/sh\nset -e\ninvoke-rc.d uwt-lab-daemon start\n"),
            ("DEBIAN/prerm", 0o755, "#!/bin/sh\nset -e\ninvoke-rc.d uwt-lab-daemon stop\n"),
        ],
    },
];

/// Makes `debian/` below `files`: suite `lab`, component `main`, for this machine's architecture; unsigned, so the
/// sources line needs `[trusted=yes]`.
///
/// # Errors
/// When dpkg-deb is missing or a file cannot be written.
pub fn make_mirror(files: &Path) -> Result<()> {
    let root = files.join("debian");
    fs::create_dir_all(root.join("pool/main"))?;
    let entries: Result<Vec<String>> = PACKAGES.iter().map(|package| make_package(package, &root)).collect();
    let packages = entries?.concat();

    let output = run(Command::new(find("dpkg")).arg("--print-architecture"))?;
    let architecture = String::from_utf8(output.stdout)?.trim().to_owned();
    let suite = root.join("dists/lab");
    let index = format!("main/binary-{architecture}/Packages");
    let path = suite.join(&index);
    fs::create_dir_all(path.parent().context("no parent")?)?;
    fs::write(&path, &packages)?;
    let date = run(Command::new("date").args(["-u", "-R"]))?;
    let release = format!(
        "Origin: lab\nSuite: lab\nCodename: lab\nDate: {}\nArchitectures: {architecture}\nComponents: main\n\
         SHA256:\n {} {} {index}\n",
        String::from_utf8(date.stdout)?.trim().replace("+0000", "UTC"),
        sha256(&path)?,
        packages.len(),
    );
    fs::write(suite.join("Release"), release)?;
    Ok(())
}

/// Makes one package in the mirror at `root`; its paragraph in the index.
fn make_package(package: &Package, root: &Path) -> Result<String> {
    let Package { name, description, files } = package;
    let build = tempfile::tempdir()?;
    let tree = build.path().join("tree");
    let write = |path: &str, mode: u32, content: &str| -> Result<()> {
        let file = tree.join(path);
        fs::create_dir_all(file.parent().context("no parent")?)?;
        fs::write(&file, content)?;
        Ok(fs::set_permissions(&file, fs::Permissions::from_mode(mode))?)
    };
    let control = format!(
        "Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: Lab <lab@invalid.test>\n\
         Description: {description}\n"
    );
    write("DEBIAN/control", 0o644, &control)?;
    files.iter().try_for_each(|(path, mode, content)| write(path, *mode, content))?;
    let pool = format!("pool/main/{name}.deb");
    let deb = root.join(&pool);
    run(Command::new(find("dpkg-deb")).args(["--root-owner-group", "--build"]).arg(&tree).arg(&deb))?;
    let size = fs::metadata(&deb)?.len();
    Ok(format!("{control}Filename: {pool}\nSize: {size}\nSHA256: {}\n\n", sha256(&deb)?))
}

/// The SHA-256 of a file in hex.
pub(super) fn sha256(path: &Path) -> Result<String> {
    let output = run(Command::new("sha256sum").arg(path))?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.split_whitespace().next().context("no sum")?.to_owned())
}

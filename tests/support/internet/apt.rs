//! A package mirror with one package, made on the spot.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process::{find, run};

/// The package on the mirror.
pub const PACKAGE: &str = "uwt-lab-hello";

/// Makes `debian/` below `files`: suite `lab`, component `main`, for this machine's architecture; unsigned, so the
/// sources line needs `[trusted=yes]`.
///
/// # Errors
/// When dpkg-deb is missing or a file cannot be written.
pub fn make_mirror(files: &Path) -> Result<()> {
    let build = tempfile::tempdir()?;
    let tree = build.path().join("tree");
    let control = format!(
        "Package: {PACKAGE}\nVersion: 1.0\nArchitecture: all\nMaintainer: Lab <lab@invalid.test>\n\
         Description: proof that a package came through Tor\n"
    );
    fs::create_dir_all(tree.join("DEBIAN"))?;
    fs::write(tree.join("DEBIAN/control"), &control)?;
    fs::create_dir_all(tree.join("usr/share/uwt-lab-hello"))?;
    fs::write(tree.join("usr/share/uwt-lab-hello/hello"), "hello\n")?;

    let pool = "pool/main/hello.deb";
    let root = files.join("debian");
    let deb = root.join(pool);
    fs::create_dir_all(root.join("pool/main"))?;
    run(Command::new(find("dpkg-deb")).args(["--root-owner-group", "--build"]).arg(&tree).arg(&deb))?;
    let size = fs::metadata(&deb)?.len();
    let packages = format!("{control}Filename: {pool}\nSize: {size}\nSHA256: {}\n\n", sha256(&deb)?);

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

/// The SHA-256 of a file in hex.
fn sha256(path: &Path) -> Result<String> {
    let output = run(Command::new("sha256sum").arg(path))?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.split_whitespace().next().context("no sum")?.to_owned())
}

//! Makes sure that the Debian packages a task needs are there.

mod install;
mod list;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

pub(crate) use list::Group;
use list::{PACKAGES, Package, Proof};

/// Where programs are looked for besides `PATH`, which often lacks the sbin directories.
const SBIN: &[&str] = &["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Installs what the groups miss when we are root, else fails with the line that does it.
pub(crate) fn ensure(groups: &[Group]) -> Result<()> {
    let missing = missing_packages(groups);
    if !missing.is_empty() {
        report(&missing);
        let names: Vec<String> = missing.iter().map(|package| package.name.to_owned()).collect();
        install::install(&with_testsuite(names, groups))?;
        if let Some(still) = missing_packages(groups).first() {
            bail!("{} is installed but {} is still not there", still.name, describe(still.proof));
        }
    }
    // A second look: the interpreter may have come with the packages above.
    if groups.contains(&Group::Test)
        && let Some(name) = missing_testsuite()
    {
        eprintln!("xtask: missing {name}: Python's own network tests, run under uwt");
        install::install(&[name])?;
        if let Some(name) = missing_testsuite() {
            bail!("{name} is installed but its test_socket.py is still not there");
        }
    }
    Ok(())
}

fn missing_packages(groups: &[Group]) -> Vec<&'static Package> {
    PACKAGES
        .iter()
        .filter(|package| package.groups.iter().any(|group| groups.contains(group)))
        .filter(|package| !present(package.proof))
        .collect()
}

fn report(missing: &[&Package]) {
    for package in missing {
        eprintln!("xtask: missing {}: {}", package.name, package.purpose);
    }
}

/// One line that installs everything is better than two: adds Python's test-suite when its name is known already.
fn with_testsuite(mut names: Vec<String>, groups: &[Group]) -> Vec<String> {
    if groups.contains(&Group::Test)
        && let Some(name) = missing_testsuite()
    {
        names.push(name);
    }
    names
}

fn present(proof: Proof) -> bool {
    match proof {
        Proof::Program(name) => find_program(name).is_some(),
        Proof::Include(name) => Path::new("/usr/include").join(name).exists(),
        Proof::File(path) => Path::new(path).exists(),
    }
}

fn describe(proof: Proof) -> String {
    match proof {
        Proof::Program(name) => format!("the program {name}"),
        Proof::Include(name) => format!("/usr/include/{name}"),
        Proof::File(path) => path.to_owned(),
    }
}

/// The program's path, from `PATH` or an sbin directory.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(SBIN.iter().map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}

/// The Debian package of the test-suite of the release's own Python, when it isn't installed. `None` also when
/// there is no Python yet: the list asks for it.
fn missing_testsuite() -> Option<String> {
    let interpreter = fs::read_link("/usr/bin/python3").ok()?;
    let version = python_version(&interpreter)?;
    let proof = PathBuf::from(format!("/usr/lib/python{version}/test/test_socket.py"));
    (!proof.exists()).then(|| testsuite(&version))
}

fn testsuite(version: &str) -> String {
    format!("libpython{version}-testsuite")
}

/// `3.11` from `python3.11`, what `/usr/bin/python3` points at.
fn python_version(interpreter: &Path) -> Option<String> {
    let version = interpreter.file_name()?.to_str()?.strip_prefix("python")?;
    let (major, minor) = version.split_once('.')?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (digits(major) && digits(minor)).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_suite_follows_the_release() {
        assert_eq!(python_version(Path::new("python3.11")).as_deref(), Some("3.11"));
        assert_eq!(python_version(Path::new("/usr/bin/python3.13")).as_deref(), Some("3.13"));
        assert_eq!(testsuite("3.13"), "libpython3.13-testsuite");
        for odd in ["python3", "python3.", "pypy3.9", "python3.11-dbg", ""] {
            assert_eq!(python_version(Path::new(odd)), None, "{odd}");
        }
    }

    #[test]
    fn every_package_is_named_once_and_needed_by_someone() {
        for (index, package) in PACKAGES.iter().enumerate() {
            assert!(!package.groups.is_empty(), "{}", package.name);
            assert!(!PACKAGES[..index].iter().any(|other| other.name == package.name), "{} twice", package.name);
        }
    }

    #[test]
    fn programs_are_found_by_content_not_by_name_alone() {
        assert!(find_program("sh").is_some());
        assert_eq!(find_program("no-such-program-anywhere"), None);
    }
}

//! Whether a command can be wrapped.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::dangerous;
use super::dpkg;
use super::machine::{Machine, WRAPPERS};
use super::names::{FOLDERS, find, leads_to_uwt, links, original};
use super::state::{exists, owner, repair};
use crate::program;

/// What is to be done about a command that is named.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Candidate {
    /// Its path, and what to know about it.
    Wrap(PathBuf, Option<String>),
    /// It is wrapped, by whom or by which link.
    Already(PathBuf, String),
    /// Why it cannot be.
    Refused(PathBuf, String),
}

/// Looks at the command of this name or path.
///
/// # Errors
/// dpkg does not answer.
pub(super) fn look(name: &OsStr, machine: &Machine) -> anyhow::Result<Candidate> {
    let Some(called) = find(name) else {
        let why = "no such program is installed; check the spelling, or install it first";
        return Ok(Candidate::Refused(PathBuf::from(name), why.to_owned()));
    };
    let links = links(&called);
    // update-alternatives(1) puts its link back at every upgrade: what it leads to is wrapped, and it with that.
    let is_alternative = links.get(1).is_some_and(|link| link.starts_with("/etc/alternatives"));
    let path = if is_alternative { links.get(2).unwrap_or(&called) } else { &called }.clone();
    if let Some(done) = already(&called, &path, machine) {
        return Ok(done);
    }
    let program = if exists(&original(&path)) { original(&path) } else { path.clone() };
    if let Some(why) = refusal(&path, &program, machine)? {
        return Ok(Candidate::Refused(path, why));
    }
    let note =
        is_alternative.then(|| format!("{} leads to it (update-alternatives), as long as it does", called.display()));
    Ok(Candidate::Wrap(path, note))
}

/// Whether it is wrapped, or a wrapper that somebody else has to mend.
fn already(called: &Path, path: &Path, machine: &Machine) -> Option<Candidate> {
    let links = links(path);
    let wrapped = links.iter().find(|link| machine.diversion(link).is_some_and(|it| it.to == original(&it.from)))?;
    let whole = leads_to_uwt(called) && !machine.changing.contains(wrapped);
    match owner(wrapped, machine)?.as_str() {
        "uwtctl" if whole => Some(Candidate::Already(wrapped.clone(), "by uwtctl".to_owned())),
        "uwtctl" => None,
        "administrator" if machine.changing.contains(wrapped) => None,
        "administrator" if whole => {
            Some(Candidate::Already(wrapped.clone(), "by a diversion of the administrator's own".to_owned()))
        }
        "administrator" => Some(Candidate::Refused(
            wrapped.clone(),
            format!(
                "the administrator diverts it; `dpkg-divert --local --rename --remove {}` ends that",
                wrapped.display()
            ),
        )),
        package if whole => Some(Candidate::Already(wrapped.clone(), format!("by the package {package}"))),
        WRAPPERS => {
            Some(Candidate::Refused(wrapped.clone(), format!("its wrapper is broken; {}", repair(wrapped, machine))))
        }
        package => {
            Some(Candidate::Refused(wrapped.clone(), format!("the package {package} has wrapped it in its own way")))
        }
    }
}

/// Why it must not be wrapped. `program` is where the program itself is.
fn refusal(path: &Path, program: &Path, machine: &Machine) -> anyhow::Result<Option<String>> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if !FOLDERS.iter().any(|known| folder == Path::new(known)) {
        let typed =
            if program::find(Path::new(&*name)).as_deref() == Some(path) { &name } else { &path.to_string_lossy() };
        return Ok(Some(format!(
            "only programs of packages are diverted, those in {}; type `uwt {typed}` instead, or give your shell an alias",
            FOLDERS.join(", ")
        )));
    }
    if !name.chars().all(|letter| letter.is_ascii_alphanumeric() || "._+-@:".contains(letter)) || name.starts_with('-')
    {
        return Ok(Some("its name has a character that wrappers cannot have".to_owned()));
    }
    let end = program.canonicalize().ok();
    let names = links(program).into_iter().chain(end.clone()).chain([path.to_owned()]);
    if let Some(why) = names.into_iter().find_map(|name| dangerous::reason(&name)) {
        return Ok(Some(why.to_owned()));
    }
    let Some(end) = end else { return Ok(Some("it is a link that leads nowhere".to_owned())) };
    let status = fs::metadata(&end)?;
    let mode = status.permissions().mode();
    if !status.is_file() || mode & 0o111 == 0 {
        return Ok(Some("it is no program".to_owned()));
    }
    if mode & 0o6000 != 0 || has_capabilities(&end) {
        let why = "it is started with rights of its own (setuid, setgid or file capabilities), which the kernel gives to no \
                   program that uwt confines (no_new_privs): it would stop working";
        return Ok(Some(why.to_owned()));
    }
    if let Some(diversion) = machine.diversion(path).filter(|_| !machine.added.contains(path)) {
        let whose = diversion.by.as_ref().map_or("the administrator".to_owned(), |by| format!("the package {by}"));
        return Ok(Some(format!("{whose} diverts it to {}; that has to end first", diversion.to.display())));
    }
    let aliases = [path.to_owned(), Path::new("/").join(path.strip_prefix("/usr").unwrap_or(path))];
    for package in dpkg::packages(aliases.iter().map(PathBuf::as_path))?.values() {
        let package = package.split(", ").next().unwrap_or(package);
        if dpkg::is_essential(package)? {
            return Ok(Some(format!(
                "it is of the package {package}, which the system needs to start and to install others"
            )));
        }
    }
    Ok(None)
}

/// capabilities(7): whether execve(2) would give it some.
fn has_capabilities(file: &Path) -> bool {
    let mut value = [0; 64];
    rustix::fs::getxattr(file, "security.capability", &mut value).is_ok_and(|length| length > 0)
}

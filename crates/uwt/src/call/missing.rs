//! A wrapped command whose program is not installed.

use std::io;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::chain;
use super::search::{Found, look, search};
use crate::environment::Environment;
use crate::message::{self, Failure};

/// Where Debian's package command-not-found keeps its program, which is not in PATH.
const HANDLER: &str = "/usr/lib/command-not-found";

/// Packages that are not called as the command.
const PACKAGES: &[(&str, &str)] = &[
    ("apt-get", "apt"),
    ("aptitude-curses", "aptitude"),
    ("dnf-3", "dnf"),
    ("gpg", "gnupg"),
    ("gpg2", "gnupg2"),
    ("mixmaster-update", "mixmaster"),
    ("onionshare-gui", "onionshare"),
    ("ricochet", "ricochet-im"),
    ("scp", "openssh-client"),
    ("sftp", "openssh-client"),
    ("ssh", "openssh-client"),
    ("wormhole", "magic-wormhole"),
    ("yumdownloader", "yum-utils"),
];

/// Says that the wrapper `called` has no program, asks the system's command-not-found too, and ends with
/// [`Failure::NOT_FOUND`].
pub(crate) fn report(called: &Path, environment: &Environment) -> Failure {
    // Of a chain of links the last name that is not ours is the one that a package would bring.
    let links = chain::links(called);
    let wrapper = links.iter().rfind(|link| link.file_name().is_some_and(|name| name != super::invocation::NAME));
    let program = chain::unwrapped(wrapper.map_or(called, PathBuf::as_path)).unwrap_or_else(|| called.to_owned());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_owned();
    let shown = name.to_string_lossy().into_owned();
    let package = PACKAGES.iter().find(|(command, _)| *command == shown).map_or(shown.as_str(), |(_, package)| package);
    let failure = Failure::not_found(format!(
        "{}: not found; the package that brings {shown} may be missing, perhaps {package}: install it",
        chain::with_original(&program).display(),
    ));
    let handler = match search("command-not-found".as_ref(), environment.get("PATH")) {
        Found::Executable(path) => path,
        Found::Denied(_) | Found::Nothing => HANDLER.into(),
    };
    if let Found::Executable(handler) = look(&handler) {
        let mut command = Command::new(&handler);
        command.arg("--ignore-installed").arg(&name);
        // What it says is not the program's output.
        command.stdout(io::stderr().as_fd().try_clone_to_owned().map_or_else(|_| Stdio::null(), Stdio::from));
        if let Err(error) = command.status() {
            message::print(format_args!("{}: {error}", handler.display()));
        }
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::tests::environment;

    #[test]
    fn it_names_the_file_and_the_package() {
        let nothing = environment(&["PATH=/nonexistent"]);
        for (called, file, package) in [
            ("/usr/bin/apt-get.anondist", "/usr/bin/apt-get.anondist-orig: not found", "perhaps apt:"),
            ("/nonexistent/scurl", "/nonexistent/scurl.anondist-orig: not found", "perhaps scurl:"),
        ] {
            let failure = report(Path::new(called), &nothing);
            assert_eq!(failure.status, Failure::NOT_FOUND);
            assert!(failure.message.starts_with(file) && failure.message.contains(package), "{}", failure.message);
        }
    }
}

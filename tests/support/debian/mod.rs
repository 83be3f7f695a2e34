//! A fresh Debian 12 of one's own, to install packages in and type commands: gone without a trace when dropped, and when the
//! test's process ends, however that happens.
//!
//! It is a mount, process, host name and IPC namespace with the root that `cargo xtask debian` made under a file system in
//! memory; what else the root has is listed there (`xtask/src/debian/recipe.rs`). An ordinary user called `user` may become
//! root by sudo without a password. No init system runs; process 1 only reaps.
//!
//! ```no_run
//! use support::debian::{Debian, Network, Who};
//! use support::lab::Lab;
//!
//! // Without any network:
//! let debian = Debian::fresh(Network::None);
//! debian.write("tmp/hello", "hello\n", 0o644); // or std::fs with debian.path(…)
//! assert_eq!(debian.run(&["dpkg", "--verify"]).succeeded(), ""); // as root
//! let ran = debian.types(Who::User, "cat /tmp/hello | tr h H; exit 3"); // a login shell, with no environment of ours
//! assert_eq!((ran.status, ran.out.as_str()), (Some(3), "Hello\n"));
//!
//! // In a workstation of the lab, with its resolv.conf; its counters and sniffer see every packet:
//! let lab = Lab::attach();
//! let workstation = lab.private_workstation();
//! let other = Debian::fresh(Network::Of(&workstation));
//! other.types(Who::User, "curl -sS http://www.lab.test/").succeeded();
//! workstation.assert_no_leaks();
//!
//! // What took long to prepare, once for each test; `debian` itself must not change any more:
//! let copy = debian.copy(Network::None);
//! assert_eq!(copy.read("tmp/hello"), "hello\n");
//! ```
//!
//! [`Debian::command`] gives an ordinary [`Command`], to be spawned, killed or fed. Killing it kills nsenter(1) and
//! timeout(1) only: end what runs inside with `debian.run(&["kill", …])`, by its process id there.
//!
//! The file system is an overlay, as in most containers: a file that comes with the root keeps its inode number when it is
//! written to, but a hard link that is made of it has another one. So `-ef` of test(1) is false for the two.

mod ran;

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

pub use ran::Ran;

use crate::netns::Workstation;
use crate::process::{find, run};

/// Becomes process 1.
const START: &str = include_str!("start.sh");
/// Seconds until timeout(1) ends a command; none takes longer on any machine.
const LIMIT: &str = "150";
/// The namespaces that a Debian has to itself, as options of unshare(1) and nsenter(1).
const NAMESPACES: [&str; 4] = ["--mount", "--pid", "--uts", "--ipc"];

/// What a fresh Debian is connected to.
#[derive(Clone, Copy, Debug)]
pub enum Network<'a> {
    /// Nothing but a loopback device of its own.
    None,
    /// The lab's gateway, by the network namespace of this workstation.
    Of(&'a Workstation),
}

/// Who runs a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The superuser.
    Root,
    /// An ordinary user, `user`, who may use sudo.
    User,
}

impl Who {
    /// Name and home directory.
    #[must_use]
    pub fn name_and_home(self) -> (&'static str, &'static str) {
        match self {
            Self::Root => ("root", "/root"),
            Self::User => ("user", "/home/user"),
        }
    }
}

/// A fresh Debian.
#[derive(Debug)]
pub struct Debian {
    child: Child,
    /// The id of its process 1, as seen from outside.
    first: u32,
}

impl Debian {
    /// Over the root that `UWT_DEBIAN_ROOT` names.
    ///
    /// # Panics
    /// When there is none, or it cannot be entered; the test must be root.
    #[must_use]
    pub fn fresh(network: Network<'_>) -> Self {
        let root = std::env::var_os("UWT_DEBIAN_ROOT").map(PathBuf::from).filter(|root| root.is_dir());
        let advice = "run `cargo xtask test`, or export what `cargo xtask debian` prints";
        let root = root.unwrap_or_else(|| panic!("UWT_DEBIAN_ROOT does not name a folder: {advice}"));
        Self::start(&find("unshare"), &[], &root, network)
            .unwrap_or_else(|error| panic!("start a Debian over {}: {error:#}", root.display()))
    }

    /// Another one, which has all files of this one. This one must not write to its files any more while the copy lives.
    ///
    /// A copy of a copy does not work: the kernel stacks two overlays and no more.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn copy(&self, network: Network<'_>) -> Self {
        let enter = ["--target".to_owned(), self.first.to_string(), "--mount".to_owned(), "unshare".to_owned()];
        Self::start(&find("nsenter"), &enter, Path::new("/"), network)
            .unwrap_or_else(|error| panic!("copy a Debian: {error:#}"))
    }

    /// Starts process 1 with `program` and its first arguments before those of unshare(1).
    fn start(program: &Path, before: &[String], lower: &Path, network: Network<'_>) -> Result<Self> {
        let mut command = match network {
            Network::None => Command::new(program),
            Network::Of(workstation) => workstation.command(program),
        };
        command.args(before).args(NAMESPACES).args(["--fork", "--kill-child"]);
        if matches!(network, Network::None) {
            command.arg("--net");
        }
        // Its own input keeps it alive: the kernel closes that whatever becomes of this process.
        command.args(["sh", "-c", START, "start.sh"]).arg(lower).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").current_dir("/");
        let mut child = command.spawn().with_context(|| format!("start {}", program.display()))?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
        if line != "ready\n" {
            bail!("it ended with {}; standard error says why", child.wait()?);
        }
        // unshare(1) has this one child.
        let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id()))?;
        let first = children.trim_end().parse().with_context(|| format!("one child: {children}"))?;
        let debian = Self { child, first };
        debian.name_servers(network)?;
        Ok(debian)
    }

    /// What a machine in this network has in /etc.
    fn name_servers(&self, network: Network<'_>) -> Result<()> {
        self.write("etc/hostname", "debian\n", 0o644);
        self.write("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 debian\n", 0o644);
        self.write("etc/resolv.conf", "", 0o644);
        match network {
            Network::None => {
                let up = ["--net", "ip", "link", "set", "lo", "up"];
                run(Command::new(find("nsenter")).args(["--target", &self.first.to_string()]).args(up))?;
            }
            Network::Of(workstation) => {
                for entry in std::fs::read_dir(workstation.netns().etc())? {
                    let entry = entry?;
                    std::fs::copy(entry.path(), self.path("etc").join(entry.file_name()))?;
                }
            }
        }
        Ok(())
    }

    /// Where a file is, seen from outside. Not for symbolic links with absolute targets: they would lead outside.
    #[must_use]
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        Path::new(&format!("/proc/{}/root", self.first)).join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The text of a file.
    ///
    /// # Panics
    /// When it cannot be read.
    #[track_caller]
    #[must_use]
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("read {path}: {error}"))
    }

    /// Writes a file of root's, with the folders above it.
    ///
    /// # Panics
    /// When it cannot be written.
    #[track_caller]
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>, mode: u32) {
        let written = (|| {
            let file = self.path(path);
            std::fs::create_dir_all(file.parent().unwrap_or(&file))?;
            std::fs::write(&file, content)?;
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode))
        })();
        written.unwrap_or_else(|error| panic!("write {path}: {error}"));
    }

    /// A program with arguments, in the user's home directory, with the environment of a fresh login and no input; ended by
    /// timeout(1) after a while.
    #[must_use]
    pub fn command<S: AsRef<OsStr>>(&self, who: Who, words: impl IntoIterator<Item = S>) -> Command {
        let (name, home) = who.name_and_home();
        let mut command = Command::new(find("nsenter"));
        command.args(["--target", &self.first.to_string()]).args(NAMESPACES).args(["--net", &format!("--wdns={home}")]);
        // Debian's own setpriv: it looks up the names there.
        command.args(["setpriv", "--reuid", name, "--regid", name, "--init-groups", "--reset-env", "timeout", LIMIT]);
        command.args(words).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null());
        command
    }

    /// Runs a program to its end, as root.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    #[must_use]
    pub fn run<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Ran {
        Ran::of(&mut self.command(Who::Root, words))
    }

    /// Runs a line of shell to its end, as somebody who has just logged in and types it.
    ///
    /// # Panics
    /// When the shell cannot be started.
    #[track_caller]
    #[must_use]
    pub fn types(&self, who: Who, line: &str) -> Ran {
        Ran::of(&mut self.command(who, ["bash", "--login", "-c", line]))
    }

    /// Ends it, and waits until everything in it has ended.
    fn end(&mut self) -> Result<()> {
        drop(self.child.stdin.take());
        let status = self.child.wait()?;
        ensure!(status.success(), "process 1 ended with {status}");
        Ok(())
    }
}

impl Drop for Debian {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("a Debian of the tests: {error:#}");
        }
    }
}

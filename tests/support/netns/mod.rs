//! Network namespaces: a gateway with "the internet" behind it, and workstations whose every packet is watched.
//!
//! Two watchers per workstation: nft counters in the output hook ([`Counters`]), and a packet socket that also sees what
//! bypasses the IP stack ([`Leak`]). Neither exempts anything but TCP to the allowed ports of the gateway. That is
//! possible because the kernel sends nothing of its own accord here:
//! - the veth is NOARP with the same hardware address at both ends: no ARP, no neighbour discovery, no joining of
//!   solicited-node groups (MLD). A packet to a neighbour that does not exist is sent and counted as what it is;
//! - MULTICAST is off, no link-local address is made (`addr_gen_mode`), duplicate address detection, router
//!   solicitation and forwarding are off.
//!
//! What crosses `lo` stays on the machine and is not counted.

mod command;
mod counters;
mod gateway;
mod packet;
mod sniffer;
mod workstation;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use nix::sched::{CloneFlags, setns};

pub use command::Identity;
pub use counters::Counters;
pub use gateway::{GATEWAY_V4, GATEWAY_V6, Namespaces, SOCKS_PORT};
pub(crate) use gateway::{internet_v4, internet_v6};
pub use packet::Leak;
pub use workstation::Workstation;

use crate::process::{is_running, run};

/// Where iproute2 keeps named namespaces.
const RUN: &str = "/run/netns";
/// Where iproute2 keeps the files that replace those of /etc inside a namespace.
const ETC: &str = "/etc/netns";

/// A named network namespace (as `ip netns list` shows it).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Netns {
    name: String,
}

impl Netns {
    /// A namespace that somebody else made and removes.
    #[must_use]
    pub fn attach(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// Makes a namespace with `lo` up.
    pub(crate) fn create(name: &str) -> Result<Self> {
        run(Command::new("ip").args(["netns", "add", name])).context("make a network namespace (must be root)")?;
        let netns = Self::attach(name);
        netns.ip(&["link", "set", "lo", "up"])?;
        Ok(netns)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that stands for it.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        Path::new(RUN).join(&self.name)
    }

    /// The files that programs started by [`command`](Self::command) see in /etc instead of the host's.
    #[must_use]
    pub fn etc(&self) -> PathBuf {
        Path::new(ETC).join(&self.name)
    }

    /// Moves the *calling thread* into the namespace, for good.
    ///
    /// # Errors
    /// When it is gone or the caller is not root.
    pub fn enter(&self) -> Result<()> {
        let file = File::open(self.path()).with_context(|| format!("open namespace {}", self.name))?;
        setns(file, CloneFlags::CLONE_NEWNET).with_context(|| format!("enter namespace {}", self.name))
    }

    /// Runs a closure on a thread of its own inside the namespace. Sockets made there stay there.
    ///
    /// # Errors
    /// When the namespace cannot be entered, and whatever the closure returns.
    ///
    /// # Panics
    /// When the closure panics.
    pub fn run<T: Send>(&self, action: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                self.enter()?;
                action()
            });
            match thread.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    /// A command that will run inside the namespace, as the current user, with the namespace's `/etc/resolv.conf`.
    ///
    /// It is an ordinary [`Command`]: arguments, environment, `arg0`, pipes are as outside; the process is not wrapped
    /// in another one. Don't set `uid` or `gid` on it: use [`command_as`](Self::command_as).
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        self.command_as(program, None)
    }

    /// As [`command`](Self::command), as another user.
    #[must_use]
    pub fn command_as(&self, program: impl AsRef<std::ffi::OsStr>, user: Option<Identity>) -> Command {
        command::build(self, program.as_ref(), user)
    }

    /// Runs `ip` with arguments inside the namespace.
    pub(crate) fn ip(&self, arguments: &[&str]) -> Result<()> {
        run(Command::new("ip").args(["-n", &self.name]).args(arguments)).map(drop)
    }

    /// Runs lines of `ip` commands inside the namespace in one go.
    pub(crate) fn ip_batch(&self, lines: &str) -> Result<()> {
        let mut command = Command::new("ip");
        command.args(["-n", &self.name, "-batch", "-"]);
        crate::process::run_with_input(&mut command, lines).map(drop)
    }

    /// Runs an nft script inside the namespace.
    pub(crate) fn nft(&self, script: &str) -> Result<()> {
        let mut command = self.command("nft");
        command.args(["-f", "-"]);
        crate::process::run_with_input(&mut command, script).map(drop)
    }

    /// Writes a sysctl of the namespace, e.g. `net/ipv4/ip_forward`.
    pub(crate) fn sysctl(&self, values: &[(&str, &str)]) -> Result<()> {
        // /proc/sys/net shows the namespace of the thread that opens it.
        self.run(|| {
            for (key, value) in values {
                let path = Path::new("/proc/sys").join(key);
                std::fs::write(&path, value).with_context(|| format!("set {} to {value}", path.display()))?;
            }
            Ok(())
        })
    }

    /// Ends what still runs inside, then removes the namespace and its files in /etc/netns.
    pub(crate) fn remove(&self) {
        use nix::sys::signal::{Signal, kill};
        // Best effort all along: it is called from Drop and for leftovers that may be half gone.
        if let Ok(output) = Command::new("ip").args(["netns", "pids", &self.name]).output() {
            for pid in String::from_utf8_lossy(&output.stdout).split_whitespace().filter_map(|pid| pid.parse().ok()) {
                if pid != std::process::id().cast_signed() {
                    let _ = kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL);
                }
            }
        }
        let _ = Command::new("ip").args(["netns", "del", &self.name]).output();
        let _ = std::fs::remove_dir_all(self.etc());
    }
}

/// Removes the namespaces of labs whose process is gone.
///
/// Their names are `uwt-<pid>-<what>`.
pub fn remove_leftovers() {
    let names = |dir: &str| std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.file_name());
    for name in names(RUN).chain(names(ETC)) {
        let Some(name) = name.to_str() else { continue };
        let owner = name.strip_prefix("uwt-").and_then(|rest| rest.split('-').next());
        let Some(owner) = owner.and_then(|pid| pid.parse::<u32>().ok()) else { continue };
        if !is_running(owner) {
            Netns::attach(name).remove();
        }
    }
}

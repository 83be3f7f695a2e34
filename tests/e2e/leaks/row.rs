//! What a row of the table is.

/// One way to reach the network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// What is special about it.
    pub(crate) name: &'static str,
    /// A command; `{…}` stands for what [`Place`](crate::place::Place) fills in.
    pub(crate) command: &'static str,
    /// Without uwt.
    pub(crate) bare: Expect,
    /// With the preload library alone.
    pub(crate) off: Expect,
    /// With the guard, which refuses what the preload does not carry.
    pub(crate) deny: Expect,
    /// With the guard and the cage.
    pub(crate) tunnel: Expect,
}

/// What is expected of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expect {
    /// Packets leave the workstation past the gateway.
    Leaks,
    /// Nothing leaves but to the gateway, which is asked for these targets; the program says something that contains the
    /// text.
    Carried(&'static [&'static str], &'static str),
    /// Nothing leaves, not even to the gateway, and the program (or uwt) says something that contains this.
    Says(&'static str),
    /// Nothing leaves: what the program is told depends on the kernel.
    Quiet,
    /// As root, and as another user.
    Differs(&'static Expect, &'static Expect),
}

/// What happened.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Packets that left past the gateway.
    pub(crate) leaks: Vec<String>,
    /// What the gateway was asked for, `name:port` or `address:port`.
    pub(crate) targets: Vec<String>,
    /// Whether each request came with a credential.
    pub(crate) isolated: bool,
    /// The lines of both outputs and how it ended, joined by `; `.
    pub(crate) said: String,
}

/// A row of the table.
pub(crate) const fn row(name: &'static str, command: &'static str, [bare, off, deny, tunnel]: [Expect; 4]) -> Row {
    Row { name, command, bare, off, deny, tunnel }
}

/// Its stream to the echo server by address is carried.
pub(crate) const CARRIED: Expect = Expect::Carried(&["203.0.113.6:7"], "answer hi");
/// The same to its IPv6 address.
pub(crate) const CARRIED6: Expect = Expect::Carried(&["2001:db8::6:7"], "answer hi");
/// The same by its name.
pub(crate) const NAMED: Expect = Expect::Carried(&["echo.lab.test:7"], "answer hi");
/// The launcher, or the library before an exec, does not run what it could not carry.
pub(crate) const NOT_RUN: Expect = Expect::Says("not run");
/// The launcher finds a socket that nobody could tell from one of its own later.
pub(crate) const FROM_BEFORE: Expect = Expect::Says("from before uwt was started");
/// There is no socket to begin with.
pub(crate) const DENIED: Expect = Expect::Says("socket: EACCES");

impl Seen {
    /// In a few words, for the table.
    pub(crate) fn verdict(&self) -> String {
        let said = self.said.replace('|', "/");
        if !self.leaks.is_empty() {
            "**leaks**".to_owned()
        } else if !self.targets.is_empty() {
            format!("carried to {}", self.targets.join(", "))
        } else if said.contains("not run") {
            "not started".to_owned()
        } else {
            said.split("; ").next().unwrap_or_default().to_owned()
        }
    }
}

impl Expect {
    /// Whether it was so.
    pub(crate) fn fits(&self, seen: &Seen, root: bool) -> bool {
        let quiet = seen.leaks.is_empty() && seen.targets.is_empty();
        match self {
            Self::Leaks => !seen.leaks.is_empty(),
            Self::Carried(targets, text) => {
                seen.leaks.is_empty() && seen.isolated && seen.targets == **targets && seen.said.contains(text)
            }
            Self::Says(text) => quiet && seen.said.contains(text),
            Self::Quiet => quiet,
            Self::Differs(as_root, as_other) => (if root { as_root } else { as_other }).fits(seen, root),
        }
    }

    /// Whether packets may leave; such rows have a workstation of their own.
    pub(crate) fn leaks(&self, root: bool) -> bool {
        match self {
            Self::Leaks => true,
            Self::Differs(as_root, as_other) => (if root { as_root } else { as_other }).leaks(root),
            Self::Carried(..) | Self::Says(_) | Self::Quiet => false,
        }
    }
}

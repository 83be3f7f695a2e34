//! What an audit finds out, as it is given to programs.

use serde::Serialize;
use uwt_report::{Destination, GuardLevel, Layer, Transport};

/// How isolated something was, from the best to the worst. Several may hold for a process, the last of them is its verdict:
/// so what is not known overrides what looks good, and is overridden by what is known to be bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// It asked for nothing that would have left this machine.
    NothingSent,
    /// Everything was carried, with a credential of its own.
    Isolated,
    /// It cannot be told.
    Unknown,
    /// Something was refused, and so did not get out either.
    RefusedParts,
    /// The library did not see everything; only the guard kept it from the network.
    WouldLeak,
    /// What it sent was carried with a credential that somebody else used or may use.
    SharesCredential,
}

/// Everything about a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Audit {
    /// The words behind `uwtctl audit`; `None` where a report was read.
    pub(crate) command: Option<Vec<String>>,
    /// How it ended; `None` where a report was read.
    pub(crate) ended: Option<Ended>,
    /// How the tree ran; `None` where the report does not begin.
    pub(crate) setting: Option<Setting>,
    /// Whether the report has its end and nothing before it is missing.
    pub(crate) complete: bool,
    /// The worst of what is found.
    pub(crate) verdict: Verdict,
    /// What is found in the whole tree, the worst first; each verdict once.
    pub(crate) findings: Vec<Finding>,
    /// The processes: each behind the one that started it.
    pub(crate) processes: Vec<Process>,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ended {
    /// With this exit status.
    Status(i32),
    /// By the signal of this number.
    Signal(i32),
}

/// How a tree ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Setting {
    /// What became of the sockets that the library did not see.
    pub(crate) guard: GuardLevel,
    /// What shares a credential with what.
    pub(crate) scope: String,
    /// The SocksPort.
    pub(crate) gateway: Destination,
}

/// Something that holds for the tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// What holds.
    pub(crate) verdict: Verdict,
    /// The processes for which it does.
    pub(crate) processes: Vec<u32>,
    /// What was seen, in sentences.
    pub(crate) why: String,
    /// What to do about it, in sentences; empty where there is nothing to do.
    pub(crate) advice: String,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Process {
    /// Its id; 0 stands for those of which nothing is known.
    pub(crate) pid: u32,
    /// Its start time in clock ticks since boot: with the id, it is one process only.
    pub(crate) start: u64,
    /// The id of the process that started it.
    pub(crate) parent: Option<u32>,
    /// How many of the listed processes are above it.
    pub(crate) depth: usize,
    /// What it ran, one after the other; empty where that is unknown.
    pub(crate) programs: Vec<Program>,
    /// The worst of `findings`.
    pub(crate) verdict: Verdict,
    /// What holds for it, the worst first.
    pub(crate) findings: Vec<Verdict>,
    /// Whom it shares credentials with.
    pub(crate) shares: Vec<Share>,
    /// The names it looked up.
    pub(crate) lookups: Vec<Counted<Lookup>>,
    /// Where it connected through the gateway.
    pub(crate) connections: Vec<Counted<Connection>>,
    /// The services of this machine that it reached directly.
    pub(crate) local: Vec<Counted<Local>>,
    /// What it was refused.
    pub(crate) refused: Vec<Counted<Refusal>>,
    /// Where it let others connect.
    pub(crate) servers: Vec<Counted<Server>>,
}

/// A program that a process ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Program {
    /// Its path, where it is known.
    pub(crate) path: Option<String>,
    /// Its arguments, `argv[0]` first; empty where they are unknown.
    pub(crate) arguments: Vec<String>,
    /// Whether the library ran in it.
    pub(crate) preload: bool,
}

/// A credential that is not a process's alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Share {
    /// Which one; `None` is no credential at all, as every client has that sends none.
    pub(crate) credential: Option<String>,
    /// The other processes of the tree that used it.
    pub(crate) with: Vec<u32>,
}

/// Something that happened so many times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Counted<T> {
    /// What happened.
    #[serde(flatten)]
    pub(crate) what: T,
    /// How often.
    pub(crate) count: u64,
}

/// A name was looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Lookup {
    /// The name, or the address whose name was asked for.
    pub(crate) name: String,
    /// Who carried it out.
    pub(crate) layer: Layer,
    /// What it was sent with.
    pub(crate) credential: Option<String>,
    /// Whether the gateway was asked; else the exit is, by a connection.
    pub(crate) sent: bool,
    /// Why it failed; `None` where it did not.
    pub(crate) failed: Option<String>,
}

/// A connection through the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Connection {
    /// Where to.
    pub(crate) destination: Destination,
    /// Who carried it.
    pub(crate) layer: Layer,
    /// What it was sent with.
    pub(crate) credential: Option<String>,
    /// Why it failed; `None` where it did not.
    pub(crate) failed: Option<String>,
}

/// A service of this machine was reached directly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Local {
    /// Where.
    pub(crate) destination: Destination,
    /// Who let it through.
    pub(crate) layer: Layer,
    /// Whether it is a SocksPort: what was asked there, and with which credential, only Tor knows.
    pub(crate) tor: bool,
    /// Why it could not connect; `None` where it could, and where that is not known.
    pub(crate) failed: Option<String>,
}

/// Something was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Refusal {
    /// What was wanted, as the rest of a sentence behind the program's name.
    pub(crate) what: String,
    /// Who refused.
    pub(crate) layer: Layer,
    /// Over which protocol, where that is known.
    pub(crate) transport: Option<Transport>,
    /// Where to, where that is known.
    pub(crate) destination: Option<Destination>,
    /// The name of the errno that the program was told.
    pub(crate) errno: String,
}

/// Others can connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Server {
    /// Where.
    pub(crate) address: Destination,
    /// Who let it.
    pub(crate) layer: Layer,
}

impl Verdict {
    /// As it is said.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::NothingSent => "nothing sent",
            Self::Isolated => "isolated",
            Self::Unknown => "unknown",
            Self::RefusedParts => "refused parts",
            Self::WouldLeak => "would leak without the guard",
            Self::SharesCredential => "carried but shares a credential",
        }
    }
}

impl Process {
    /// Its name for people: the program's, as far as it is known.
    pub(crate) fn name(&self) -> String {
        let program = self.programs.last().and_then(|program| program.path.as_deref());
        match program {
            Some(path) => format!("{} (pid {})", path.rsplit('/').next().unwrap_or(path), self.pid),
            None if self.pid == 0 => "unknown processes".to_owned(),
            None => format!("unknown program (pid {})", self.pid),
        }
    }

    /// The command line of the program that it ran last, with the program's name in front; the process's id where that is
    /// not known.
    pub(crate) fn command_line(&self) -> String {
        let Some(Program { path: Some(path), arguments, .. }) = self.programs.last() else {
            return self.name();
        };
        let name = path.rsplit('/').next().unwrap_or(path);
        let arguments = arguments.iter().skip(1).map(String::as_str);
        std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
    }

    /// The credentials of what it sent; `None` is what was sent without one.
    pub(crate) fn credentials(&self) -> impl Iterator<Item = Option<&str>> {
        let lookups = self.lookups.iter().filter(|lookup| lookup.what.sent).map(|lookup| &lookup.what.credential);
        let connections = self.connections.iter().map(|connection| &connection.what.credential);
        lookups.chain(connections).map(Option::as_deref)
    }
}

/// `host:port`, an IPv6 address in brackets.
pub(crate) fn place(destination: &Destination) -> String {
    let Destination { host, port } = destination;
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Which part of uwt, for people.
pub(crate) fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Preload => "preload",
        Layer::Relay => "relay",
        Layer::Cage => "cage",
        Layer::Program => "program",
        Layer::Guard => "guard",
    }
}

//! The events.

use serde::{Deserialize, Serialize};

/// Something that a process of the tree did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Nanoseconds since the report began. Lines are written in the order in which things became known: a program whose
    /// beginning is told late has an earlier time than the lines before it.
    pub time: u64,
    /// The process's id (thread group) as the helper sees it; 0 where it is not known, and where there is none.
    pub pid: u32,
    /// Its start time in clock ticks since boot (proc_pid_stat(5), field 22): with the id, it is one process only.
    pub start: u64,
    /// What it did.
    #[serde(flatten)]
    pub happening: Happening,
}

/// What a process did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Happening {
    /// The tree began: the first of all events, about the tree's first process and before that runs a program. A report
    /// without it is one of nothing: the command ran without uwt, or not at all.
    Begin {
        /// What becomes of the sockets that the preload does not see.
        guard: GuardLevel,
        /// What shares a credential with what, as in the configuration (`scope` in uwt.d(5)).
        scope: String,
        /// The SocksPort that everything goes to.
        gateway: Destination,
    },
    /// No process of the tree is left: the last of all events, about the same process as [`Happening::Begin`]. Where it is
    /// missing the tree still runs, or the helper was ended before it: there is more than the report says.
    End,
    /// It began to run a program: first of all events about that program, and again after each execve(2).
    Process {
        /// The process that started it, where that is still known.
        parent: Option<u32>,
        /// The path of the program, where /proc tells it.
        program: Option<String>,
        /// The arguments, argv\[0\] first; empty where /proc does not tell them.
        arguments: Vec<String>,
        /// Whether the preload runs in it. Without it only the guard sees what the program does.
        preload: bool,
    },
    /// It looked up a name or an address.
    Lookup {
        /// Who carried it out.
        layer: Layer,
        /// The name, or the address whose name was asked for.
        name: String,
        /// The credential it was sent with; `None` where none was: in the scope `none`, and where nothing was sent, because
        /// the exit looks the name up when the program connects.
        credential: Option<String>,
        /// Whether anything was sent to the gateway for it.
        sent: bool,
        /// How it went.
        outcome: Outcome,
    },
    /// It connected somewhere through the gateway.
    Connection {
        /// Who carried it out.
        layer: Layer,
        /// Where to.
        destination: Destination,
        /// The label of the credential; `None` in the scope that sends none.
        credential: Option<String>,
        /// How it went.
        outcome: Outcome,
    },
    /// It reached a service of this machine directly, as the configuration allows.
    Local {
        /// Who let it through.
        layer: Layer,
        /// Where to.
        destination: Destination,
        /// Why it could not connect; `None` where it could, and where that is not known.
        #[serde(default)]
        failed: Option<String>,
    },
    /// It asked for what cannot be carried.
    Refused {
        /// Who refused.
        layer: Layer,
        /// What it wanted, as the rest of a sentence behind the program's name.
        what: String,
        /// Over which protocol, where that is known.
        transport: Option<Transport>,
        /// Where to, where that is known.
        destination: Option<Destination>,
        /// The name of the errno that it was told (errno(3)), or of the answer where a name server's took its place.
        errno: String,
    },
    /// It made a server.
    Server {
        /// Who let it.
        layer: Layer,
        /// Where it listens.
        address: Destination,
    },
    /// So many events were lost here, for nobody read what was written. It is no process's.
    Lost {
        /// How many.
        count: u64,
    },
}

/// What becomes of the sockets that the preload does not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardLevel {
    /// Their connections are carried, too.
    Tunnel,
    /// They are refused.
    Deny,
    /// They reach the network, and no report says so.
    Off,
}

/// Which part of uwt dealt with something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// The preload, in the process itself.
    Preload,
    /// The relay, for a connect of the preload's that does not wait.
    Relay,
    /// The guard's cage: the preload did not see it, without the guard it would have gone out directly.
    Cage,
    /// The program itself, which spoke to the SocksPort of its own accord (`native` in uwt.d(5)); the helper has heard what
    /// was said: this credential was sent there.
    Program,
    /// The guard's filter: the preload did not see it, without the guard it would have gone out directly.
    Guard,
}

/// The other end.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Destination {
    /// The name as it was looked up, or the address.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// The protocol a program wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// Streams.
    Tcp,
    /// Datagrams.
    Udp,
    /// Echo requests and such (icmp(7)).
    Icmp,
    /// Packets as they are (raw(7), packet(7)).
    Raw,
    /// Calls that no filter can look into (io_uring_setup(2)).
    IoUring,
    /// Another one.
    Other,
}

/// How something went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Outcome {
    /// As the program wanted.
    Granted,
    /// The gateway, or Tor behind it, refused; `why` in its words.
    Failed {
        /// Why.
        why: String,
    },
}

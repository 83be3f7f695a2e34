//! Where programs run without `uwt`, for comparison: on a workstation whose connects take [`DELAY`], the time until the
//! kernel sends its SYN again, because the first one is lost.
//!
//! | address | how it ends |
//! |---|---|
//! | 203.0.113.10, `2001:db8::a` | a server that obeys ([`Peer`]) |
//! | .11, `::b` | the same |
//! | .5, `::5` | ECONNREFUSED |
//! | .4, `::4` | EHOSTUNREACH |
//! | .3, `::3` | ENETUNREACH |
//! | .6, `::6` | no answer |

use std::ffi::OsStr;
use std::net::{Ipv6Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::sync::Arc;

use support::gateway::Behaviour;
use support::netns::{Namespaces, Workstation};
use support::peer::Peer;

use crate::site::{DELAY, Seen, Started, plain, probe, watch};

/// The last number of the addresses that refuse, and the reply code (RFC 1928, section 6) that stands for it.
const CODES: [(u8, u8); 4] = [(5, 5), (4, 4), (3, 3), (6, 6)];

/// A workstation, the network and the server.
pub(crate) struct Bare {
    pub(crate) peer: Peer,
    workstation: Workstation,
    /// Outlives the workstation.
    namespaces: Arc<Namespaces>,
}

impl Bare {
    pub(crate) fn new() -> Self {
        let namespaces = Namespaces::shared().expect("namespaces");
        let workstation = namespaces.add_workstation().expect("a workstation");
        let peer =
            Peer::start_in(namespaces.gateway(), SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))).expect("a server");
        let bare = Self { peer, workstation, namespaces };
        bare.rules(&bare.ruleset());
        bare
    }

    /// The port of the server.
    pub(crate) fn port(&self) -> u16 {
        self.peer.address().port()
    }

    /// A program to run there.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.workstation.command(program);
        plain(&mut command);
        command
    }

    /// Runs a script of the probe.
    pub(crate) fn run(&self, script: &str) -> Seen {
        watch(self.command(probe()).arg(script))
    }

    /// Starts a script that pauses.
    pub(crate) fn start(&self, script: &str) -> Started {
        Started::spawn(self.command(probe()).arg(script))
    }

    /// What the gateway's kernel does to the connects of this workstation, and of no other.
    fn ruleset(&self) -> String {
        let v4 = self.workstation.address();
        let last = v4.octets()[3];
        format!(
            "table inet {table} {{
                set asked {{ typeof tcp sport . tcp sequence; flags dynamic; size 65535; timeout 1m; }}
                chain input {{
                    type filter hook input priority 0; policy accept;
                    ip saddr {v4} jump ours
                    ip6 saddr fd00:152::{last:x} jump ours
                }}
                # Of each connect: source ports are used again for other addresses.
                chain first {{
                    tcp sport . tcp sequence @asked return
                    add @asked {{ tcp sport . tcp sequence }} drop
                }}
                chain ours {{
                    tcp flags & (syn | ack) == syn jump first
                    ip daddr 203.0.113.6 drop
                    ip6 daddr 2001:db8::6 drop
                    ip daddr 203.0.113.5 reject with tcp reset
                    ip6 daddr 2001:db8::5 reject with tcp reset
                    ip daddr 203.0.113.4 reject with icmp type host-unreachable
                    ip6 daddr 2001:db8::4 reject with icmpv6 type addr-unreachable
                    ip daddr 203.0.113.3 reject with icmp type net-unreachable
                    ip6 daddr 2001:db8::3 reject with icmpv6 type no-route
                }}
            }}",
            table = self.table(),
        )
    }

    fn table(&self) -> String {
        format!("bare_{}", self.workstation.address().octets()[3])
    }

    /// Has nft in the gateway's namespace read a script.
    fn rules(&self, script: &str) {
        use std::io::Write as _;
        let mut nft: Command = self.namespaces.gateway().command("nft");
        let mut child = nft.args(["-f", "-"]).stdin(Stdio::piped()).spawn().expect("nft");
        child.stdin.take().expect("a pipe").write_all(script.as_bytes()).expect("it reads");
        assert!(child.wait().expect("nft").success(), "{script}");
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.rules(&format!("delete table inet {}", self.table()));
    }
}

/// Makes a gateway behave as that network does.
pub(crate) fn alike(behaviour: &mut Behaviour) {
    behaviour.delay = DELAY;
    for (last, code) in CODES {
        behaviour.refuse_hosts.insert(format!("203.0.113.{last}"), code);
        behaviour.refuse_hosts.insert(format!("2001:db8::{last}"), code);
    }
}

//! From events to processes.

use std::collections::HashMap;
use std::net::IpAddr;

use uwt_report::{Destination, Event, Happening, Outcome};

use super::model::{Connection, Counted, Local, Lookup, Process, Program, Refusal, Server, Setting, Verdict};

/// Where a Tor of this machine listens: the daemon's port, and Tor Browser's.
const TOR_PORTS: [u16; 2] = [9050, 9150];

/// What the events of a run say, put together by process.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    /// In the order in which they were first heard of.
    pub(crate) processes: Vec<Process>,
    /// How the tree ran, if it began.
    pub(crate) setting: Option<Setting>,
    /// Whether the report has its end.
    pub(crate) ended: bool,
    /// How many events it says are missing.
    pub(crate) lost: u64,
    by_id: HashMap<(u32, u64), usize>,
}

impl Collected {
    /// Puts all of them together.
    pub(crate) fn of(events: impl IntoIterator<Item = Event>) -> Self {
        let mut collected = Self::default();
        for event in events {
            collected.add(event);
        }
        collected
    }

    /// One more, later than all before.
    pub(crate) fn add(&mut self, event: Event) {
        let Event { pid, start, happening, .. } = event;
        match happening {
            Happening::Begin { guard, scope, gateway } => self.setting = Some(Setting { guard, scope, gateway }),
            Happening::End => self.ended = true,
            Happening::Lost { count } => self.lost += count,
            Happening::Process { parent, program, arguments, preload } => {
                let process = self.process(pid, start);
                // Later it may have been orphaned: the first one is who started it.
                process.parent = process.parent.or(parent);
                process.programs.push(Program { path: program, arguments, preload });
            }
            Happening::Lookup { layer, name, credential, sent, outcome } => {
                let lookup = Lookup { name, layer, credential, sent, failed: failed(outcome) };
                count(&mut self.process(pid, start).lookups, lookup);
            }
            Happening::Connection { layer, destination, credential, outcome } => {
                let connection = Connection { destination, layer, credential, failed: failed(outcome) };
                count(&mut self.process(pid, start).connections, connection);
            }
            Happening::Local { layer, destination, failed } => {
                let tor = self.is_tor(&destination);
                count(&mut self.process(pid, start).local, Local { destination, layer, tor, failed });
            }
            Happening::Refused { layer, what, transport, destination, errno } => {
                let refusal = Refusal { what, layer, transport, destination, errno };
                count(&mut self.process(pid, start).refused, refusal);
            }
            Happening::Server { layer, address } => {
                count(&mut self.process(pid, start).servers, Server { address, layer });
            }
        }
    }

    /// Whether a SocksPort is there: the gateway's, or the one of a Tor on this machine (`local_tor` in uwt.d(5)).
    fn is_tor(&self, destination: &Destination) -> bool {
        let Destination { host, port } = destination;
        let of_machine = || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
        let gateway = self.setting.as_ref().map(|setting| &setting.gateway);
        gateway == Some(destination) || TOR_PORTS.contains(port) && of_machine()
    }

    /// The process with this id that started then.
    fn process(&mut self, pid: u32, start: u64) -> &mut Process {
        let index = *self.by_id.entry((pid, start)).or_insert(self.processes.len());
        if index == self.processes.len() {
            self.processes.push(Process {
                pid,
                start,
                parent: None,
                depth: 0,
                programs: Vec::new(),
                verdict: Verdict::NothingSent,
                findings: Vec::new(),
                shares: Vec::new(),
                lookups: Vec::new(),
                connections: Vec::new(),
                local: Vec::new(),
                refused: Vec::new(),
                servers: Vec::new(),
            });
        }
        &mut self.processes[index]
    }
}

/// Counts what is the same once more; what is new comes last.
fn count<T: PartialEq>(all: &mut Vec<Counted<T>>, what: T) {
    match all.iter_mut().find(|counted| counted.what == what) {
        Some(counted) => counted.count += 1,
        None => all.push(Counted { what, count: 1 }),
    }
}

fn failed(outcome: Outcome) -> Option<String> {
    match outcome {
        Outcome::Granted => None,
        Outcome::Failed { why } => Some(why),
    }
}

#[cfg(test)]
mod tests {
    use uwt_report::GuardLevel;

    use super::super::events::{begin, connection, direct, process};
    use super::*;

    #[test]
    fn what_happens_again_is_counted() {
        let one = connection(7, "a.test", Some("uwt-1"));
        let other = connection(7, "b.test", Some("uwt-1"));
        let collected = Collected::of([one.clone(), other, one]);
        let counts = collected.processes[0].connections.iter().map(|it| (it.what.destination.host.as_str(), it.count));
        assert_eq!(counts.collect::<Vec<_>>(), [("a.test", 2), ("b.test", 1)]);
    }

    #[test]
    fn execve_is_another_program_of_the_same_process() {
        let mut orphaned = process(7, 1, "/bin/b");
        orphaned.time += 1;
        let collected = Collected::of([process(7, 2, "/bin/a"), orphaned]);
        assert_eq!(collected.processes.len(), 1);
        let process = &collected.processes[0];
        assert_eq!((process.parent, process.programs.len(), process.name().as_str()), (Some(2), 2, "b (pid 7)"));
    }

    #[test]
    fn an_id_that_is_used_again_is_another_process() {
        let again = Event { start: 900, ..connection(7, "a.test", None) };
        assert_eq!(Collected::of([connection(7, "a.test", None), again]).processes.len(), 2);
    }

    #[test]
    fn a_socks_port_is_no_service_like_others() {
        let local = |host: &str, port| direct(7, host, port);
        let events = [
            begin(GuardLevel::Tunnel, "process"),
            local("10.152.152.10", 9050),
            local("10.152.152.10", 9051),
            local("::ffff:127.0.0.1", 9150),
            local("127.0.0.1", 631),
        ];
        let collected = Collected::of(events);
        let tor: Vec<bool> = collected.processes[0].local.iter().map(|it| it.what.tor).collect();
        assert_eq!(tor, [true, false, true, false]);
    }

    #[test]
    fn what_is_not_told_stays_unknown() {
        let collected = Collected::of([connection(7, "a.test", None)]);
        assert_eq!((collected.setting, collected.ended), (None, false));
        assert_eq!(collected.processes[0].name(), "unknown program (pid 7)");
        assert_eq!(collected.processes[0].command_line(), "unknown program (pid 7)");
    }
}

//! The wrapped processes that we may look at, and their credentials.
//!
//! A credential follows from what the launcher handed down in the environment (`UWT_SESSION`), which only the same user and
//! root can read (proc_pid_environ(5)). So which process has which credential is known to those two, and to nobody else.

use std::collections::HashMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt as _;

use serde::Serialize;
use uwt_policy::Scope;
use uwt_session::{Credential, Session, Subject, VARIABLE};

/// A wrapped process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    /// Its id.
    pub(crate) pid: u32,
    /// Its name (proc_pid_comm(5)).
    pub(crate) name: String,
    /// What its launcher handed down.
    session: String,
    /// Its start time in clock ticks since boot.
    start: u64,
    /// The program's absolute path.
    program: Vec<u8>,
}

/// A process as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Owner {
    /// Its id.
    pub(crate) pid: u32,
    /// Its name.
    pub(crate) name: String,
    /// What its connections share a credential with.
    pub(crate) scope: &'static str,
    /// Whether it is still there.
    pub(crate) running: bool,
    /// What tells it from an earlier one with this id.
    #[serde(skip)]
    start: u64,
}

impl Process {
    /// The process with this id, if it is wrapped.
    ///
    /// # Errors
    /// It has ended or is somebody else's; `InvalidData`: it was wrapped by another version of uwt.
    pub(crate) fn of(pid: u32) -> io::Result<Option<Self>> {
        let environment = fs::read(format!("/proc/{pid}/environ"))?;
        let ours = |entry: &[u8]| {
            let value = entry.strip_prefix(VARIABLE.as_bytes())?.strip_prefix(b"=")?;
            Some(String::from_utf8_lossy(value).into_owned())
        };
        let Some(session) = environment.split(|byte| *byte == 0).find_map(ours) else { return Ok(None) };
        if Session::parse(&session).is_err() {
            return Err(ErrorKind::InvalidData.into());
        }
        let start = start_time(&fs::read(format!("/proc/{pid}/stat"))?).ok_or(ErrorKind::InvalidData)?;
        let program = fs::read_link(format!("/proc/{pid}/exe"))?.as_os_str().as_bytes().to_owned();
        let name = fs::read(format!("/proc/{pid}/comm"))?;
        let name = String::from_utf8_lossy(name.trim_ascii_end()).into_owned();
        Ok(Some(Self { pid, name, session, start, program }))
    }

    /// The label of its credential for a destination; `None` in the scope that sends none.
    pub(crate) fn label(&self, destination: &str) -> Option<String> {
        let session = Session::parse(&self.session).ok()?;
        let subject = Subject { pid: self.pid, start: self.start, program: &self.program, destination };
        Credential::of(&session, &subject).map(|credential| credential.label().to_owned())
    }

    /// What its connections share a credential with.
    pub(crate) fn scope(&self) -> Option<Scope> {
        Session::parse(&self.session).ok().map(|session| session.scope)
    }

    fn owner(&self) -> Owner {
        let scope = self.scope().map_or("unknown", |scope| scope.as_str());
        Owner { pid: self.pid, name: self.name.clone(), scope, running: true, start: self.start }
    }
}

/// Field 22 of proc_pid_stat(5), counted behind the name, which may hold anything.
fn start_time(stat: &[u8]) -> Option<u64> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let field = stat.get(end..)?.split(|byte| *byte == b' ').nth(20)?;
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// All wrapped processes that we may look at.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    wrapped: Vec<Process>,
    /// How many processes could not be looked at.
    pub(crate) hidden: usize,
}

impl Processes {
    /// Those that there are now.
    ///
    /// # Errors
    /// There is no /proc.
    pub(crate) fn now() -> io::Result<Self> {
        let mut all = Self::default();
        for entry in fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            match Process::of(pid) {
                Ok(process) => all.wrapped.extend(process),
                // What has ended meanwhile was not hidden.
                Err(error) if matches!(error.kind(), ErrorKind::NotFound) || is_gone(&error) => {}
                Err(_) => all.hidden += 1,
            }
        }
        all.wrapped.sort_by_key(|process| process.pid);
        Ok(all)
    }

    /// Whether a process is one of these.
    pub(crate) fn contains(&self, owner: &Owner) -> bool {
        self.wrapped.iter().any(|process| (process.pid, process.start) == (owner.pid, owner.start))
    }

    /// Who has which credential, by label, where connections to these hosts are meant.
    pub(crate) fn owners<'a>(&self, hosts: &(impl Iterator<Item = &'a str> + Clone)) -> HashMap<String, Vec<Owner>> {
        let mut owners: HashMap<String, Vec<Owner>> = HashMap::new();
        for process in &self.wrapped {
            let mut labels: Vec<String> = match process.scope() {
                Some(Scope::Destination) => hosts.clone().filter_map(|host| process.label(host)).collect(),
                _ => process.label("").into_iter().collect(),
            };
            labels.sort_unstable();
            labels.dedup();
            for label in labels {
                owners.entry(label).or_default().push(process.owner());
            }
        }
        owners
    }
}

fn is_gone(error: &io::Error) -> bool {
    error.raw_os_error() == Some(nix::errno::Errno::ESRCH as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_anything_in_it_does_not_hide_the_start_time() {
        let fields: Vec<String> = (3..=30).map(|field| field.to_string()).collect();
        let stat = format!("1 (a) R (b c) {}", fields.join(" "));
        assert_eq!(start_time(stat.as_bytes()), Some(22));
        assert_eq!(start_time(b"1 (a"), None);
    }

    #[test]
    fn this_process_is_not_wrapped() {
        assert_eq!(Process::of(std::process::id()).unwrap(), None);
        assert_eq!(Process::of(u32::MAX).unwrap_err().kind(), ErrorKind::NotFound);
    }
}

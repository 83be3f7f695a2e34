//! Whether the asker may have a program run by the helper: only what it could have run itself but for the filter.

use std::fs;
use std::io;
use std::path::PathBuf;

use nix::sched::CloneFlags;

use super::reply::Refusal;

/// What the child takes from the asker's process instead of the helper's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// Namespaces to join: above all the host's network, which the helper may have left.
    pub(super) namespaces: CloneFlags,
    /// The signals that the asker ignores: bit n−1 is signal n (proc_pid_status(5), `SigIgn`).
    pub(super) ignored: u64,
}

/// Lines of proc_pid_status(5) that are to be the same: users, groups, capabilities.
const SAME: [&str; 8] = ["Uid:", "Gid:", "Groups:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"];
/// `CAP_SYS_ADMIN` (capabilities(7)).
const ADMINISTRATION: u32 = 21;

/// Looks at a process, which is the asker as long as its connection is open.
pub(super) fn examine(pid: u32) -> Result<Difference, Refusal> {
    let status = |who: &str| fs::read_to_string(format!("/proc/{who}/status")).map_err(|_| Refusal::Rights);
    let (ours, theirs) = (status("self")?, status(&pid.to_string())?);
    compare(&ours, &theirs)?;
    let ignored = hexadecimal(&theirs, "SigIgn:");
    let namespaces = differing(pid).map_err(|_| Refusal::Namespaces)?;
    if namespaces.intersects(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWPID) {
        return Err(Refusal::Namespaces);
    }
    Ok(Difference { namespaces, ignored: ignored.ok_or(Refusal::Rights)? })
}

/// Whether both are root with the same rights, and the tree's filter is the only one that the asker has and the helper has
/// not: another one would be a sandbox of somebody else's.
fn compare(ours: &str, theirs: &str) -> Result<(), Refusal> {
    let root = field(theirs, "Uid:").is_some_and(|users| users.split_ascii_whitespace().all(|user| user == "0"));
    let same = SAME.iter().all(|name| field(ours, name) == field(theirs, name));
    let filters = |status| field(status, "Seccomp_filters:").map(str::parse::<u32>).transpose();
    let filtered = match (filters(ours), filters(theirs)) {
        (Ok(ours), Ok(theirs)) => theirs == ours.map(|count| count.saturating_add(1)),
        _ => false,
    };
    // Without this right nobody gets under a filter but by giving up new privileges (seccomp(2)), as the tree then has.
    let may_filter = hexadecimal(ours, "CapEff:").is_some_and(|rights| rights >> ADMINISTRATION & 1 != 0);
    let bound = if may_filter { field(ours, "NoNewPrivs:") } else { Some("1") };
    if root && same && filtered && bound == field(theirs, "NoNewPrivs:") { Ok(()) } else { Err(Refusal::Rights) }
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

fn hexadecimal(status: &str, name: &str) -> Option<u64> {
    field(status, name).and_then(|number| u64::from_str_radix(number, 16).ok())
}

/// The namespaces (namespaces(7)) that a process does not share with us.
fn differing(pid: u32) -> io::Result<CloneFlags> {
    let of = |who: &str, name: &str| -> io::Result<PathBuf> { fs::read_link(format!("/proc/{who}/ns/{name}")) };
    let mut differing = CloneFlags::empty();
    for (name, flag) in [
        ("user", CloneFlags::CLONE_NEWUSER),
        ("pid", CloneFlags::CLONE_NEWPID),
        ("mnt", CloneFlags::CLONE_NEWNS),
        ("net", CloneFlags::CLONE_NEWNET),
        ("uts", CloneFlags::CLONE_NEWUTS),
        ("ipc", CloneFlags::CLONE_NEWIPC),
        ("cgroup", CloneFlags::CLONE_NEWCGROUP),
    ] {
        if of("self", name)? != of(&pid.to_string(), name)? {
            differing |= flag;
        }
    }
    Ok(differing)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    const ROOT: &str = "Name:\tx\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t0 \nCapEff:\t2001ff\nNoNewPrivs:\t0\n\
                        Seccomp:\t2\nSeccomp_filters:\t1\nSigIgn:\t0000000000001000\n";

    #[test]
    fn only_root_with_one_filter_more_and_nothing_less() {
        let helper = ROOT.replace("filters:\t1", "filters:\t0");
        assert_eq!(compare(&helper, ROOT), Ok(()));
        for (from, to) in [
            ("Uid:\t0\t0", "Uid:\t0\t1000"),
            ("Gid:\t0\t0", "Gid:\t0\t5"),
            ("Groups:\t0 ", "Groups:\t0 5 "),
            ("CapEff:\t2001ff", "CapEff:\t2000ff"),
            ("NoNewPrivs:\t0", "NoNewPrivs:\t1"),
            ("filters:\t1", "filters:\t0"),
            ("filters:\t1", "filters:\t2"),
            ("filters:\t1", "filters:\tx"),
            ("Seccomp_filters:\t1\n", ""),
            ("Uid:", "Gid:"),
        ] {
            let changed = ROOT.replace(from, to);
            assert_ne!(changed, ROOT);
            assert_eq!(compare(&helper, &changed), Err(Refusal::Rights), "{from} {to}");
        }
        // As in most containers: there is no other way to a filter.
        let contained = |status: &str| status.replace("CapEff:\t2001ff", "CapEff:\t1ff");
        assert_eq!(compare(&contained(&helper), &contained(ROOT)), Err(Refusal::Rights));
        let bound = contained(ROOT).replace("NoNewPrivs:\t0", "NoNewPrivs:\t1");
        assert_eq!(compare(&contained(&helper), &bound), Ok(()));
        // Nobody's helper does it for nobody.
        let user = |status: &str| status.replace("Uid:\t0\t0\t0\t0", "Uid:\t65534\t65534\t65534\t65534");
        assert_eq!(compare(&user(&helper), &user(ROOT)), Err(Refusal::Rights));
    }

    #[test]
    fn namespaces_are_told_apart() {
        let mut child = Command::new("/bin/cat").stdin(Stdio::piped()).spawn().unwrap();
        assert_eq!(differing(child.id()).unwrap(), CloneFlags::empty());
        // It has no filter that we do not have.
        assert_eq!(examine(child.id()), Err(Refusal::Rights));
        drop(child.stdin.take());
        child.wait().unwrap();
        let script = "unshare -Ur --net sh -c 'echo; read line' || exit";
        let mut child =
            Command::new("sh").args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = [0];
        io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut line).unwrap();
        let inner = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap();
        let differing = differing(inner.trim().parse().unwrap()).unwrap();
        assert_eq!(differing, CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET);
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}

//! When the helper is killed, and when it has done its work.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::gateway::{Fault, GatewayOptions};

use crate::place::User;
use crate::site::{ECHO, LIMIT, Site, Started};

const USERS: [User; 2] = [User::Root, User::Nobody];

/// Kills the helper of a program that runs, and what it has outside the cage.
#[track_caller]
fn kill_helper(site: &Site, program: &Started) {
    // It comes before the program, and without it uwt would execute none.
    site.helpers();
    program.wait_until_executed();
    for pid in site.helpers() {
        // One may end because the other did.
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    site.assert_helper_ends();
}

#[test]
fn killed_before_the_first_socket() {
    let site = Site::new();
    for user in USERS {
        let mut program = site.start(user, &["@static", "await", "connect", ECHO[0], ECHO[1]]);
        kill_helper(&site, &program);
        program.tell();
        // seccomp_unotify(2): nobody listens any more.
        assert_eq!(program.end(), ("socket: ENOSYS\n".to_owned(), 1));
    }
    assert!(site.gateway.log().is_empty());
}

#[test]
fn killed_while_a_connect_waits() {
    let site = Site::with(GatewayOptions::new().fault(Fault::Never));
    for user in USERS {
        let program = site.start(user, &["@static", "connect", ECHO[0], ECHO[1]]);
        assert!(site.gateway.wait_log(LIMIT, |log| !log.is_empty()).is_some());
        drop(site.gateway.take_log());
        kill_helper(&site, &program);
        // With the next retransmission of its SYN, within a second or a few.
        assert_eq!(program.end(), ("connect: ECONNREFUSED\n".to_owned(), 1));
    }
}

#[test]
fn killed_while_connected() {
    let site = Site::new();
    for user in USERS {
        let mut program = site.start(user, &["@static", "hold", ECHO[0], ECHO[1]]);
        assert_eq!(program.line(), "connected");
        kill_helper(&site, &program);
        program.tell();
        let (said, _) = program.end();
        let errors =
            ["no answer\n", "read: ECONNRESET\n", "write: EPIPE\n", "write: ECONNRESET\n", "shutdown: ENOTCONN\n"];
        assert!(errors.contains(&said.as_str()), "{said:?}");
    }
}

#[test]
fn killed_the_preload_carries_on() {
    let site = Site::new();
    for user in USERS {
        let mut program = site.start(user, &["@dynamic", "await", "connect", ECHO[0], ECHO[1]]);
        kill_helper(&site, &program);
        program.tell();
        // The preload makes its sockets with the cookie: it needs no helper for an address.
        assert_eq!(program.end(), ("answer hi\n".to_owned(), 0));
    }
}

#[test]
fn nothing_stays_behind() {
    // Below a user namespace that allows few network namespaces: a run that left one behind would not let later ones
    // make theirs. The kernel takes a namespace apart some time after its last socket: hence the reserve.
    const RUNS: u32 = 150;
    const NAMESPACES: u32 = 60;
    let site = Site::new();
    let (uwt, program) = (site.uwt_path(), site.program("static"));
    let script = format!(
        "echo {NAMESPACES} > /proc/sys/user/max_net_namespaces || exit 9
         for run in $(seq {RUNS}); do {uwt} {program} connect {address} {port} || exit 1; done",
        uwt = uwt.display(),
        program = program.display(),
        address = ECHO[0],
        port = ECHO[1],
    );
    let unshare = support::process::find("unshare");
    let output = site.command(&unshare, User::Nobody).args(["-Ur", "sh", "-c", &script]).output().expect("unshare");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(said.lines().filter(|line| *line == "answer hi").count(), RUNS as usize, "{output:?}");
    site.assert_helper_ends();
}

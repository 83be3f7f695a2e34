//! Called in place of the programs that start services: the daemons are the machine's, not the tree's.
//!
//! Needs root, as installing a package does.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::wait::wait_until;

use crate::place::{Place, Ran, bin_dir, run};

/// Nothing here takes longer on any machine.
const LIMIT: Duration = Duration::from_secs(30);
/// start-stop-daemon(8) that executes a shell in its own place.
pub(crate) const SHELL: &str = "start-stop-daemon --start --pidfile /nonexistent/pid --startas /bin/sh -- -c";

/// A place with links to uwt, as the package has them.
pub(crate) fn place() -> Place {
    let place = Place::new();
    fs::create_dir_all(place.at("libexec/uwt/services")).expect("made");
    for name in ["invoke-rc.d", "service", "start-stop-daemon"] {
        place.link(&format!("libexec/uwt/services/{name}"), bin_dir().join("uwt"));
    }
    place
}

/// A script's beginning: PATH as apt gives it to maintainer scripts.
fn path(place: &Place) -> String {
    format!("PATH={}:/usr/sbin:/usr/bin:/sbin:/bin; ", place.at("libexec/uwt/services").display())
}

/// `uwt OPTIONS sh -c SCRIPT`, with that PATH.
pub(crate) fn script(place: &Place, options: &[&str], script: &str) -> Command {
    place.uwt(&[options, &["sh", "-c", &(path(place) + script)]].concat())
}

fn ran(place: &Place, options: &[&str], text: &str) -> Ran {
    run(&mut script(place, options, text))
}

/// A daemon that says what it is in the file `said`, and serves the word `hi` on a port.
const DAEMON: &str = "
import os, socket, sys
server = socket.create_server(('0.0.0.0', 0))
status = open('/proc/self/status').read()
wanted = ('Seccomp', 'NoNewPrivs', 'Sig')
facts = [line.replace('\\t', '') for line in status.splitlines() if line.startswith(wanted) and 'SigQ' not in line]
facts += [name + '=' + value for name, value in sorted(os.environ.items())]
facts += ['net=' + os.readlink('/proc/self/ns/net'), 'fds=' + ' '.join(sorted(os.listdir('/proc/self/fd')))]
facts += ['port=%s:%d' % server.getsockname()]
with open('part', 'w') as said: said.write('\\n'.join(facts) + '\\n')
os.rename('part', 'said')
while True:
    peer = server.accept()[0]
    peer.sendall(b'hi')
    peer.close()
";

/// What a daemon says about itself, one fact a line, when a shell has started it by this `start-stop-daemon`; it is ended.
#[track_caller]
fn daemon(place: &Place, shell: impl FnOnce(&str) -> Command, starter: &str) -> Vec<String> {
    place.file("daemon.py", DAEMON);
    let root = place.at("").display().to_string();
    let options = format!("--start --background --make-pidfile --pidfile {root}/pid --chdir {root}");
    run(&mut shell(&format!("{starter} {options} --startas /usr/bin/python3 -- daemon.py"))).succeeded();
    let said = wait_until(LIMIT, || fs::read_to_string(place.at("said")).ok()).expect("a daemon");
    let pid: i32 = fs::read_to_string(place.at("pid")).expect("written").trim().parse().expect("a number");
    let mut facts: Vec<String> = said.lines().map(str::to_owned).collect();
    let port = facts.pop().expect("a port");
    let (address, port) = port.split_once(':').expect("an address");
    facts.push(address.to_owned());
    let mut answer = String::new();
    let served = TcpStream::connect(format!("127.0.0.1:{port}")).and_then(|mut peer| peer.read_to_string(&mut answer));
    assert!(served.is_ok() && answer == "hi", "{answer} {served:?}");
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it runs");
    for file in ["said", "pid"] {
        fs::remove_file(place.at(file)).expect("removed");
    }
    facts
}

/// The helpers of a place's trees: they have its environment.
fn helpers(place: &Place) -> Vec<i32> {
    let home = format!("HOME={}", place.at("").display());
    let pids =
        fs::read_dir("/proc").expect("/proc").flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &i32| {
        let of = |file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        of("comm") == b"uwt-helper\n" && of("environ").split(|byte| *byte == 0).any(|entry| entry == home.as_bytes())
    })
    .collect()
}

/// A script that makes the helper make its cage: a static program asks for a socket.
const CAGE: &str = "busybox ifconfig lo > /dev/null; ";

#[test]
fn a_daemon_is_as_if_there_were_no_uwt() {
    let place = place();
    let bare = daemon(
        &place,
        |text| {
            let mut command = place.command("sh");
            command.args(["-c", &format!("PATH=/usr/sbin:/usr/bin:/sbin:/bin; {text}")]);
            command
        },
        "start-stop-daemon",
    );
    assert!(bare.iter().any(|fact| fact == "port=0.0.0.0"), "{bare:?}");
    for (options, before) in
        [(&["--guard=tunnel"][..], ""), (&["--guard=deny"], ""), (&["--guard=off"], ""), (&[], CAGE)]
    {
        let shell = |text: &str| script(&place, options, text);
        assert_eq!(daemon(&place, shell, &format!("{before}start-stop-daemon")), bare, "{options:?} {before}");
        // What would be without us.
        let inside = daemon(&place, shell, "/usr/sbin/start-stop-daemon");
        assert!(inside.iter().any(|fact| fact.starts_with("UWT_SESSION=")), "{inside:?}");
    }
    let gone = wait_until(LIMIT, || helpers(&place).is_empty().then_some(()));
    assert!(gone.is_some(), "nobody waits for a daemon outside");
}

#[test]
fn the_network_is_the_hosts_when_the_helper_has_left_it() {
    let place = place();
    let text = format!("{CAGE}readlink /proc/$(cat helper)/ns/net; {SHELL} 'readlink /proc/self/ns/net'");
    let mut command = script(&place, &["--guard=tunnel"], &format!("cd {}; read go; {text}", place.at("").display()));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started");
    let [helper] = wait_until(LIMIT, || <[i32; 1]>::try_from(helpers(&place)).ok()).expect("one");
    place.file("helper", helper.to_string());
    child.stdin.take().expect("a pipe").write_all(b"go\n").expect("it reads");
    let output = child.wait_with_output().expect("ends");
    let said = String::from_utf8_lossy(&output.stdout);
    let [cage, network] = said.lines().collect::<Vec<_>>()[..] else { panic!("{output:?}") };
    let host = fs::read_link("/proc/self/ns/net").expect("readable").display().to_string();
    assert_ne!(cage, host, "the helper is in the cage");
    assert_eq!(network, host);
}

#[test]
fn without_uwt_the_real_program_takes_our_place() {
    let place = place();
    // A configuration that nobody can read stops wrapped programs only.
    place.configure("no configuration");
    let text = format!("{}exec {SHELL} 'echo $$; cat /proc/$$/environ'", path(&place));
    let child = place.command("sh").args(["-c", &text]).stdout(Stdio::piped()).spawn().expect("started");
    let pid = child.id().to_string();
    let output = child.wait_with_output().expect("ends");
    let said = String::from_utf8_lossy(&output.stdout);
    let (shell, environment) = said.split_once('\n').expect("two lines");
    assert_eq!(shell, pid);
    assert!(environment.contains("\0PATH=/usr/sbin:/usr/bin:/sbin:/bin\0"), "{environment}");
    assert_eq!(ran(&place, &[], "true").status, 125);
}

#[test]
fn its_end_is_the_programs() {
    let place = place();
    for options in [&[][..], &["--guard=deny"], &["--guard=off"]] {
        for status in [0, 1, 77, 125, 255] {
            let ran = ran(&place, options, &format!("{SHELL} 'exit {status}'"));
            assert_eq!((ran.status, ran.err.as_str()), (status, ""));
        }
        for signal in [Signal::SIGTERM, Signal::SIGKILL, Signal::SIGSEGV] {
            let number = signal as i32;
            // exec: dash says nothing of its own then.
            let ran = ran(&place, options, &format!("exec {SHELL} 'kill -{number} $$'"));
            assert_eq!((ran.status, ran.err.as_str()), (128 + number, ""));
        }
    }
    let ran = ran(&place, &[], "service no-such-service status");
    assert_ne!(ran.status, 0);
    assert!(ran.err.contains("no-such-service"), "{ran:?}");
}

#[test]
fn input_output_arguments_and_the_rest_are_the_callers() {
    let place = place();
    let text = "cd /usr/share; umask 027; ulimit -n 123; ulimit -c 0; trap '' USR1
         echo before; echo input | start-stop-daemon --start --pidfile /nonexistent/pid --chdir . --startas /bin/sh -- -c '
             cat; pwd; umask; ulimit -a; echo \"$0|$1|$2|$#\"; grep SigIgn /proc/$$/status; tr \"\\0\" \"\\n\" < /proc/$$/environ
         ' 'a b' '' 'x\ny'; echo after";
    let odd = format!("odd={}", "x".repeat(1000));
    let bare = place.run_with(&[&odd], "sh", &["-c", &format!("PATH=/usr/sbin:/usr/bin:/sbin:/bin; {text}")]);
    assert!(bare.succeeded().starts_with("before\ninput\n/usr/share\n0027\n") && bare.out.ends_with("\nafter\n"));
    assert!(bare.out.contains("\na b||x\ny|2\n") && bare.out.contains(&odd), "{bare:?}");
    for options in ["--guard=tunnel", "--guard=deny", "--guard=off"] {
        let text = path(&place) + text;
        let ran = place.uwt_with(&[&odd], &[options, "sh", "-c", &text]);
        assert_eq!(ran.succeeded(), bare.out, "{options}");
    }
}

#[test]
fn closed_descriptors_stay_closed_and_others_stay_behind() {
    let place = place();
    let probe = "s=100; for fd in 0:1 1:2 2:4; do [ -e /proc/$$/fd/${fd%:*} ] && s=$((s + ${fd#*:})); done; exit $s";
    for options in ["--guard=tunnel", "--guard=off"] {
        for (closing, status) in [("", 107), ("<&-", 106), (">&-", 105), ("2>&-", 103), ("<&- >&- 2>&-", 100)] {
            let ran = ran(&place, &[options], &format!("exec {SHELL} '{probe}' {closing}"));
            assert_eq!(ran.status, status, "{closing}: {ran:?}");
        }
    }
    let list = "for fd in /proc/$$/fd/*; do [ -e $fd ] && echo ${fd##*/}; done; true";
    assert_eq!(ran(&place, &[], &format!("exec 7< /dev/null; {SHELL} '{list}'")).succeeded(), "0\n1\n2\n");
}

/// A shell that runs this outside its tree, in our place, and writes `ready` first.
fn started(place: &Place, text: &str) -> Child {
    let mut command = script(place, &[], &format!("exec {SHELL} '{text}'"));
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let mut line = [0; 6];
    child.stdout.as_mut().expect("a pipe").read_exact(&mut line).expect("it says so");
    assert_eq!(&line, b"ready\n");
    child
}

/// Sends a signal to a child, and gives how it ended.
fn ended(mut child: Child, signal: Signal) -> Ran {
    // It must not see the end of its input before the signal.
    let input = child.stdin.take();
    kill(Pid::from_raw(child.id().cast_signed()), signal).expect("it runs");
    let output = child.wait_with_output().expect("ends");
    drop(input);
    Ran::of(output)
}

#[test]
fn signals_are_passed_on() {
    let place = place();
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT] {
        let name = &signal.as_str()[3..];
        let caught =
            ended(started(&place, &format!("trap \"echo caught; exit 7\" {name}; echo ready; read go")), signal);
        assert_eq!((caught.status, caught.out.as_str(), caught.err.as_str()), (7, "caught\n", ""));
        let killed = ended(started(&place, "echo ready; read go"), signal);
        assert_eq!((killed.status, killed.out.as_str(), killed.err.as_str()), (128 + signal as i32, "", ""));
    }
    // What the caller ignores does not become a signal of somebody else's.
    let text = format!("trap '' HUP; exec {SHELL} 'trap - HUP; echo ready; read go; echo $go'");
    let mut command = script(&place, &[], &text);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started");
    let mut output = child.stdout.take().expect("a pipe");
    output.read_exact(&mut [0; 6]).expect("ready");
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGHUP).expect("it runs");
    child.stdin.take().expect("a pipe").write_all(b"on\n").expect("it reads");
    let mut rest = String::new();
    output.read_to_string(&mut rest).expect("readable");
    assert!(child.wait().expect("ends").success() && rest == "on\n", "{rest}");
}

#[test]
fn who_is_killed_leaves_no_program_behind() {
    let place = place();
    let said = place.at("said").display().to_string();
    let child = started(
        &place,
        &format!("trap \"echo ended > {said}.part; mv {said}.part {said}; exit\" TERM; echo ready; read go"),
    );
    assert_eq!(ended(child, Signal::SIGKILL).status, 137);
    let ended = wait_until(LIMIT, || fs::read_to_string(place.at("said")).ok());
    assert_eq!(ended.as_deref(), Some("ended\n"));
    assert!(wait_until(LIMIT, || helpers(&place).is_empty().then_some(())).is_some(), "{:?}", helpers(&place));
}

#[test]
fn a_killed_helper_is_told_and_the_program_goes_on() {
    let place = place();
    let said = place.at("said").display().to_string();
    let mut child =
        started(&place, &format!("echo ready; read go; echo went $go > {said}.part; mv {said}.part {said}"));
    for helper in helpers(&place) {
        kill(Pid::from_raw(helper), Signal::SIGKILL).expect("it runs");
    }
    let mut input = child.stdin.take().expect("a pipe");
    // The program has the other end as well.
    let mut line = String::new();
    BufReader::new(child.stderr.take().expect("a pipe")).read_line(&mut line).expect("readable");
    assert!(line.starts_with("uwt: start-stop-daemon: the helper of the guarded tree has gone"), "{line}");
    assert_eq!(child.wait().expect("ends").code(), Some(125));
    input.write_all(b"on\n").expect("it reads still");
    let went = wait_until(LIMIT, || fs::read_to_string(place.at("said")).ok());
    assert_eq!(went.as_deref(), Some("went on\n"));
}

/// Says whether it is under a filter.
const FILTERS: &str = "grep Seccomp: /proc/$$/status";
const FREE: &str = "Seccomp:\t0\n";
const HELD: &str = "Seccomp:\t2\n";

#[test]
fn who_is_not_as_its_helper_stays_inside() {
    let place = place();
    assert_eq!(ran(&place, &[], &format!("{SHELL} '{FILTERS}'")).succeeded(), FREE);
    let said = ran(&place, &["-v"], &format!("{SHELL} '{FILTERS}'"));
    assert!(said.err.ends_with("\nuwt: start-stop-daemon runs outside the guarded tree\n"), "{said:?}");
    let stays = |ran: &Ran, reason: &str| {
        assert_eq!((ran.status, ran.out.as_str()), (0, HELD), "{ran:?}");
        assert!(
            ran.err.starts_with("uwt: start-stop-daemon stays wrapped, and so does a daemon that it starts: "),
            "{ran:?}"
        );
        assert!(ran.err.contains(reason) && ran.err.lines().count() == 1, "{ran:?}");
    };
    let rights = "it has other rights than the outermost uwt had";
    for less in ["--no-new-privs", "--bounding-set=-sys_time", "--groups=4711"] {
        stays(&ran(&place, &[], &format!("setpriv {less} {SHELL} '{FILTERS}'")), rights);
    }
    let own = "unshare --pid --fork --mount-proc";
    stays(&ran(&place, &[], &format!("{own} {SHELL} '{FILTERS}'")), "it is in other namespaces than");
    // busybox is static: nothing of ours is put back into the environment that its env(1) empties.
    let scrubbed = format!("exec busybox env -i PATH=$PATH UWT_CONFIG_PATH={} ", place.at("etc").display());
    let path = place.at("libexec/uwt/services").display().to_string();
    stays(&ran(&place, &[], &format!("{scrubbed} {path}/{SHELL} '{FILTERS}'")), "UWT_SESSION did not reach it");
}

/// As in most containers, where a guard takes that nothing gains privileges.
#[test]
fn root_without_the_right_to_filter_has_them_outside_too() {
    let place = place();
    let text = path(&place) + &format!("{SHELL} 'grep -E \"^(NoNewPrivs|Seccomp):\" /proc/$$/status'");
    let uwt = bin_dir().join("uwt").display().to_string();
    let words = ["--bounding-set=-sys_admin", "--inh-caps=-sys_admin", &uwt, "--guard=deny", "sh", "-c", &text];
    let ran = run(place.command("setpriv").args(words));
    assert_eq!(ran.succeeded(), format!("NoNewPrivs:\t0\n{FREE}"));
}

#[test]
fn others_services_are_their_own() {
    let place = place();
    // The build folder may be closed to others.
    for name in ["uwt", "libuwt_preload.so"] {
        place.copy(&format!("bin/{name}"), bin_dir().join(name));
    }
    for name in ["invoke-rc.d", "service", "start-stop-daemon"] {
        fs::remove_file(place.at("libexec/uwt/services").join(name)).expect("removed");
        place.link(&format!("libexec/uwt/services/{name}"), "../../../bin/uwt");
    }
    let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups";
    let uwt = place.at("bin/uwt").display().to_string();
    for level in ["tunnel", "off"] {
        let text = path(&place) + &format!("{nobody} {SHELL} '{FILTERS}; echo ${{UWT_SESSION%% *}}'");
        let ran = place.run_with(&[], &uwt, &[&format!("--guard={level}"), "sh", "-c", &text]);
        // As any other wrapped program of theirs, which has a guard of its own if there is none yet.
        assert_eq!(ran.succeeded(), format!("{HELD}version=1\n"), "{level}");
    }
}

#[test]
fn a_changed_root_and_mounts_are_the_programs() {
    let place = place();
    let root = place.at("root");
    for folder in ["usr/sbin", "bin", "proc", "x/uwt/services", "work"] {
        fs::create_dir_all(root.join(folder)).expect("made");
    }
    // busybox has a start-stop-daemon of its own.
    place.copy("root/usr/sbin/start-stop-daemon", "/usr/bin/busybox");
    place.copy("root/bin/busybox", "/usr/bin/busybox");
    place.copy("root/x/uwt/services/start-stop-daemon", bin_dir().join("uwt"));
    place.file(
        "root/inside",
        "cd /work\nexec /x/uwt/services/start-stop-daemon -S -p /nonexistent -a /bin/busybox -- sh -c '
             pwd; ls /; grep Seccomp: /proc/self/status; grep -c \" /proc \" /proc/self/mounts'\n",
    );
    let text = "mount -t proc proc $0/proc && exec chroot $0 /bin/busybox sh /inside";
    let ran = ran(&place, &[], &format!("unshare --mount sh -c '{text}' {}", root.display()));
    assert_eq!(ran.succeeded(), format!("/work\nbin\ninside\nproc\nusr\nwork\nx\n{FREE}1\n"));
}

#[test]
fn long_arguments_are_passed_and_too_long_ones_refused() {
    let place = place();
    // An argument has 128 KiB at most (execve(2)).
    let text = |count: u32| {
        format!(
            "a=$(printf %0100000d 7); {SHELL} 'for a; do printf %s \"$a\"; done | wc -c' x {}",
            "$a ".repeat(count as usize)
        )
    };
    assert_eq!(ran(&place, &[], &text(10)).succeeded(), "1000000\n");
    let refused = ran(&place, &[], &text(11));
    assert!(refused.failed_with(126).starts_with("start-stop-daemon: the arguments and the environment are longer"));
}

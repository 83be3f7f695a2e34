//! The default scope: one credential, and one circuit, per process.

use crate::place::{Place, User, distinct};

const WWW: &str = "www.lab.test:80";
const MIRROR: &str = "mirror.lab.test:80";

/// Python that fetches a page of a host.
const FETCH: &str = "
import os, sys, subprocess, urllib.request as web
def fetch(host='www.lab.test'):
    web.urlopen(f'http://{host}/', timeout=120).read()
";

/// Runs Python under `uwt` with `fetch` at hand.
fn python(place: &mut Place, options: &[&str], code: &str) -> crate::place::Ran {
    let code = format!("{FETCH}{code}");
    place.root(&[options, &["python3", "-c", &code]].concat())
}

#[test]
fn as_many_circuits_as_processes() {
    const PROCESSES: usize = 6;
    let mut place = Place::new();
    // Side by side, as children of one shell and below one uwt.
    let script = format!("for i in $(seq {PROCESSES}); do curl -sS -o /dev/null http://www.lab.test/ & done; wait");
    let below_one = place.root(&["sh", "-c", &script]);
    below_one.asked_for(&[WWW; PROCESSES]);
    assert_eq!((below_one.users().len(), below_one.circuits().len()), (PROCESSES, PROCESSES), "{below_one:#?}");

    // And one after the other, each below a uwt of its own.
    let mut all = below_one.flows.clone();
    for _ in 0..PROCESSES {
        let ran = place.root(&["curl", "-sS", "-o", "/dev/null", "http://www.lab.test/"]);
        ran.asked_for(&[WWW]);
        all.extend(ran.flows);
    }
    assert_eq!(distinct(all.iter().map(|flow| flow.username.as_ref())).len(), 2 * PROCESSES, "{all:#?}");
    assert_eq!(distinct(all.iter().map(|flow| flow.circuit)).len(), 2 * PROCESSES, "{all:#?}");
}

#[test]
fn the_connections_of_a_process_share_a_circuit() {
    let mut place = Place::new();
    let ran = python(&mut place, &[], "fetch(); fetch(); fetch('mirror.lab.test')");
    ran.asked_for(&[WWW, WWW, MIRROR]);
    assert_eq!((ran.users().len(), ran.circuits().len()), (1, 1), "{ran:#?}");
}

#[test]
fn threads_belong_to_their_process() {
    let mut place = Place::new();
    let code = "
import threading
threads = [threading.Thread(target=fetch) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
";
    let ran = python(&mut place, &[], code);
    ran.asked_for(&[WWW; 4]);
    assert_eq!((ran.users().len(), ran.circuits().len()), (1, 1), "{ran:#?}");
}

#[test]
fn a_forked_child_differs_from_its_parent() {
    let mut place = Place::new();
    let code = "
fetch()
child = os.fork()
if child == 0:
    fetch('mirror.lab.test')
    os._exit(0)
os.waitpid(child, 0)
fetch()
";
    let ran = python(&mut place, &[], code);
    ran.asked_for(&[WWW, MIRROR, WWW]);
    let [parent, child, again] = ran.flows.as_slice() else { unreachable!() };
    assert_eq!((&parent.username, parent.circuit), (&again.username, again.circuit), "{ran:#?}");
    assert!(parent.username != child.username && parent.circuit != child.circuit, "{ran:#?}");
}

#[test]
fn exec_keeps_the_credential() {
    let mut place = Place::new();
    // The same process is a shell, Python, Python again, and curl at last; sh has nothing else to do than to exec.
    let again = "
fetch()
os.execvp('curl', ['curl', '-sS', '-o', '/dev/null', 'http://mirror.lab.test/'])
";
    let again = format!("{FETCH}{again}");
    let code = format!("{FETCH}fetch(); os.execvp('python3', ['python3', '-c', sys.argv[1]])");
    let ran = place.root(&["sh", "-c", "exec python3 -c \"$0\" \"$1\"", &code, &again]);
    ran.asked_for(&[WWW, WWW, MIRROR]);
    assert_eq!((ran.users().len(), ran.circuits().len()), (1, 1), "{ran:#?}");
}

#[test]
fn exec_with_another_environment_keeps_the_credential() {
    let mut place = Place::new();
    let code = "fetch(); os.execve('/usr/bin/curl', ['curl', '-sS', '-o', '/dev/null', 'http://mirror.lab.test/'], {})";
    let ran = python(&mut place, &[], code);
    ran.asked_for(&[WWW, MIRROR]);
    assert_eq!((ran.users().len(), ran.circuits().len()), (1, 1), "{ran:#?}");
}

#[test]
fn spawned_programs_differ_however_they_were_spawned() {
    let mut place = Place::new();
    let code = "
curl = ['/usr/bin/curl', '-sS', '-o', '/dev/null', 'http://mirror.lab.test/']
fetch()
os.waitpid(os.posix_spawn(curl[0], curl, os.environ), 0)
os.waitpid(os.posix_spawn(curl[0], curl, {}), 0)
subprocess.check_call(curl)
os.system(' '.join(curl))
os.popen(' '.join(curl)).read()
";
    let ran = python(&mut place, &[], code);
    ran.asked_for(&[WWW, MIRROR, MIRROR, MIRROR, MIRROR, MIRROR]);
    assert_eq!((ran.users().len(), ran.circuits().len()), (6, 6), "{ran:#?}");
}

#[test]
fn users_do_not_share() {
    let mut place = Place::new();
    let mut seen = Vec::new();
    for user in [User::Root, User::Nobody] {
        let mut command = place.uwt(user, ["curl", "-sS", "-o", "/dev/null", "http://www.lab.test/"]);
        let ran = place.run(&mut command);
        ran.asked_for(&[WWW]);
        seen.push(ran.flows[0].clone());
    }
    assert!(seen[0].username != seen[1].username && seen[0].circuit != seen[1].circuit, "{seen:#?}");
}

#[test]
fn the_native_proxy_of_a_process_and_the_preload_use_one_credential() {
    let mut place = Place::shipped();
    // curl knows the gateway by ALL_PROXY; with --noproxy it does not use it, and the preload carries the second page.
    let page = "http://www.lab.test/";
    let args = ["curl", "-sS", "-o", "/dev/null", page, "--next", "-sS", "--noproxy", "*", "-o", "/dev/null", page];
    let ran = place.root(&args);
    ran.asked_for(&[WWW, WWW]);
    assert_eq!((ran.users().len(), ran.circuits().len()), (1, 1), "{ran:#?}");
}

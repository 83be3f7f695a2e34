//! Scripts that see the same with `uwt` as without, but for what `differs` in a few rows.

use std::sync::Mutex;

use crate::bare::{Bare, alike};
use crate::rows::{Row, rows};
use crate::site::{Seen, Site, User};

/// How many scripts run at a time: they wait more than they work.
const AT_A_TIME: usize = 16;
/// The port of the servers behind the gateway, which takes any.
const PORT: u16 = 8080;

/// Where the scripts run.
#[derive(Clone, Copy)]
enum World {
    Bare,
    Wrapped,
}

/// Writes addresses into a script.
fn fill(script: &str, port: u16) -> String {
    script
        .replace("START", "socket inet stream+nonblock; connect {ok}")
        .replace("TALK", "block; send echo%0a; echo hi")
        .replace("{ok}", &format!("203.0.113.10:{port}"))
        .replace("{ok2}", &format!("203.0.113.11:{port}"))
        .replace("{ok6}", &format!("[2001:db8::a]:{port}"))
        .replace("{mapped}", &format!("[::ffff:203.0.113.10]:{port}"))
        .replace("{refused}", &format!("203.0.113.5:{port}"))
        .replace("{refused6}", &format!("[2001:db8::5]:{port}"))
        .replace("{host}", &format!("203.0.113.4:{port}"))
        .replace("{net}", &format!("203.0.113.3:{port}"))
        .replace("{timeout}", &format!("203.0.113.6:{port}"))
}

/// Runs all scripts, many at a time; what is wrong is told in one go.
#[track_caller]
fn check(world: World, port: u16, run: impl Fn(&str) -> Seen + Sync) {
    let todo = Mutex::new(rows());
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let row = todo.lock().expect("no panic").next();
                    let Some(Row { what, script, says }) = row else { break };
                    let says = says[world as usize];
                    let seen = run(&fill(script, port));
                    let good = seen.output == fill(says, port) && seen.notes.is_empty() && seen.status.success();
                    if !good {
                        wrong
                            .lock()
                            .expect("no panic")
                            .push(format!("{what}: {script}\n  wanted {says}\n  got    {seen:?}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no panic");
    assert!(wrong.is_empty(), "{} of {} scripts:\n{}", wrong.len(), rows().count(), wrong.join("\n"));
}

#[test]
fn bare() {
    let bare = Bare::new();
    check(World::Bare, bare.port(), |script| bare.run(script));
}

/// Runs the scripts through a gateway.
fn wrapped(user: User, guard: &str) {
    let site = Site::new(alike);
    check(World::Wrapped, PORT, |script| site.run(user, &[guard], script));
    site.assert_helpers_end();
    site.assert_open(0);
}

#[test]
fn tunnel_as_root() {
    wrapped(User::Root, "--guard=tunnel");
}

#[test]
fn tunnel_as_user() {
    wrapped(User::Nobody, "--guard=tunnel");
}

#[test]
fn deny_as_root() {
    wrapped(User::Root, "--guard=deny");
}

#[test]
fn deny_as_user() {
    wrapped(User::Nobody, "--guard=deny");
}

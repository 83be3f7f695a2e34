//! Many connections at once, by what programs are written with. One after the other they would take fifteen seconds; the
//! bench has the limits that count.

use std::process::Command;
use std::time::Duration;

use crate::bare::Bare;
use crate::site::{Site, USERS, User, programs, watch};

/// How long the gateway takes for each connection.
const DELAY: Duration = Duration::from_millis(300);
/// Milliseconds for fifty, on any machine.
const FIFTY: u64 = 3_000;
/// Milliseconds for four hundred: two minutes one after the other.
const FOUR_HUNDRED: u64 = 10_000;
const ADDRESS: &str = "203.0.113.10";
const PYTHON: &str = "/usr/bin/python3";

fn site() -> Site {
    Site::new(|behaviour| behaviour.delay = DELAY)
}

/// One that says `COUNT in MS ms`: its command line, up to the count.
#[derive(Clone, Copy, Debug)]
enum Client {
    Asyncio,
    Node,
    Tokio,
    /// curl's parallel transfers are libcurl's multi interface. The configuration of the tests does not tell curl of the
    /// gateway as the shipped one does: its connects go the way of everybody's.
    Libcurl,
}

const CLIENTS: [Client; 4] = [Client::Asyncio, Client::Node, Client::Tokio, Client::Libcurl];

impl Client {
    fn words(self, port: u16) -> Vec<String> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let to = [ADDRESS.to_owned(), port.to_string()];
        match self {
            Self::Asyncio => [words(&[PYTHON, "-c", include_str!("../../relay/crowd.py")]), to.into()].concat(),
            Self::Node => [words(&["node", "-e", include_str!("../../relay/crowd.js")]), to.into()].concat(),
            Self::Libcurl => [words(&["sh", "-c", include_str!("../../relay/crowd.sh"), "sh"]), to.into()].concat(),
            Self::Tokio => {
                let crowd = programs().join("crowd").into_os_string().into_string().expect("a path of ASCII");
                vec![crowd, to.join(":"), "at-once".to_owned()]
            }
        }
    }
}

/// Runs one to its end; gives the milliseconds it took.
#[track_caller]
fn run(command: &mut Command, words: &[String], count: usize) -> u64 {
    let seen = watch(command.args(words).arg(count.to_string()));
    let took = seen.output.strip_prefix(&format!("{count} in ")).and_then(|it| it.strip_suffix(" ms")?.parse().ok());
    assert!(seen.status.success() && seen.notes.is_empty(), "{words:?}: {seen:?}");
    took.unwrap_or_else(|| panic!("{words:?}: {seen:?}"))
}

#[track_caller]
fn check(client: Client, users: &[User], count: usize, limit: u64) {
    let site = site();
    for user in users {
        let took = run(&mut site.uwt(*user, &[]), &client.words(80), count);
        assert!((300..limit).contains(&took), "{client:?}: {took} ms");
        assert_eq!(site.asked(count).len(), count, "{client:?}");
    }
}

#[test]
fn bare() {
    // Where the first SYN of each connection is lost.
    let bare = Bare::new();
    for client in CLIENTS {
        let took = run(&mut bare.command("env"), &client.words(bare.port()), 50);
        assert!((1000..FIFTY).contains(&took), "{client:?}: {took} ms");
    }
}

#[test]
fn asyncio() {
    check(Client::Asyncio, &USERS, 50, FIFTY);
}

#[test]
fn asyncio_four_hundred() {
    check(Client::Asyncio, &[User::Nobody], 400, FOUR_HUNDRED);
}

#[test]
fn node() {
    check(Client::Node, &USERS, 50, FIFTY);
}

#[test]
fn node_four_hundred() {
    check(Client::Node, &[User::Nobody], 400, FOUR_HUNDRED);
}

#[test]
fn tokio() {
    check(Client::Tokio, &USERS, 50, FIFTY);
}

#[test]
fn tokio_four_hundred() {
    check(Client::Tokio, &[User::Nobody], 400, FOUR_HUNDRED);
}

#[test]
fn libcurl() {
    check(Client::Libcurl, &USERS, 50, FIFTY);
}

#[test]
fn asyncio_by_name() {
    // Each name of its own: it is looked up, connected to, and told to the gateway.
    let site = site();
    let words = [PYTHON, "-c", include_str!("../../relay/crowd.py"), "any.example.test", "80", "50"];
    let seen = watch(site.uwt(User::Nobody, &[]).args(words));
    assert!(seen.output.starts_with("50 in ") && seen.notes.is_empty(), "{seen:?}");
    let mut asked = site.asked(50);
    asked.sort_unstable();
    let mut names: Vec<String> = (0..50).map(|number| format!("\"{number}.any.example.test\":80")).collect();
    names.sort_unstable();
    assert_eq!(asked, names);
}

#[test]
fn eight_streams_byte_for_byte() {
    let site = Site::new(|_| {});
    for user in USERS {
        let words = [PYTHON, "-c", include_str!("../../relay/streams.py"), ADDRESS, "80", "8", "8000000"];
        let seen = watch(site.uwt(user, &[]).args(words));
        assert_eq!(seen.output, "same", "{seen:?}");
        assert_eq!(site.asked(8).len(), 8);
    }
}

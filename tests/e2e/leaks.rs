//! Every way to reach the network that we could think of, without `uwt` and under each of its levels, as two users: what
//! the program is told, what the gateway is asked for, and what leaves the workstation past it.

#[path = "leaks/datagrams.rs"]
mod datagrams;
#[path = "leaks/families.rs"]
mod families;
#[path = "leaks/lookups.rs"]
mod lookups;
#[path = "leaks/outside.rs"]
mod outside;
#[path = "leaks/place.rs"]
mod place;
#[path = "leaks/programs.rs"]
mod programs;
#[path = "leaks/report.rs"]
mod report;
#[path = "leaks/row.rs"]
mod row;
#[path = "leaks/servers.rs"]
mod servers;
#[path = "leaks/streams.rs"]
mod streams;
#[path = "leaks/table.rs"]
mod table;

use place::{Level, User, check};

#[test]
fn bare_as_root() {
    check(Level::Bare, User::Root);
}

#[test]
fn bare_as_user() {
    check(Level::Bare, User::Nobody);
}

#[test]
fn off_as_root() {
    check(Level::Off, User::Root);
}

#[test]
fn off_as_user() {
    check(Level::Off, User::Nobody);
}

#[test]
fn deny_as_root() {
    check(Level::Deny, User::Root);
}

#[test]
fn deny_as_user() {
    check(Level::Deny, User::Nobody);
}

#[test]
fn tunnel_as_root() {
    check(Level::Tunnel, User::Root);
}

#[test]
fn tunnel_as_user() {
    check(Level::Tunnel, User::Nobody);
}

#[test]
fn tunnel_without_ptrace_as_root() {
    check(Level::Forbidden, User::Root);
}

#[test]
fn tunnel_without_ptrace_as_user() {
    check(Level::Forbidden, User::Nobody);
}

#[test]
fn tunnel_of_undumpable_programs_as_root() {
    check(Level::Undumpable, User::Root);
}

#[test]
fn tunnel_of_undumpable_programs_as_user() {
    check(Level::Undumpable, User::Nobody);
}

//! The matrix: each function the preload exports, with what it carries, what it lets pass and what it refuses.

use std::collections::BTreeSet;
use std::process::Command;

use crate::site::{Case, Site, library};
use crate::{matrix_exec, matrix_names, matrix_socket};

/// A script and what it prints.
pub(crate) type Direct = (&'static str, &'static str);

/// A hook.
pub(crate) struct Row {
    /// The function.
    pub(crate) hook: &'static str,
    /// Where it goes through the gateway.
    pub(crate) carries: &'static [Case<'static>],
    /// Where it does what libc does, on this machine.
    pub(crate) passes: &'static [Direct],
    /// Where it fails, and the gateway is asked nothing.
    pub(crate) refuses: &'static [Direct],
}

/// Runs all cells of some rows at one site.
#[track_caller]
pub(crate) fn check(site: &Site, rows: &[Row]) {
    let mut cases: Vec<Case<'_>> = Vec::new();
    for row in rows {
        cases.extend(row.carries);
        cases.extend(row.passes.iter().chain(row.refuses).map(|(script, output)| (*script, *output, &[][..])));
    }
    site.check_all(&[], &cases);
}

#[test]
fn no_hook_is_forgotten() {
    let library = library();
    let output = Command::new("nm").args(["-D", "--defined-only"]).arg(&library).output().expect("nm (binutils)");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("text");
    let exported: BTreeSet<&str> = text.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    let rows = matrix_socket::ROWS.iter().chain(matrix_names::ROWS).chain(matrix_exec::ROWS);
    let tested: BTreeSet<&str> = rows.map(|row| row.hook).collect();
    let untested: Vec<_> = exported.difference(&tested).collect();
    let gone: Vec<_> = tested.difference(&exported).collect();
    assert!(untested.is_empty() && gone.is_empty(), "without a row: {untested:?}; no longer exported: {gone:?}");
}

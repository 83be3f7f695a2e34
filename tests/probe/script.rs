//! Scripts: steps separated by `;`, each a call and its arguments, separated by spaces.
//!
//! `%3b` in a word is the byte 0x3b. Steps work on the *current* descriptor, the last one made; `as NAME` remembers it,
//! `use NAME` takes it up again. Some steps have a body up to the `end` that belongs to them; exec runs the rest of the
//! script in the new program. Every step prints one line, unless it has nothing to tell.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::{blocks, exec, hosts, names, ready, report, resolver, send, signals, socket};

/// What steps leave behind for later ones.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// The current descriptor.
    pub(crate) fd: i32,
    /// Descriptors that have a name.
    pub(crate) named: HashMap<String, i32>,
    /// Whether socket calls are made through syscall(2).
    pub(crate) by_number: bool,
    /// The last address a lookup gave: `~` in an address.
    pub(crate) address: Option<IpAddr>,
    /// Children that run beside the script.
    pub(crate) children: Vec<i32>,
}

/// What a step has to tell.
pub(crate) enum Done {
    /// A line.
    Line(String),
    /// Nothing.
    Quiet,
}

/// One step.
pub(crate) type Step<'a> = Vec<&'a str>;

/// Runs the script in the arguments; without one, tells how many arguments there are.
pub(crate) fn main() {
    let Some(text) = std::env::args().nth(1).filter(|text| !text.is_empty()) else {
        return report::line(&format!("{} arguments", std::env::args().count()));
    };
    let mut state = State { fd: -1, named: HashMap::new(), by_number: false, address: None, children: Vec::new() };
    run(&mut state, &parse(&text));
}

/// Takes a script apart.
pub(crate) fn parse(text: &str) -> Vec<Step<'_>> {
    text.split(';').map(|step| step.split_whitespace().collect()).filter(|step: &Step<'_>| !step.is_empty()).collect()
}

/// The text of steps.
pub(crate) fn unparse(steps: &[Step<'_>]) -> String {
    let steps: Vec<String> = steps.iter().map(|words| words.join(" ")).collect();
    steps.join("; ")
}

/// Runs steps one after the other.
pub(crate) fn run(state: &mut State, steps: &[Step<'_>]) {
    let mut rest = steps;
    while let Some((step, after)) = rest.split_first() {
        rest = after;
        let (name, arguments) = (step[0], &step[1..]);
        if blocks::has_body(name) {
            let (body, after) = split_at_end(rest);
            rest = after;
            if let Some(line) = blocks::run(state, name, arguments, body) {
                report::line(&line);
            }
        } else if name == "exec" {
            return report::line(&exec::exec(arguments, rest));
        } else if let Done::Line(line) = one(state, name, arguments) {
            report::line(&line);
        }
    }
}

/// A body and what comes behind its `end`.
fn split_at_end<'s, 't>(steps: &'s [Step<'t>]) -> (&'s [Step<'t>], &'s [Step<'t>]) {
    let mut depth = 1;
    for (index, step) in steps.iter().enumerate() {
        if blocks::has_body(step[0]) {
            depth += 1;
        } else if step[0] == "end" {
            depth -= 1;
            if depth == 0 {
                return (&steps[..index], &steps[index + 1..]);
            }
        }
    }
    panic!("a body without end");
}

/// A step without a body.
fn one(state: &mut State, name: &str, arguments: &[&str]) -> Done {
    let families = [
        socket::step as fn(&mut State, &str, &[&str]) -> Option<Done>,
        send::step,
        ready::step,
        signals::step,
        names::step,
        hosts::step,
        resolver::step,
        exec::step,
    ];
    let done = families.iter().find_map(|family| family(state, name, arguments));
    done.unwrap_or_else(|| panic!("there is no step {name}"))
}

/// A word's bytes: `%XX` is a byte, `''` nothing.
pub(crate) fn bytes(word: &str) -> Vec<u8> {
    if word == "''" {
        return Vec::new();
    }
    let mut bytes = Vec::new();
    let mut rest = word.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if let (b'%', [high, low, after @ ..]) = (first, after) {
            let digits = [*high, *low];
            let digits = std::str::from_utf8(&digits).expect("two digits");
            bytes.push(u8::from_str_radix(digits, 16).expect("two hexadecimal digits"));
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    bytes
}

/// The value of `key=VALUE` among the arguments.
pub(crate) fn option<'a>(arguments: &[&'a str], key: &str) -> Option<&'a str> {
    arguments.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
}

/// A decimal number, or with 0x a hexadecimal one.
pub(crate) fn integer(word: &str) -> i64 {
    let parsed = match word.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16),
        None => word.parse(),
    };
    parsed.unwrap_or_else(|_| panic!("{word} is no number"))
}

/// As [`integer`], for a C int.
pub(crate) fn int(word: &str) -> i32 {
    i32::try_from(integer(word)).expect("an int")
}

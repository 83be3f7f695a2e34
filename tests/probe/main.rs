//! A program that knows nothing of uwt: it makes libc calls by a [`script`] and prints what libc answered to each.
#![expect(unsafe_code, reason = "the probe makes the calls under test")]

mod address;
mod blocks;
mod exec;
mod hosts;
mod libc_calls;
mod names;
mod ready;
mod report;
mod resolver;
mod script;
mod send;
mod signals;
mod socket;

fn main() {
    script::main();
}

//! A program that makes libc calls by a script (its one argument, see [`script`]) and prints what libc answered to each.
//! It knows nothing of uwt, as the programs that are wrapped.
#![expect(unsafe_code, reason = "the probe makes the calls under test")]

mod address;
mod blocks;
mod exec;
mod hosts;
mod libc_calls;
mod names;
mod report;
mod resolver;
mod script;
mod send;
mod signals;
mod socket;

fn main() {
    script::main();
}

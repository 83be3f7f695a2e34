//! A program that makes libc calls, one after the other, and prints what libc answered to each.
//!
//! It is as plain as the programs that are wrapped: dynamically linked, and it knows nothing of uwt. Its one argument is
//! a script, such as `socket inet stream; connect 203.0.113.1:80; echo hello; peer`; see [`script`].
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

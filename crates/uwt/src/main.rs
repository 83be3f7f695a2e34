//! `uwt COMMAND…` runs a program with every connection on Tor circuits of its own.
//!
//! Arguments, environment and configuration become a [`plan::Plan`], which is printed or applied. The C `main` is in
//! [`sys`]: the standard library's own would ignore SIGPIPE and open closed descriptors before it called ours, and the
//! program must find both as we did.
#![cfg_attr(not(test), no_main)]

mod apply;
mod call;
mod environment;
mod folders;
mod guard;
mod hand_down;
mod log;
mod message;
mod plan;
mod run;
mod runtime;
mod secrets;
mod sys;

//! The launcher as users meet it: what it runs, under which name, with which environment, and what it says.
//!
//! Drives `uwt` and `libuwt_preload.so` of the folder `UWT_BIN_DIR`; needs no network. A gateway, where credentials count, is
//! a mock one on the loopback device.

#[path = "launcher/place.rs"]
mod place;

#[path = "launcher/environment.rs"]
mod environment;
#[path = "launcher/explain.rs"]
mod explain;
#[path = "launcher/guard.rs"]
mod guard;
#[path = "launcher/inherited.rs"]
mod inherited;
#[path = "launcher/library.rs"]
mod library;
#[path = "launcher/localhost.rs"]
mod localhost;
#[path = "launcher/nested.rs"]
mod nested;
#[path = "launcher/process.rs"]
mod process;
#[path = "launcher/programs.rs"]
mod programs;
#[path = "launcher/report.rs"]
mod report;
#[path = "launcher/secrets.rs"]
mod secrets;
#[path = "launcher/services.rs"]
mod services;
#[path = "launcher/supervised.rs"]
mod supervised;
#[path = "launcher/time.rs"]
mod time;
#[path = "launcher/torsocks.rs"]
mod torsocks;
#[path = "launcher/torsocks_shell.rs"]
mod torsocks_shell;
#[path = "launcher/tree.rs"]
mod tree;
#[path = "launcher/usage.rs"]
mod usage;
#[path = "launcher/wrappers.rs"]
mod wrappers;

//! Non-blocking connects: a program that waits for its sockets as it likes gets through the gateway what TCP would give it,
//! and many of its connections wait at the same time.
//!
//! What TCP gives is not assumed: every script that is compared runs without `uwt`, too, on a workstation whose network
//! makes connects wait, succeed and fail as the gateway does.

#[path = "relay/bare.rs"]
mod bare;
#[path = "relay/rows.rs"]
mod rows;
#[path = "relay/site.rs"]
mod site;

#[path = "relay/closing.rs"]
mod closing;
#[path = "relay/crowds.rs"]
mod crowds;
#[path = "relay/ends.rs"]
mod ends;
#[path = "relay/faults.rs"]
mod faults;
#[path = "relay/identities.rs"]
mod identities;
#[path = "relay/numbers.rs"]
mod numbers;
#[path = "relay/report.rs"]
mod report;
#[path = "relay/same.rs"]
mod same;
#[path = "relay/without.rs"]
mod without;

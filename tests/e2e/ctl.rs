//! `uwtctl` as it is typed: what it prints, how it ends, and whether what it says is true.

#[path = "launcher/place.rs"]
#[allow(dead_code, reason = "some of it is for the launcher's tests")]
mod place;
#[path = "ctl/program.rs"]
mod program;
#[path = "ctl/schema.rs"]
mod schema;
#[path = "ctl/site.rs"]
mod site;

#[path = "ctl/audit.rs"]
mod audit;
#[path = "ctl/check.rs"]
mod check;
#[path = "ctl/circuits.rs"]
mod circuits;
#[path = "ctl/config.rs"]
mod config;
#[path = "ctl/control.rs"]
mod control;
#[path = "ctl/firewall.rs"]
mod firewall;
#[path = "ctl/gateway.rs"]
mod gateway;
#[path = "ctl/help.rs"]
mod help;
#[path = "ctl/ports.rs"]
mod ports;
#[path = "ctl/status.rs"]
mod status;
#[path = "ctl/status_tor.rs"]
mod status_tor;
#[path = "ctl/wrapper.rs"]
mod wrapper;

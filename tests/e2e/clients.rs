//! Real programs through real Tor: each in a workstation of its own that nothing leaves but for the `SocksPort`, and
//! each found again, with its credential, among Tor's circuits.

#[path = "clients/flow.rs"]
mod flow;
#[path = "clients/place.rs"]
mod place;

#[path = "clients/gpg.rs"]
mod gpg;
#[path = "clients/languages.rs"]
mod languages;
#[path = "clients/lookups.rs"]
mod lookups;
#[path = "clients/packages.rs"]
mod packages;
#[path = "clients/repositories.rs"]
mod repositories;
#[path = "clients/shells.rs"]
mod shells;
#[path = "clients/web.rs"]
mod web;

//! The packages, installed in a fresh Debian 12, and the wrapped commands as people type them.

#[path = "package/built.rs"]
mod built;
#[path = "clients/flow.rs"]
mod flow;
#[path = "package/place.rs"]
mod place;

#[path = "package/apt.rs"]
mod apt;
#[path = "package/ctl.rs"]
mod ctl;
#[path = "package/install.rs"]
mod install;
#[path = "package/keys.rs"]
mod keys;
#[path = "package/life/mod.rs"]
mod life;
#[path = "package/names.rs"]
mod names;
#[path = "package/services.rs"]
mod services;
#[path = "package/ssh.rs"]
mod ssh;
#[path = "package/web.rs"]
mod web;

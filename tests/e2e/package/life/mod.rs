//! The life of the wrappers: installed, upgraded, removed, purged, installed again, and interrupted in all of that. The
//! distribution's files are always back afterwards, and there is no moment at which a typed command finds nothing.

mod debs;
mod site;
mod snapshot;

mod added;
mod foreign;
mod killed;
mod notice;
mod others;
mod upgrades;
mod watched;
mod whole;

//! Ways to do the same thing, measured in turns.

use std::net::SocketAddr;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressIterator, ProgressStyle};

use super::series::{Series, order};
use super::table::Row;
use super::tools::{Tool, Tools};
use super::variant::{BARE, OPTIMISTIC, Setup, UWT_TUNNEL, Variant};
use crate::interrupt::Interrupt;

/// A client that speaks SOCKS itself.
pub(crate) const NATIVE: &str = "native SOCKS";
/// The same, sending its data behind its CONNECT without waiting for the answer.
pub(crate) const NATIVE_EARLY: &str = "native SOCKS, optimistic";
/// A dynamic program's non-blocking connect under `uwt --guard=tunnel`: the helper relays it.
pub(crate) const RELAY: &str = "relay";
/// A static program, which the preload does not see, under `uwt --guard=tunnel`.
pub(crate) const CAGED: &str = "caged";
/// The same with `optimistic = true`.
pub(crate) const CAGED_OPTIMISTIC: &str = "caged, optimistic";

/// An address of TEST-NET-3 (RFC 5737): it exists nowhere, and only the gateway hears of it.
pub(crate) const NOWHERE: &str = "203.0.113.5:80";

/// How the probe makes a connection, see its `via.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// A connect(2) that waits.
    Connect,
    /// One that does not, and poll(2).
    Poll,
    /// By SOCKS, without anybody's help.
    Socks,
    /// The same, sending without waiting for the answer.
    Early,
}

impl How {
    /// The probe's word for a connection to a target. Only who speaks SOCKS needs the gateway.
    pub(super) fn to(self, target: &str, gateway: Option<SocketAddr>) -> String {
        let gateway = gateway.map_or_else(String::new, |address| format!("{address}/"));
        match self {
            Self::Connect => format!("connect={target}"),
            Self::Poll => format!("poll={target}"),
            Self::Socks => format!("socks={gateway}{target}"),
            Self::Early => format!("early={gateway}{target}"),
        }
    }
}

/// A bar for so many rounds.
pub(super) fn progress(what: &'static str, rounds: u32) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:16} {wide_bar} {pos}/{len}");
    ProgressBar::new(rounds.into())
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what)
}

/// One row of a table: a program, what it is told and the variant it runs under.
#[derive(Debug)]
pub(super) struct Way<'a> {
    pub(super) name: &'static str,
    tool: &'a Tool,
    variant: &'a Variant,
    arguments: Vec<String>,
}

impl Way<'_> {
    /// The numbers that the program prints; at least one.
    pub(super) fn run(&self) -> Result<Vec<f64>> {
        self.tool.run(self.variant, &self.arguments)
    }
}

/// Where, with what and how often something is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course<'a> {
    pub(super) setup: &'a Setup,
    pub(super) tools: &'a Tools,
    pub(super) rounds: u32,
    pub(super) interrupt: &'a Interrupt,
}

impl<'a> Course<'a> {
    /// Any program under the variant that belongs to the name of a way.
    pub(super) fn way(&self, name: &'static str, tool: &'a Tool, arguments: &[&str]) -> Result<Way<'a>> {
        let variant = match name {
            NATIVE | NATIVE_EARLY => BARE,
            RELAY | CAGED => UWT_TUNNEL,
            CAGED_OPTIMISTIC => OPTIMISTIC,
            variant => variant,
        };
        let arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
        Ok(Way { name, tool, variant: self.setup.variant(variant)?, arguments })
    }

    /// The probe: the static one where the name says that it is caged.
    pub(super) fn probe(&self, name: &'static str, arguments: &[&str]) -> Result<Way<'a>> {
        let caged = [CAGED, CAGED_OPTIMISTIC].contains(&name);
        self.way(name, if caged { &self.tools.unhooked } else { &self.tools.hooked }, arguments)
    }

    /// The probe doing something (`what`, and how much of it) by connections to a target.
    pub(super) fn connecting(
        &self,
        name: &'static str,
        how: How,
        target: &str,
        what: &str,
        much: &[&str],
    ) -> Result<Way<'a>> {
        let via = how.to(target, Some(self.setup.gateway));
        self.probe(name, &[&[what, via.as_str()], much].concat())
    }

    /// Runs each way once a round, and once before: that reads its files from disk.
    pub(super) fn in_turns(
        &self,
        what: &'static str,
        ways: &[Way<'_>],
        mut one: impl FnMut(usize, &Way<'_>) -> Result<()>,
    ) -> Result<()> {
        for way in ways {
            self.interrupt.check()?;
            way.run()?;
        }
        for round in (0..self.rounds as usize).progress_with(progress(what, self.rounds)) {
            for index in order(round, ways.len()) {
                self.interrupt.check()?;
                one(index, &ways[index])?;
            }
        }
        Ok(())
    }

    /// What each way's numbers come to, in the order of the ways.
    pub(super) fn samples(
        &self,
        what: &'static str,
        ways: &[Way<'_>],
        value: impl Fn(&[f64]) -> f64,
    ) -> Result<Vec<Series>> {
        let mut samples = vec![Series::default(); ways.len()];
        self.in_turns(what, ways, |index, way| {
            samples[index].0.push(value(&way.run()?));
            Ok(())
        })?;
        Ok(samples)
    }
}

/// Rows of nothing but their samples.
pub(super) fn rows(ways: &[Way<'_>], samples: Vec<Series>) -> Vec<Row> {
    ways.iter().zip(samples).map(|(way, series)| Row { name: way.name, series, extra: Vec::new() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probe_is_told_how() {
        let gateway = Some(SocketAddr::from(([127, 0, 0, 1], 9050)));
        assert_eq!(How::Socks.to("a.example:80", gateway), "socks=127.0.0.1:9050/a.example:80");
        assert_eq!(How::Poll.to(NOWHERE, gateway), "poll=203.0.113.5:80");
    }
}

//! Connections and names through a gateway.

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressIterator, ProgressStyle};

use super::DELAY;
use super::gateway::{Gateway, HOST};
use super::probe::Probe;
use super::series::{Series, order};
use super::table::{Row, Table, number};
use super::variant::{BARE, Setup, Variant};
use crate::interrupt::Interrupt;

/// The tables the figures look at.
pub(crate) const CONNECTS: &str = "connects";
pub(crate) const NAMES: &str = "names";
/// A client that speaks SOCKS itself.
pub(crate) const NATIVE: &str = "native SOCKS";

/// An address of TEST-NET-3 (RFC 5737): it exists nowhere, and only the gateway hears of it.
const NOWHERE: &str = "203.0.113.5:80";
/// Connections of one probe.
const PER_PROBE: u32 = 100;

/// A bar for so many rounds.
pub(super) fn progress(what: &'static str, rounds: u32) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:16} {wide_bar} {pos}/{len}");
    ProgressBar::new(rounds.into())
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what)
}

/// A way to reach something: the variant it runs under and what the probe is told.
struct Way<'a> {
    name: &'static str,
    variant: &'a Variant,
    arguments: Vec<String>,
}

impl Way<'_> {
    /// The first number that the probe prints: nanoseconds.
    fn run(&self, probe: &Probe, more: &[&str]) -> Result<f64> {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let numbers = probe.run(self.variant, &arguments)?;
        numbers.first().copied().with_context(|| format!("{}: the probe printed nothing", self.name))
    }
}

/// Microseconds of one connect and close, one after the other.
pub(super) fn connects(
    setup: &Setup,
    gateway: &Gateway,
    probe: &Probe,
    rounds: u32,
    interrupt: &Interrupt,
) -> Result<Table> {
    let own = setup.gateway.to_string();
    let count = PER_PROBE.to_string();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let mut ways = Vec::new();
    for variant in setup.complete() {
        if variant.name == BARE {
            ways.push(Way { name: BARE, variant, arguments: words(&["connects", &own, &count]) });
            ways.push(Way { name: NATIVE, variant, arguments: words(&["socks", &own, NOWHERE, &count]) });
        } else {
            ways.push(Way { name: variant.name, variant, arguments: words(&["connects", NOWHERE, &count]) });
        }
    }
    let mut samples = vec![Series::default(); ways.len()];
    let mut busy = vec![Series::default(); ways.len()];
    for way in &ways {
        way.run(probe, &[])?;
    }
    for round in (0..rounds as usize).progress_with(progress("connects", rounds)) {
        for index in order(round, ways.len()) {
            interrupt.check()?;
            let before = gateway.processor_time()?;
            let nanoseconds = ways[index].run(probe, &[])?;
            samples[index].0.push(nanoseconds / 1e3 / f64::from(PER_PROBE));
            let used = gateway.processor_time()?.saturating_sub(before);
            busy[index].0.push(used.as_secs_f64() * 1e6 / f64::from(PER_PROBE));
        }
    }
    let native = ways.iter().position(|way| way.name == NATIVE).map_or(f64::NAN, |at| samples[at].median());
    let rows = ways
        .iter()
        .zip(samples.into_iter().zip(busy))
        .map(|(way, (series, busy))| {
            let median = series.median();
            // Bare does less than a SOCKS client must: the comparison says nothing about it.
            let [own, not_own] = if way.name == BARE {
                ["–", "–"].map(str::to_owned)
            } else {
                [format!("{:+.1}", median - native), format!("{:.0} %", 100.0 * native / median)]
            };
            let extra = vec![number(1e6 / median), own, not_own, number(busy.median())];
            Row { name: way.name, series, extra }
        })
        .collect();
    Ok(Table {
        key: CONNECTS,
        title: format!("Connects: blocking connect and close, {PER_PROBE} in a row, to the lab's gateway on loopback"),
        unit: "µs",
        base: BARE,
        extra: vec!["connects/s", "own µs", "not its own", "gateway CPU µs"],
        rows,
        notes: vec![
            "*bare* connects to the gateway's own port and says nothing. *native SOCKS*: the probe itself sends \
             greeting, credential and CONNECT in one segment, the least that a client can do; its time is the \
             gateway's and the kernel's."
                .to_owned(),
            "*own µs*: beyond native SOCKS. *not its own*: the share of the time that native SOCKS takes too. *gateway \
             CPU µs*: of all its threads, per connection; closing a connection goes on while the next one begins."
                .to_owned(),
        ],
    })
}

/// Milliseconds of one name and connect, each in a process of its own: nobody remembers the name.
pub(super) fn names(setup: &Setup, probe: &Probe, rounds: u32, interrupt: &Interrupt) -> Result<Table> {
    let own = setup.gateway.to_string();
    let mut ways = Vec::new();
    for variant in setup.complete() {
        let (name, arguments) = if variant.name == BARE {
            (NATIVE, vec!["socks-name".to_owned(), own.clone()])
        } else {
            (variant.name, vec!["name".to_owned()])
        };
        ways.push(Way { name, variant, arguments });
    }
    let mut samples = vec![Series::default(); ways.len()];
    for round in (0..rounds as usize).progress_with(progress("name + connect", rounds)) {
        for index in order(round, ways.len()) {
            interrupt.check()?;
            samples[index].0.push(ways[index].run(probe, &[HOST, "80"])? / 1e6);
        }
    }
    let rows =
        ways.iter().zip(samples).map(|(way, series)| Row { name: way.name, series, extra: Vec::new() }).collect();
    Ok(Table {
        key: NAMES,
        title: format!(
            "Name and connect: getaddrinfo, then connect; the gateway answers after {} ms",
            DELAY.as_millis()
        ),
        unit: "ms",
        base: NATIVE,
        extra: Vec::new(),
        rows,
        notes: vec!["*native SOCKS* sends the name with its CONNECT: one round trip, the floor.".to_owned()],
    })
}

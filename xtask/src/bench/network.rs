//! Connections and names through a gateway.

use anyhow::Result;

use super::DELAY;
use super::gateway::{Gateway, HOST};
use super::probe::Probe;
use super::series::Series;
use super::table::{Row, Table, number};
use super::variant::{BARE, Setup, UWT_TUNNEL};
use super::way::{CAGED, NATIVE, NOWHERE, Way, in_turns, samples};
use crate::interrupt::Interrupt;

/// The tables the figures look at.
pub(crate) const CONNECTS: &str = "connects";
pub(crate) const CAGED_CONNECTS: &str = "caged-connects";
pub(crate) const NAMES: &str = "names";

/// Connections of one probe.
const PER_PROBE: u32 = 100;

/// Microseconds of one connect and close, one after the other, of a program that the preloads see.
pub(super) fn connects(
    setup: &Setup,
    gateway: &Gateway,
    probe: &Probe,
    rounds: u32,
    interrupt: &Interrupt,
) -> Result<Table> {
    let count = PER_PROBE.to_string();
    let mut ways = floors(setup, probe)?;
    for variant in setup.connecting().filter(|variant| variant.name != BARE) {
        ways.push(Way::new(variant.name, probe, variant, &["connects", NOWHERE, &count]));
    }
    let title = "Connects: blocking connect and close";
    connects_by(CONNECTS, title, "connects", &ways, gateway, rounds, interrupt)
}

/// The same of a program that no preload sees.
pub(super) fn caged_connects(
    setup: &Setup,
    gateway: &Gateway,
    probe: &Probe,
    rounds: u32,
    interrupt: &Interrupt,
) -> Result<Table> {
    let mut ways = floors(setup, probe)?;
    let arguments = ["connects", NOWHERE, &PER_PROBE.to_string()];
    ways.push(Way::new(CAGED, probe, setup.variant(UWT_TUNNEL)?, &arguments));
    let title = "Connects of a static program: blocking connect and close";
    let mut table = connects_by(CAGED_CONNECTS, title, "caged connects", &ways, gateway, rounds, interrupt)?;
    table.notes.push(
        "*caged*: under `uwt --guard=tunnel`; the cage is made in a connect before them. torsocks and proxychains4 \
         can't carry a static program: it connects past them."
            .to_owned(),
    );
    Ok(table)
}

/// What a connect to the gateway costs at least.
fn floors<'a>(setup: &'a Setup, probe: &'a Probe) -> Result<Vec<Way<'a>>> {
    let (bare, own, count) = (setup.variant(BARE)?, setup.gateway.to_string(), PER_PROBE.to_string());
    Ok(vec![
        Way::new(BARE, probe, bare, &["connects", &own, &count]),
        Way::new(NATIVE, probe, bare, &["socks", &own, NOWHERE, &count]),
    ])
}

fn connects_by(
    key: &'static str,
    title: &str,
    what: &'static str,
    ways: &[Way<'_>],
    gateway: &Gateway,
    rounds: u32,
    interrupt: &Interrupt,
) -> Result<Table> {
    let mut samples = vec![Series::default(); ways.len()];
    let mut busy = samples.clone();
    in_turns(what, ways, rounds, interrupt, |index, way| {
        let before = gateway.processor_time()?;
        let nanoseconds = way.run()?[0];
        samples[index].0.push(nanoseconds / 1e3 / f64::from(PER_PROBE));
        let used = gateway.processor_time()?.saturating_sub(before);
        busy[index].0.push(used.as_secs_f64() * 1e6 / f64::from(PER_PROBE));
        Ok(())
    })?;
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
        key,
        title: format!("{title}, {PER_PROBE} in a row, to the lab's gateway on loopback"),
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
    for variant in setup.connecting() {
        ways.push(if variant.name == BARE {
            Way::new(NATIVE, probe, variant, &["socks-name", &own, HOST, "80"])
        } else {
            Way::new(variant.name, probe, variant, &["name", HOST, "80"])
        });
    }
    let samples = samples("name + connect", &ways, rounds, interrupt, |numbers| numbers[0] / 1e6)?;
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

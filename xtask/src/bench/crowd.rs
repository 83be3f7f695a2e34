//! Many connects at the same time.

use anyhow::Result;

use super::DELAY;
use super::probe::Probe;
use super::table::{Row, Table};
use super::variant::{BARE, Setup, UWT_TUNNEL};
use super::way::{CAGED, NATIVE, NOWHERE, Way, samples};
use crate::interrupt::Interrupt;

/// The tables the figures look at, and how many connects they are about.
pub(crate) const FEW: (&str, u16) = ("crowd-50", 50);
pub(crate) const MANY: (&str, u16) = ("crowd-400", 400);

/// Milliseconds from before the first socket until all are connected.
pub(super) fn measure(
    (key, count): (&'static str, u16),
    setup: &Setup,
    probe: &Probe,
    rounds: u32,
    interrupt: &Interrupt,
) -> Result<Table> {
    let (own, number) = (setup.gateway.to_string(), count.to_string());
    let ways = [
        Way::new(NATIVE, probe, setup.variant(BARE)?, &["socks-crowd", &own, NOWHERE, &number]),
        Way::new(CAGED, probe, setup.variant(UWT_TUNNEL)?, &["crowd", NOWHERE, &number]),
    ];
    let samples = samples("crowd", &ways, rounds, interrupt, |numbers| numbers[0] / 1e6)?;
    let rows =
        ways.iter().zip(samples).map(|(way, series)| Row { name: way.name, series, extra: Vec::new() }).collect();
    Ok(Table {
        key,
        title: format!(
            "{count} connects at the same time of a static program; the gateway answers after {} ms",
            DELAY.as_millis()
        ),
        unit: "ms",
        base: NATIVE,
        extra: Vec::new(),
        rows,
        notes: vec![
            "*native SOCKS*: as many threads, each of which speaks SOCKS itself. *caged*: one thread, non-blocking \
             connects and epoll; the cage is made in the first."
                .to_owned(),
        ],
    })
}

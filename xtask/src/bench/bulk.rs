//! Bytes in bulk through one connection.

use anyhow::Result;

use super::probe::Probe;
use super::table::{Row, Table};
use super::variant::{BARE, Setup, UWT_TUNNEL};
use super::way::{CAGED, NATIVE, NOWHERE, Way, samples};
use crate::interrupt::Interrupt;

/// The tables the figures look at.
pub(crate) const DOWN: &str = "bulk-down";
pub(crate) const UP: &str = "bulk-up";

/// Bytes of one connection.
const BYTES: u32 = 512 << 20;

/// Bytes from the gateway: `setup` points at one that sends.
pub(super) fn down(setup: &Setup, probe: &Probe, rounds: u32, interrupt: &Interrupt) -> Result<Table> {
    measure(DOWN, "from the gateway", ["take", "socks-take"], setup, probe, rounds, interrupt)
}

/// Bytes to the gateway, until it has read them: `setup` points at one that reads.
pub(super) fn up(setup: &Setup, probe: &Probe, rounds: u32, interrupt: &Interrupt) -> Result<Table> {
    measure(UP, "to the gateway", ["give", "socks-give"], setup, probe, rounds, interrupt)
}

fn measure(
    key: &'static str,
    direction: &str,
    [caged, native]: [&str; 2],
    setup: &Setup,
    probe: &Probe,
    rounds: u32,
    interrupt: &Interrupt,
) -> Result<Table> {
    let (own, bytes) = (setup.gateway.to_string(), BYTES.to_string());
    let ways = [
        Way::new(NATIVE, probe, setup.variant(BARE)?, &[native, &own, NOWHERE, &bytes]),
        Way::new(CAGED, probe, setup.variant(UWT_TUNNEL)?, &[caged, NOWHERE, &bytes]),
    ];
    // Bytes per nanosecond are gigabytes per second.
    let samples = samples("bulk", &ways, rounds, interrupt, |numbers| f64::from(BYTES) / numbers[0])?;
    let rows =
        ways.iter().zip(samples).map(|(way, series)| Row { name: way.name, series, extra: Vec::new() }).collect();
    Ok(Table {
        key,
        title: format!("Bulk: {} MiB {direction} through one connection of a static program", BYTES >> 20),
        unit: "GB/s",
        base: NATIVE,
        extra: Vec::new(),
        rows,
        notes: vec![
            "*native SOCKS*: the probe and the gateway, nobody between them: what the machine and the gateway can do. \
             *caged*: program, helper and gateway share the processors."
                .to_owned(),
        ],
    })
}

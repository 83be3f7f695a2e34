//! Bytes in bulk through one connection, and what they cost.

use anyhow::Result;

use super::gateway::Gateway;
use super::processes::{Adoption, time_of_children};
use super::series::Series;
use super::table::{Row, Table, number};
use super::variant::{PROXYCHAINS, TORSOCKS, UWT_TUNNEL};
use super::way::{CAGED, Course, How, NATIVE, NOWHERE, RELAY, Way, rows};

/// The tables the figures look at.
pub(crate) const DOWN: &str = "bulk-down";
pub(crate) const UP: &str = "bulk-up";
pub(crate) const PACED_DOWN: &str = "bulk-paced-down";
pub(crate) const PACED_UP: &str = "bulk-paced-up";
pub(crate) const CPU_DOWN: &str = "cpu-down";
pub(crate) const CPU_UP: &str = "cpu-up";

/// Bytes of one connection.
const BYTES: u32 = 512 << 20;

/// What the slower gateways let through, in megabytes a second: several times what one connection through Tor ever gets.
pub(super) const PACE: &str = "1000";

/// What one way took in each of its runs: seconds of processors, per GiB.
#[derive(Clone, Debug, Default)]
struct Work {
    all: Series,
    program: Series,
    helper: Series,
    gateway: Series,
}

/// Bytes from the gateway, which sends.
pub(super) fn down(course: &Course<'_>, gateway: &Gateway) -> Result<[Table; 2]> {
    measure([DOWN, CPU_DOWN], "from the gateway", "take", course, gateway)
}

/// Bytes to the gateway, until it has read them.
pub(super) fn up(course: &Course<'_>, gateway: &Gateway) -> Result<[Table; 2]> {
    measure([UP, CPU_UP], "to the gateway", "give", course, gateway)
}

/// Bytes from a gateway that sends [`PACE`] at most.
pub(super) fn paced_down(course: &Course<'_>) -> Result<Table> {
    paced(PACED_DOWN, "from", "take", course)
}

/// Bytes to a gateway that reads [`PACE`] at most, until it has read them.
pub(super) fn paced_up(course: &Course<'_>) -> Result<Table> {
    paced(PACED_UP, "to", "give", course)
}

/// Of the ways that need nobody's help but ours.
fn paced(key: &'static str, direction: &str, what: &str, course: &Course<'_>) -> Result<Table> {
    let bytes = BYTES.to_string();
    let way = |name, how| course.connecting(name, how, NOWHERE, what, &[&bytes]);
    let ways =
        [way(NATIVE, How::Socks)?, way(UWT_TUNNEL, How::Connect)?, way(RELAY, How::Poll)?, way(CAGED, How::Connect)?];
    let mut speed = vec![Series::default(); ways.len()];
    course.in_turns("bulk at a pace", &ways, |index, way| {
        speed[index].0.push(f64::from(BYTES) / way.run()?[0]);
        Ok(())
    })?;
    let direction = format!("{direction} a gateway that lets {PACE} MB/s through");
    Ok(speed_table(key, &direction, &ways, speed))
}

fn measure(
    [key, cpu_key]: [&'static str; 2],
    direction: &str,
    what: &str,
    course: &Course<'_>,
    gateway: &Gateway,
) -> Result<[Table; 2]> {
    let bytes = BYTES.to_string();
    let way = |name, how| course.connecting(name, how, NOWHERE, what, &[&bytes]);
    let ways = [
        way(NATIVE, How::Socks)?,
        way(UWT_TUNNEL, How::Connect)?,
        way(RELAY, How::Poll)?,
        way(CAGED, How::Connect)?,
        way(TORSOCKS, How::Connect)?,
        way(PROXYCHAINS, How::Connect)?,
    ];
    let mut speed = vec![Series::default(); ways.len()];
    let mut work = vec![Work::default(); ways.len()];
    // The helper is ours meanwhile: what it has used is known when it has been waited for.
    let adoption = Adoption::begin()?;
    course.in_turns("bulk", &ways, |index, way| {
        adoption.reap()?;
        let (begin, gateway_before) = (time_of_children()?, gateway.processor_time()?);
        // Bytes per nanosecond are gigabytes per second.
        speed[index].0.push(f64::from(BYTES) / way.run()?[0]);
        let program = time_of_children()?;
        adoption.reap()?;
        let helper = time_of_children()?.saturating_sub(program);
        let (program, gateway) =
            (program.saturating_sub(begin), gateway.processor_time()?.saturating_sub(gateway_before));
        let per_gib = |time: std::time::Duration| time.as_secs_f64() * f64::from(1_u32 << 30) / f64::from(BYTES);
        let one = &mut work[index];
        one.all.0.push(per_gib(program + helper));
        one.program.0.push(per_gib(program));
        one.helper.0.push(per_gib(helper));
        one.gateway.0.push(per_gib(gateway));
        Ok(())
    })?;
    Ok([speed_table(key, direction, &ways, speed), work_table(cpu_key, direction, &ways, work)])
}

fn speed_table(key: &'static str, direction: &str, ways: &[Way<'_>], speed: Vec<Series>) -> Table {
    Table {
        key,
        title: format!("Bulk: {} MiB {direction} through one connection", BYTES >> 20),
        unit: "GB/s",
        base: NATIVE,
        extra: Vec::new(),
        rows: rows(ways, speed),
        notes: vec![
            "*native SOCKS*: the probe and the gateway, nobody between them: what the machine and the gateway can do. \
             *uwt tunnel*: a blocking connect, which the library makes in the program; nobody is between them either. \
             *relay*: a non-blocking connect of the same program; program, helper and gateway share the processors, as \
             they do where it is *caged*."
                .to_owned(),
        ],
    }
}

fn work_table(key: &'static str, direction: &str, ways: &[Way<'_>], work: Vec<Work>) -> Table {
    let row = |(way, work): (&Way<'_>, Work)| Row {
        name: way.name,
        extra: [work.program, work.helper, work.gateway].map(|series| number(series.median())).to_vec(),
        series: work.all,
    };
    Table {
        key,
        title: format!("Processor time of a GiB {direction}"),
        unit: "s/GiB",
        base: NATIVE,
        extra: vec!["program", "helper", "gateway (not counted)"],
        rows: ways.iter().zip(work).map(row).collect(),
        notes: vec![
            "Of the runs above, user and system, starts and ends of program and helper included (getrusage(2))."
                .to_owned(),
        ],
    }
}

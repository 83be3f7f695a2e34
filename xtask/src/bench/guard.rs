//! What the guard costs single system calls.

use anyhow::Result;

use super::series::Series;
use super::table::{Row, Table};
use super::variant::{BARE, UWT_OFF, UWT_TUNNEL};
use super::way::{CAGED, Course, Way, rows};

/// The tables the figures look at.
pub(crate) const GETPPID: &str = "getppid";
pub(crate) const SEND: &str = "send";
pub(crate) const UNIX: &str = "unix";
pub(crate) const SOCKETS: &str = "sockets";
pub(crate) const CAGE: &str = "cage";

/// Calls of one probe where a call takes less than a microsecond.
const MANY: u32 = 200_000;
/// AF_UNIX connects of one probe.
const CONNECTS: u32 = 1920;
/// Trapped calls of one probe.
const TRAPPED: u32 = 3000;

/// What the filter adds to a call that it never looks into and to one whose arguments it compares.
pub(super) fn filter(course: &Course<'_>) -> Result<Vec<Table>> {
    let one = |key, call: &str, note: &str| -> Result<Table> {
        let (tool, many) = (&course.tools.unhooked, MANY.to_string());
        let ways = [BARE, UWT_TUNNEL].map(|name| course.way(name, tool, &[call, &many]));
        let ways = ways.into_iter().collect::<Result<Vec<_>>>()?;
        let samples = course.samples("filter", &ways, |numbers| numbers[0] / f64::from(MANY))?;
        Ok(Table {
            key,
            title: format!("The guard's filter: `{call}`, {MANY} in a row, of a static program"),
            unit: "ns",
            base: BARE,
            extra: vec!["added ns"],
            rows: with_difference(&ways, samples),
            notes: vec![note.to_owned()],
        })
    };
    Ok(vec![
        one(
            GETPPID,
            "getppid",
            "The filter passes it whatever its arguments are: the kernel remembers that (since Linux 5.11) and does not \
             run the filter.",
        )?,
        one(
            SEND,
            "send",
            "sendto(2) without an address, on no descriptor: the filter runs and compares flags and address, the kernel \
             does nothing else.",
        )?,
    ])
}

/// Nanoseconds of an AF_UNIX connect of a program that the preload sees.
pub(super) fn unix(course: &Course<'_>) -> Result<Table> {
    let many = CONNECTS.to_string();
    let ways = [BARE, UWT_OFF, UWT_TUNNEL].map(|name| course.probe(name, &["unix", &many]));
    let ways = ways.into_iter().collect::<Result<Vec<_>>>()?;
    let samples = course.samples("AF_UNIX", &ways, |numbers| numbers[0] / f64::from(CONNECTS))?;
    Ok(Table {
        key: UNIX,
        title: "AF_UNIX: connect of a stream socket to a listening one, of a dynamic program".to_owned(),
        unit: "ns",
        base: BARE,
        extra: vec!["added ns"],
        rows: with_difference(&ways, samples),
        notes: vec![
            "An abstract address of 16 bytes: by its length the filter can't tell it from one of IPv4.".to_owned(),
        ],
    })
}

/// Microseconds of a trapped call, and milliseconds that the first one takes longer than those behind it: the cage is
/// made in it.
pub(super) fn sockets(course: &Course<'_>) -> Result<Vec<Table>> {
    let arguments = ["sockets", &TRAPPED.to_string()];
    let tool = &course.tools.unhooked;
    let ways = [course.way(BARE, tool, &arguments)?, course.way(CAGED, tool, &arguments)?];
    let mut later = vec![Series::default(); ways.len()];
    let mut longer = later.clone();
    course.in_turns("sockets", &ways, |index, way| {
        // The kernel goes on clearing up the cage of the run before, and whoever makes one waits for that.
        ways[0].run()?;
        let Some([first, more]) = way.run()?.first_chunk::<2>().copied() else {
            anyhow::bail!("{}: the probe did not print two numbers", way.name)
        };
        let each = more / f64::from(TRAPPED);
        later[index].0.push(each / 1e3);
        longer[index].0.push((first - each) / 1e6);
        Ok(())
    })?;
    let table = |key, title: String, unit, rows, note: &str| Table {
        key,
        title,
        unit,
        base: BARE,
        extra: Vec::new(),
        rows,
        notes: vec![note.to_owned()],
    };
    Ok(vec![
        table(
            SOCKETS,
            format!("Trapped calls: socket and close, {TRAPPED} in a row, of a static program"),
            "µs",
            rows(&ways, later),
            "*caged*: under `uwt --guard=tunnel`, where the helper answers with a socket of the cage's.",
        ),
        table(
            CAGE,
            "The cage: the first socket and close of a run, beyond those behind it".to_owned(),
            "ms",
            rows(&ways, longer),
            "The first call makes the cage: the namespaces, their routes and rules, and the process that stays outside.",
        ),
    ])
}

/// Rows that say what each adds to the first.
fn with_difference(ways: &[Way<'_>], samples: Vec<Series>) -> Vec<Row> {
    let first = samples.first().map_or(f64::NAN, Series::median);
    ways.iter()
        .zip(samples)
        .map(|(way, series)| {
            let added = format!("{:+.0}", series.median() - first);
            Row { name: way.name, series, extra: vec![added] }
        })
        .collect()
}

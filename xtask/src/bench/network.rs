//! Connections and names through a gateway.

use anyhow::Result;

use super::gateway::{Gateway, HOST};
use super::series::Series;
use super::table::{Row, Table, number};
use super::variant::{BARE, PROXYCHAINS, TORSOCKS, UWT_OFF, UWT_TUNNEL};
use super::way::{CAGED, Course, How, NATIVE, NOWHERE, RELAY, Way, rows};

/// The tables the figures look at.
pub(crate) const CONNECTS: &str = "connects";
pub(crate) const POLLED_CONNECTS: &str = "polled-connects";
pub(crate) const CAGED_CONNECTS: &str = "caged-connects";
/// The delays of the gateway in milliseconds, and the table of each.
pub(crate) const NAMES: [(u32, &str); 3] = [(0, "names-0"), (100, "names-100"), (300, "names-300")];

/// Connections of one probe.
const PER_PROBE: u32 = 100;

/// Microseconds of one connect and close, one after the other, of a program that the preloads see.
pub(super) fn connects(course: &Course<'_>, gateway: &Gateway) -> Result<Table> {
    let mut ways = floors(course)?;
    for name in [UWT_OFF, UWT_TUNNEL, TORSOCKS, PROXYCHAINS] {
        ways.push(way(course, name, How::Connect)?);
    }
    let title = "Connects: blocking connect and close";
    connects_by(CONNECTS, title, "connects", &ways, course, gateway)
}

/// The same by connects that don't block.
pub(super) fn polled_connects(course: &Course<'_>, gateway: &Gateway) -> Result<Table> {
    let mut ways = floors(course)?;
    for name in [UWT_OFF, RELAY, TORSOCKS, PROXYCHAINS] {
        ways.push(way(course, name, How::Poll)?);
    }
    let title = "Non-blocking connects: connect, poll and close";
    let mut table = connects_by(POLLED_CONNECTS, title, "polled connects", &ways, course, gateway)?;
    table.notes.push(
        "*relay*: under `uwt --guard=tunnel`, where the helper makes the connection and the program's own socket becomes \
         ready. Under the others, *uwt off* included, the connect that should not block does."
            .to_owned(),
    );
    Ok(table)
}

/// The same of a program that no preload sees.
pub(super) fn caged_connects(course: &Course<'_>, gateway: &Gateway) -> Result<Table> {
    let mut ways = floors(course)?;
    ways.push(way(course, CAGED, How::Connect)?);
    let title = "Connects of a static program: blocking connect and close";
    let mut table = connects_by(CAGED_CONNECTS, title, "caged connects", &ways, course, gateway)?;
    table.notes.push(
        "*caged*: under `uwt --guard=tunnel`; the cage is made in a connect before them. torsocks and proxychains4 \
         can't carry a static program: it connects past them."
            .to_owned(),
    );
    Ok(table)
}

fn way<'a>(course: &Course<'a>, name: &'static str, how: How) -> Result<Way<'a>> {
    course.connecting(name, how, NOWHERE, "connects", &[&PER_PROBE.to_string()])
}

/// What a connect to the gateway costs at least.
fn floors<'a>(course: &Course<'a>) -> Result<Vec<Way<'a>>> {
    let own = course.setup.gateway.to_string();
    let bare = course.connecting(BARE, How::Connect, &own, "connects", &[&PER_PROBE.to_string()])?;
    Ok(vec![bare, way(course, NATIVE, How::Socks)?])
}

fn connects_by(
    key: &'static str,
    title: &str,
    what: &'static str,
    ways: &[Way<'_>],
    course: &Course<'_>,
    gateway: &Gateway,
) -> Result<Table> {
    let mut samples = vec![Series::default(); ways.len()];
    let mut busy = samples.clone();
    course.in_turns(what, ways, |index, way| {
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
pub(super) fn names((delay, key): (u32, &'static str), course: &Course<'_>) -> Result<Table> {
    let target = format!("{HOST}:80");
    let way = |name, how| course.connecting(name, how, &target, "once", &[]);
    let ways = [
        way(NATIVE, How::Socks)?,
        way(UWT_OFF, How::Connect)?,
        way(UWT_TUNNEL, How::Connect)?,
        way(RELAY, How::Poll)?,
        way(CAGED, How::Connect)?,
        way(TORSOCKS, How::Connect)?,
        way(PROXYCHAINS, How::Connect)?,
    ];
    let samples = course.samples("name + connect", &ways, |numbers| numbers[0] / 1e6)?;
    Ok(Table {
        key,
        title: format!("Name and connect: getaddrinfo, then connect; the gateway answers after {delay} ms"),
        unit: "ms",
        base: NATIVE,
        extra: Vec::new(),
        rows: rows(&ways, samples),
        notes: vec![
            "*native SOCKS* sends the name with its CONNECT: one round trip, the floor. *caged*: the DNS stub answers a \
             static program, whose cage is made meanwhile."
                .to_owned(),
        ],
    })
}

//! Many connections at the same time.

use std::thread;

use anyhow::{Result, anyhow};

use super::DELAY;
use super::series::Series;
use super::table::{Row, Table};
use super::variant::{PROXYCHAINS, TORSOCKS, UWT_OFF};
use super::way::{CAGED, Course, How, NATIVE, NOWHERE, RELAY, Way, rows};

/// The tables the figures look at, and how many connections they are about.
pub(crate) const FEW: (&str, u16) = ("crowd-50", 50);
pub(crate) const MANY: (&str, u16) = ("crowd-400", 400);
pub(crate) const THRONG: (&str, u16) = ("crowd-2000", 2000);

/// Where each connect waits for the gateway, and the event loop with it.
const BLOCKED: [&str; 3] = [UWT_OFF, TORSOCKS, PROXYCHAINS];

/// Milliseconds from before the first socket until all are connected.
pub(super) fn measure((key, count): (&'static str, u16), course: &Course<'_>) -> Result<Table> {
    let (host, port) = NOWHERE.split_once(':').ok_or_else(|| anyhow!("a port"))?;
    let (number, gateway) = (count.to_string(), course.setup.gateway.port().to_string());
    let plain = [course.tools.crowd.as_str(), host, port, &number];
    let python = |name, more: &[&str]| course.way(name, &course.tools.python, &[&plain, more].concat());
    let mut ways =
        vec![python(NATIVE, &[&gateway])?, course.connecting(CAGED, How::Poll, NOWHERE, "crowd", &[&number])?];
    let relayed = relays(course)?;
    if relayed {
        ways.insert(1, python(RELAY, &[])?);
    }
    let samples = course.samples("crowd", &ways, |numbers| numbers[0] / 1e6)?;
    let mut rows = rows(&ways, samples);
    let mut notes = vec![
        "CPython's asyncio, `open_connection` as often, all awaited together. *native SOCKS*: the script speaks SOCKS \
         itself, as asynchronously. *caged*: a static program, one thread, non-blocking connects and epoll; the cage is \
         made in the first. Over each connection a byte then goes there and back."
            .to_owned(),
    ];
    if !relayed {
        notes.push("There is no relay on this machine: connects block under `uwt --guard=tunnel`, too.".to_owned());
    }
    if count == FEW.1 {
        let blocked = BLOCKED.iter().map(|name| python(name, &[])).collect::<Result<Vec<_>>>()?;
        rows.extend(once(&blocked)?);
        notes.push(format!(
            "{} make an event loop wait for each connection by itself: they run once, at the same time as each other, \
             and not with more connections.",
            BLOCKED.join(", ")
        ));
    }
    Ok(Table {
        key,
        title: format!(
            "{} asyncio connections at the same time; the gateway answers after {} ms",
            counted(count),
            DELAY.as_millis()
        ),
        unit: "ms",
        base: NATIVE,
        extra: Vec::new(),
        rows,
        notes,
    })
}

/// Whether non-blocking connects don't block: a few at once take as long as one.
fn relays(course: &Course<'_>) -> Result<bool> {
    let few = course.connecting(RELAY, How::Poll, NOWHERE, "crowd", &["4"])?;
    Ok(few.run()?[0] < 2.0 * DELAY.as_secs_f64() * 1e9)
}

/// 2,000 and not 2000.
fn counted(count: u16) -> String {
    if count < 1000 { count.to_string() } else { format!("{},{:03}", count / 1000, count % 1000) }
}

/// Runs all of them at the same time: they wait and do nothing.
fn once(ways: &[Way<'_>]) -> Result<Vec<Row>> {
    thread::scope(|scope| {
        let threads: Vec<_> = ways.iter().map(|way| scope.spawn(|| way.run())).collect();
        let ended = threads.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("a thread panicked"))?);
        ways.iter()
            .zip(ended)
            .map(|(way, numbers)| {
                Ok(Row { name: way.name, series: Series(vec![numbers?[0] / 1e6]), extra: Vec::new() })
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([50, 999, 1000, 2050].map(counted), ["50", "999", "1,000", "2,050"]);
    }
}

//! The limits that uwt must keep, and whether it does.

use std::fmt;

use super::processes::HELPER;
use super::table::Table;
use super::variant::{BARE, OPTIMISTIC, PRELOAD_ONLY, TORSOCKS, UWT_DENY, UWT_OFF, UWT_TUNNEL};
use super::way::{CAGED, CAGED_OPTIMISTIC, NATIVE, RELAY};
use super::{bulk, crowd, first_byte, growth, guard, helper, memory, network, startup, status, wrapped};

/// One figure and its limit.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) name: &'static str,
    /// NaN where it was not measured: that keeps no limit.
    pub(crate) value: f64,
    pub(crate) limit: Limit,
    pub(crate) unit: &'static str,
}

/// Which side is good.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// The medians of one table.
struct Medians<'a>(Option<&'a Table>);

impl Medians<'_> {
    fn of(&self, row: &str) -> f64 {
        self.0.and_then(|table| table.median(row)).unwrap_or(f64::NAN)
    }

    fn ratio(&self, row: &str, base: &str) -> f64 {
        self.of(row) / self.of(base)
    }

    fn difference(&self, row: &str, base: &str) -> f64 {
        self.of(row) - self.of(base)
    }
}

/// Takes the figures out of the tables and holds them against their limits. `on_disk`: bytes of the preload's file.
pub(super) fn judge(tables: &[Table], on_disk: u64) -> Vec<Verdict> {
    use Limit::{AtLeast, AtMost};
    let table = |key: &str| Medians(tables.iter().find(|table| table.key == key));
    let verdict = |name, value, limit, unit| Verdict { name, value, limit, unit };
    let start = table(startup::KEY);
    let added = table(startup::PAIR).difference(PRELOAD_ONLY, BARE);
    let wrapped = table(wrapped::KEY).ratio(wrapped::UWT, wrapped::SCRIPT);
    let connects = 1.0 / table(network::CONNECTS).ratio(UWT_OFF, TORSOCKS);
    let [.., (_, at_300)] = network::NAMES;
    let filter = |key| table(key).difference(UWT_TUNNEL, BARE);
    let caged = |key| table(key).of(CAGED);
    let relay = |key| table(key).of(RELAY);
    let share = |key, way| table(key).ratio(way, NATIVE);
    let again = |key| table(key).ratio(growth::MOST_AGAIN, growth::MOST);
    let first = |row| table(first_byte::PROBE).of(row);
    #[expect(clippy::cast_precision_loss, reason = "a library is far smaller than 2^52 bytes")]
    let on_disk = on_disk as f64;
    vec![
        verdict("the preload adds to a start", added, AtMost(60.0), "µs"),
        verdict("`uwt --guard=off /bin/true`", start.ratio(UWT_OFF, BARE), AtMost(1.7), "× bare"),
        verdict("`uwt --guard=deny /bin/true`", start.ratio(UWT_DENY, BARE), AtMost(2.5), "× bare"),
        verdict("`uwt --guard=tunnel /bin/true`", start.ratio(UWT_TUNNEL, BARE), AtMost(2.2), "× bare"),
        verdict("start of a wrapped command", wrapped, AtMost(0.25), "× bash and torsocks"),
        verdict("`uwtctl status --offline`", table(status::KEY).of(status::OFFLINE) / 1000.0, AtMost(50.0), "ms"),
        verdict("name and connect at 300 ms", table(at_300).of(UWT_OFF), AtMost(350.0), "ms"),
        verdict("connects/s", connects, AtLeast(1.5), "× torsocks"),
        verdict("the preload on disk", on_disk, AtMost(65536.0), "bytes"),
        verdict("private memory per process", table(memory::KEY).of(UWT_OFF), AtMost(32.0), "KiB"),
        verdict("the filter adds to getppid", filter(guard::GETPPID), AtMost(60.0), "ns"),
        verdict("the filter adds to send", filter(guard::SEND), AtMost(60.0), "ns"),
        verdict("AF_UNIX connect, guarded", table(guard::UNIX).ratio(UWT_TUNNEL, BARE), AtMost(1.1), "× bare"),
        verdict("trapped socket and close", caged(guard::SOCKETS), AtMost(60.0), "µs"),
        verdict("the cage is made", caged(guard::CAGE), AtMost(2.0), "ms"),
        verdict("caged connect", caged(network::CAGED_CONNECTS), AtMost(400.0), "µs"),
        verdict("caged bulk from the gateway", caged(bulk::DOWN), AtLeast(1.4), "GB/s"),
        verdict("caged bulk from the gateway", share(bulk::DOWN, CAGED), AtLeast(0.35), "× native SOCKS"),
        verdict("caged bulk to the gateway", caged(bulk::UP), AtLeast(1.4), "GB/s"),
        verdict("caged bulk to the gateway", share(bulk::UP, CAGED), AtLeast(0.35), "× native SOCKS"),
        verdict("relayed bulk from the gateway", share(bulk::DOWN, RELAY), AtLeast(0.9), "× native SOCKS"),
        verdict("relayed bulk to the gateway", share(bulk::UP, RELAY), AtLeast(0.9), "× native SOCKS"),
        verdict("relayed bulk from it at 1 GB/s", share(bulk::PACED_DOWN, RELAY), AtLeast(0.9), "× native SOCKS"),
        verdict("relayed bulk to it at 1 GB/s", share(bulk::PACED_UP, RELAY), AtLeast(0.9), "× native SOCKS"),
        verdict("blocking bulk from the gateway", share(bulk::DOWN, UWT_TUNNEL), AtLeast(0.98), "× native SOCKS"),
        verdict("blocking bulk to the gateway", share(bulk::UP, UWT_TUNNEL), AtLeast(0.98), "× native SOCKS"),
        verdict("50 asyncio connections at 300 ms", relay(crowd::FEW.0), AtMost(400.0), "ms"),
        verdict("400 asyncio connections at 300 ms", relay(crowd::MANY.0), AtMost(600.0), "ms"),
        verdict("50 caged connections at 300 ms", caged(crowd::FEW.0), AtMost(400.0), "ms"),
        verdict("400 caged connections at 300 ms", caged(crowd::MANY.0), AtMost(600.0), "ms"),
        verdict("optimistic first byte at 300 ms", first(OPTIMISTIC), AtMost(350.0), "ms"),
        verdict("caged optimistic first byte at 300 ms", first(CAGED_OPTIMISTIC), AtMost(350.0), "ms"),
        verdict("the helper with 400 connections", table(helper::KEY).of(HELPER), AtMost(4096.0), "KiB"),
        verdict("the helper with 2,000 caged connections again", again(growth::CAGE), AtMost(1.1), "× before"),
        verdict("the helper with 2,000 relayed ones again", again(growth::RELAY), AtMost(1.1), "× before"),
    ]
}

impl Verdict {
    /// Whether the limit is kept; never by a figure that was not measured.
    pub(crate) fn passed(&self) -> bool {
        match self.limit {
            Limit::AtMost(limit) => self.value <= limit,
            Limit::AtLeast(limit) => self.value >= limit,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.passed() { "pass" } else { "MISS" };
        let (side, limit) = match self.limit {
            Limit::AtMost(limit) => ("at most", limit),
            Limit::AtLeast(limit) => ("at least", limit),
        };
        let value = super::table::number(self.value);
        write!(formatter, "{word}  {}: {value} {}, {side} {limit} wanted", self.name, self.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::super::series::Series;
    use super::super::table::Row;
    use super::*;

    fn table(key: &'static str, rows: &[(&'static str, f64)]) -> Table {
        let row = |(name, value): &(&'static str, f64)| Row { name, series: Series(vec![*value]), extra: Vec::new() };
        Table {
            key,
            title: String::new(),
            unit: "",
            base: BARE,
            extra: Vec::new(),
            rows: rows.iter().map(row).collect(),
            notes: Vec::new(),
        }
    }

    /// Everything just at its limit, the bytes on disk aside; what is to be small times `more`, what is to be large
    /// divided by it.
    fn at_the_limit(more: f64) -> Vec<Table> {
        let with = |at_most: f64| at_most * more;
        let start = [(UWT_OFF, 850.0), (UWT_DENY, 1250.0), (UWT_TUNNEL, 1100.0)];
        let start = start.map(|(name, value)| (name, with(value)));
        let bulk = [(NATIVE, 4.0), (CAGED, 1.4 / more), (RELAY, 3.6 / more), (UWT_TUNNEL, 3.92 / more)];
        let growth = [(growth::MOST, 2000.0), (growth::MOST_AGAIN, with(2200.0))];
        vec![
            table(startup::KEY, &[&[(BARE, 500.0), (TORSOCKS, 2900.0)], &start[..]].concat()),
            table(startup::PAIR, &[(BARE, 400.0), (PRELOAD_ONLY, 400.0 + with(60.0))]),
            table(wrapped::KEY, &[(BARE, 600.0), (wrapped::UWT, with(2500.0)), (wrapped::SCRIPT, 10000.0)]),
            table(status::KEY, &[(status::OFFLINE, with(50_000.0))]),
            table(network::CONNECTS, &[(UWT_OFF, with(100.0)), (TORSOCKS, 150.0)]),
            table(network::CAGED_CONNECTS, &[(CAGED, with(400.0))]),
            table("names-300", &[(UWT_OFF, with(350.0))]),
            table(memory::KEY, &[(UWT_OFF, with(32.0))]),
            table(guard::GETPPID, &[(BARE, 100.0), (UWT_TUNNEL, 100.0 + with(60.0))]),
            table(guard::SEND, &[(BARE, 200.0), (UWT_TUNNEL, 200.0 + with(60.0))]),
            table(guard::UNIX, &[(BARE, 1000.0), (UWT_TUNNEL, with(1100.0))]),
            table(guard::SOCKETS, &[(CAGED, with(60.0))]),
            table(guard::CAGE, &[(CAGED, with(2.0))]),
            table(bulk::DOWN, &bulk),
            table(bulk::UP, &bulk),
            table(bulk::PACED_DOWN, &bulk),
            table(bulk::PACED_UP, &bulk),
            table(crowd::FEW.0, &[(RELAY, with(400.0)), (CAGED, with(400.0))]),
            table(crowd::MANY.0, &[(RELAY, with(600.0)), (CAGED, with(600.0))]),
            table(first_byte::PROBE, &[(OPTIMISTIC, with(350.0)), (CAGED_OPTIMISTIC, with(350.0))]),
            table(helper::KEY, &[(HELPER, with(4096.0))]),
            table(growth::CAGE, &growth),
            table(growth::RELAY, &growth),
        ]
    }

    #[test]
    fn limits_are_kept_up_to_the_last_bit() {
        let verdicts = judge(&at_the_limit(1.0), 65536);
        let missed: Vec<String> = verdicts.iter().filter(|it| !it.passed()).map(ToString::to_string).collect();
        assert_eq!(missed, [""; 0]);
        assert_eq!(verdicts[7].to_string(), "pass  connects/s: 1.50 × torsocks, at least 1.5 wanted");
    }

    #[test]
    fn a_little_beyond_is_missed() {
        let passed: Vec<Verdict> = judge(&at_the_limit(1.01), 65537).into_iter().filter(Verdict::passed).collect();
        assert!(passed.is_empty(), "{passed:?}");
    }

    #[test]
    fn what_was_not_measured_is_missed() {
        assert_eq!(judge(&[], 70000).iter().filter(|verdict| verdict.passed()).count(), 0);
    }
}

//! The limits that uwt must keep, and whether it does.

use std::fmt;

use super::network::{CONNECTS, NAMES};
use super::table::Table;
use super::variant::{BARE, PRELOAD_ONLY, TORSOCKS, UWT};
use super::{memory, startup};

/// What the limits are about. NaN where it was not measured: that keeps no limit.
#[derive(Debug)]
pub(crate) struct Figures {
    /// Microseconds that the preload alone adds to a start.
    preload_added: f64,
    /// Start-up of `uwt /bin/true` as a multiple of bare.
    startup_ratio: f64,
    /// Milliseconds of name and connect at 300 ms.
    name_connect: f64,
    /// Connects per second as a multiple of torsocks'.
    connect_ratio: f64,
    /// Bytes of the preload's file.
    on_disk: f64,
    /// KiB of private memory that each process adds.
    private: f64,
}

/// One figure and its limit.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) name: &'static str,
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

impl Figures {
    /// Takes them out of the tables.
    pub(crate) fn from_tables(tables: &[Table], on_disk: u64) -> Self {
        let median = |key: &str, name: &str| {
            let table = tables.iter().find(|table| table.key == key);
            table.and_then(|table| table.median(name)).unwrap_or(f64::NAN)
        };
        let start = |name| median(startup::KEY, name);
        #[expect(clippy::cast_precision_loss, reason = "a library is far smaller than 2^52 bytes")]
        let on_disk = on_disk as f64;
        Self {
            preload_added: median(startup::PAIR, PRELOAD_ONLY) - median(startup::PAIR, BARE),
            startup_ratio: start(UWT) / start(BARE),
            name_connect: median(NAMES, UWT),
            connect_ratio: median(CONNECTS, TORSOCKS) / median(CONNECTS, UWT),
            on_disk,
            private: median(memory::KEY, UWT),
        }
    }

    /// Holds them against the limits.
    pub(crate) fn judge(&self) -> Vec<Verdict> {
        use Limit::{AtLeast, AtMost};
        let verdict = |name, value, limit, unit| Verdict { name, value, limit, unit };
        vec![
            verdict("the preload adds to a start", self.preload_added, AtMost(60.0), "µs"),
            verdict("`uwt /bin/true`", self.startup_ratio, AtMost(1.9), "× bare"),
            verdict("name and connect at 300 ms", self.name_connect, AtMost(350.0), "ms"),
            verdict("connects/s", self.connect_ratio, AtLeast(1.5), "× torsocks"),
            verdict("the preload on disk", self.on_disk, AtMost(65536.0), "bytes"),
            verdict("private memory per process", self.private, AtMost(32.0), "KiB"),
        ]
    }
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

    #[test]
    fn limits_are_kept_up_to_the_last_bit() {
        let tables = [
            table(startup::KEY, &[(BARE, 500.0), (UWT, 950.0), (TORSOCKS, 2900.0)]),
            table(startup::PAIR, &[(BARE, 400.0), (PRELOAD_ONLY, 460.0)]),
            table(CONNECTS, &[(UWT, 100.0), (TORSOCKS, 150.0)]),
            table(NAMES, &[(UWT, 350.0)]),
            table(memory::KEY, &[(UWT, 32.0)]),
        ];
        let verdicts = Figures::from_tables(&tables, 65536).judge();
        let missed: Vec<String> = verdicts.iter().filter(|it| !it.passed()).map(ToString::to_string).collect();
        assert_eq!(missed, [""; 0]);
        assert!(!Figures::from_tables(&tables, 65537).judge()[4].passed());
        assert_eq!(verdicts[3].to_string(), "pass  connects/s: 1.50 × torsocks, at least 1.5 wanted");
    }

    #[test]
    fn what_was_not_measured_is_missed() {
        assert_eq!(Figures::from_tables(&[], 70000).judge().iter().filter(|verdict| verdict.passed()).count(), 0);
    }
}

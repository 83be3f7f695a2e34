//! The summary in README.md.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::machine::Machine;
use super::table::{Table, number};
use super::variant::{BARE, OPTIMISTIC, PROXYCHAINS, TORSOCKS, UWT_TUNNEL};
use super::way::{CAGED, NATIVE, RELAY};
use super::{bulk, crowd, first_byte, network, startup, status, wrapped};

/// The lines that the summary stands between.
const BEGIN: &str = "<!-- bench: `cargo xtask bench --readme` writes what is below -->";
const END: &str = "<!-- bench: end -->";

/// One line of the summary.
struct Line {
    what: &'static str,
    /// The table.
    key: &'static str,
    /// Its rows for uwt and for what does without any wrapper.
    uwt: &'static str,
    without: &'static str,
    /// The row of torsocks.
    torsocks: &'static str,
}

const fn line(what: &'static str, key: &'static str, uwt: &'static str, without: &'static str) -> Line {
    Line { what, key, uwt, without, torsocks: TORSOCKS }
}

const LINES: &[Line] = &[
    line("start of `/bin/true`", startup::KEY, UWT_TUNNEL, BARE),
    Line { torsocks: wrapped::SCRIPT, ..line("start of a wrapped command", wrapped::KEY, wrapped::UWT, BARE) },
    // Nothing else does this.
    line("`uwtctl status --offline`", status::KEY, status::OFFLINE, ""),
    line("connect, blocking", network::CONNECTS, UWT_TUNNEL, NATIVE),
    line("connect, non-blocking", network::POLLED_CONNECTS, RELAY, NATIVE),
    line("connect of a static program", network::CAGED_CONNECTS, CAGED, NATIVE),
    line("name and connect, gateway at 300 ms", network::NAMES[2].1, UWT_TUNNEL, NATIVE),
    line("50 asyncio connections at once, 300 ms", crowd::FEW.0, RELAY, NATIVE),
    line("400 at once", crowd::MANY.0, RELAY, NATIVE),
    line("2,000 at once", crowd::THRONG.0, RELAY, NATIVE),
    line("first byte of a page, curl with `optimistic = true`, 300 ms", first_byte::CURL, OPTIMISTIC, NATIVE),
    line("bulk, blocking connect", bulk::DOWN, UWT_TUNNEL, NATIVE),
    line("bulk, non-blocking connect", bulk::DOWN, RELAY, NATIVE),
    line("bulk, static program", bulk::DOWN, CAGED, NATIVE),
];

/// Writes the summary between its marks.
pub(super) fn write(root: &Path, machine: &Machine, tables: &[Table]) -> Result<()> {
    let path = root.join("README.md");
    let text = fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
    let text = replaced(&text, &summary(machine, tables)).with_context(|| format!("{}", path.display()))?;
    fs::write(&path, text).with_context(|| format!("{}", path.display()))?;
    println!("{}", path.display());
    Ok(())
}

fn summary(machine: &Machine, tables: &[Table]) -> String {
    let mut text = String::from("| | uwt | torsocks | proxychains4 | without |\n|---|--:|--:|--:|--:|\n");
    for line in LINES {
        let Some(table) = tables.iter().find(|table| table.key == line.key) else { continue };
        // No preload of the peers reaches a static program: their figure would be that of a dynamic one.
        let peers = [line.torsocks, PROXYCHAINS].map(|peer| if line.uwt == CAGED { None } else { table.median(peer) });
        let [torsocks, proxychains] = peers.map(|value| shown(value, table.unit));
        let [uwt, without] = [line.uwt, line.without].map(|row| shown(table.median(row), table.unit));
        let _ = writeln!(text, "| {} | {uwt} | {torsocks} | {proxychains} | {without} |", line.what);
    }
    let _ = write!(
        text,
        "\n{}, {}, {}, {}; medians of one interleaved run with `--guard=tunnel`, through the lab's gateway on loopback and \
         not through Tor. *without*: the program alone, or speaking SOCKS5 itself. \
         A *wrapped command* is called by its own name; to torsocks a script of bash leads, as in a Whonix-Workstation.\n",
        machine.date, machine.processor, machine.system, machine.kernel
    );
    text
}

/// A value as one says it; what was not measured is a dash.
fn shown(value: Option<f64>, unit: &str) -> String {
    let Some(value) = value else { return "–".to_owned() };
    match unit {
        "µs" if value >= 1000.0 => shown(Some(value / 1000.0), "ms"),
        "ms" if value >= 1000.0 => shown(Some(value / 1000.0), "s"),
        _ => format!("{} {unit}", number(value)),
    }
}

/// The text with something else between the marks.
fn replaced(text: &str, block: &str) -> Result<String> {
    let (front, rest) = text.split_once(BEGIN).with_context(|| format!("no line {BEGIN}"))?;
    let (_, behind) = rest.split_once(END).with_context(|| format!("no line {END} behind it"))?;
    ensure!(!behind.contains(BEGIN), "there is more than one place for the summary");
    Ok(format!("{front}{BEGIN}\n\n{block}\n{END}{behind}"))
}

#[cfg(test)]
mod tests {
    use super::super::series::Series;
    use super::super::table::Row;
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let text = format!("# a\n{BEGIN}\nold\n{END}\nb\n");
        let once = replaced(&text, "new\n").expect("marks");
        assert_eq!(once, format!("# a\n{BEGIN}\n\nnew\n\n{END}\nb\n"));
        assert_eq!(replaced(&once, "new\n").expect("marks"), once);
        for bad in ["", BEGIN, END, &format!("{END}{BEGIN}"), &format!("{text}{text}")] {
            assert!(replaced(bad, "new").is_err(), "{bad}");
        }
    }

    #[test]
    fn values_are_said_in_a_unit_that_fits() {
        let all =
            [(Some(843.2), "µs"), (Some(2443.0), "µs"), (Some(15123.0), "ms"), (Some(3.94), "GB/s"), (None, "ms")];
        assert_eq!(all.map(|(value, unit)| shown(value, unit)), ["843 µs", "2.44 ms", "15.1 s", "3.94 GB/s", "–"]);
    }

    #[test]
    fn a_line_has_the_value_of_each() {
        let row = |name, value| Row { name, series: Series(vec![value]), extra: Vec::new() };
        let table = Table {
            key: crowd::FEW.0,
            title: String::new(),
            unit: "ms",
            base: NATIVE,
            extra: Vec::new(),
            rows: vec![row(NATIVE, 310.0), row(RELAY, 330.0), row(TORSOCKS, 15100.0)],
            notes: Vec::new(),
        };
        let text = summary(&Machine::unknown(), &[table]);
        assert!(text.contains("| 330 ms | 15.1 s | – | 310 ms |"), "{text}");
    }
}

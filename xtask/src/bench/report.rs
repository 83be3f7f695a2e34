//! The results on the terminal, as Markdown and as JSON.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::figures::{Limit, Verdict};
use super::machine::Machine;
use super::pictures::PICTURES;
use super::table::Table;

/// Aligned tables and one line per figure.
pub(super) fn plain(tables: &[Table], verdicts: &[Verdict]) -> String {
    let mut text = String::new();
    for table in tables {
        let _ = writeln!(text, "\n{} ({})", table.title, table.unit);
        for line in aligned(&table.header(), &table.cells()) {
            let _ = writeln!(text, "  {line}");
        }
    }
    let _ = writeln!(text);
    for verdict in verdicts {
        let _ = writeln!(text, "{verdict}");
    }
    text
}

/// Names to the left, numbers to the right.
fn aligned(header: &[String], rows: &[Vec<String>]) -> Vec<String> {
    let all = || std::iter::once(header).chain(rows.iter().map(Vec::as_slice));
    let width = |column: usize| all().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..header.len()).map(|column| width(column).unwrap_or(0)).collect();
    all()
        .map(|row| {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .enumerate()
                .map(
                    |(column, (cell, width))| {
                        if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                    },
                )
                .collect();
            cells.join("  ")
        })
        .collect()
}

/// Writes `report.md`, its pictures, and `raw.json`.
pub(super) fn write(directory: &Path, machine: &Machine, tables: &[Table], verdicts: &[Verdict]) -> Result<()> {
    for picture in PICTURES {
        picture.draw(directory, tables)?;
    }
    let raw = serde_json::to_vec_pretty(&json(machine, tables, verdicts))?;
    for (name, content) in [("report.md", markdown(machine, tables, verdicts).into_bytes()), ("raw.json", raw)] {
        let path = directory.join(name);
        fs::write(&path, content).with_context(|| format!("{}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}

fn markdown(machine: &Machine, tables: &[Table], verdicts: &[Verdict]) -> String {
    let mut text = String::from("# uwt bench\n\n");
    for (name, value) in [
        ("Date", &machine.date),
        ("Revision", &machine.revision),
        ("System", &machine.system),
        ("Kernel", &machine.kernel),
        ("Processor", &machine.processor),
    ] {
        let _ = writeln!(text, "- {name}: {value}");
    }
    let _ = writeln!(
        text,
        "- Tor: not involved; the lab's gateway on loopback stands in for it, with the delay that each table names"
    );
    let _ = writeln!(text, "\nAll variants ran in turns, round by round. Raw samples: `raw.json`.");
    for table in tables {
        let samples = table.rows.first().map_or(0, |row| row.series.0.len());
        let _ = writeln!(text, "\n## {}\n\nIn {}; samples per variant: {samples}.\n", table.title, table.unit);
        for picture in PICTURES.iter().filter(|picture| picture.begins_with(table.key)) {
            let _ = writeln!(text, "![{}]({})\n", picture.title(), picture.file);
        }
        let header = table.header();
        let _ = writeln!(text, "| {} |", header.join(" | "));
        let _ = writeln!(text, "|---|{}", "--:|".repeat(header.len() - 1));
        for row in table.cells() {
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
        for note in &table.notes {
            let _ = writeln!(text, "\n{note}");
        }
    }
    let _ = writeln!(text, "\n## Figures\n");
    for verdict in verdicts {
        let _ = writeln!(text, "- {verdict}");
    }
    text
}

fn json(machine: &Machine, tables: &[Table], verdicts: &[Verdict]) -> Value {
    let tables: Vec<Value> = tables
        .iter()
        .map(|table| {
            let rows = table.rows.iter().map(|row| (row.name.to_owned(), json!(row.series.0)));
            let rows: serde_json::Map<String, Value> = rows.collect();
            json!({"key": table.key, "title": table.title, "unit": table.unit, "samples": rows})
        })
        .collect();
    let figures: Vec<Value> = verdicts
        .iter()
        .map(|verdict| {
            let (side, limit) = match verdict.limit {
                Limit::AtMost(limit) => ("at most", limit),
                Limit::AtLeast(limit) => ("at least", limit),
            };
            json!({"name": verdict.name, "value": verdict.value, "unit": verdict.unit,
                   "side": side, "limit": limit, "passed": verdict.passed()})
        })
        .collect();
    json!({
        "date": machine.date, "revision": machine.revision, "system": machine.system, "kernel": machine.kernel,
        "processor": machine.processor, "tables": tables, "figures": figures,
    })
}

#[cfg(test)]
mod tests {
    use super::super::series::Series;
    use super::super::table::Row;
    use super::*;

    fn tables() -> Vec<Table> {
        let row = |name, value| Row { name, series: Series(vec![value]), extra: vec!["x".to_owned()] };
        vec![Table {
            key: "startup",
            title: "Start-up".to_owned(),
            unit: "µs",
            base: "bare",
            extra: vec!["more"],
            rows: vec![row("bare", 500.0), row("torsocks", 2900.0)],
            notes: vec!["A note.".to_owned()],
        }]
    }

    #[test]
    fn columns_line_up() {
        let text = plain(&tables(), &[]);
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("  ")).collect();
        assert_eq!(lines.len(), 3);
        let width = lines[0].chars().count();
        assert!(lines.iter().all(|line| line.chars().count() == width), "{text}");
        assert!(lines[2].contains("5.80"), "{text}");
    }

    #[test]
    fn the_report_holds_the_raw_samples() {
        let machine = Machine { date: "today".to_owned(), ..Machine::unknown() };
        let directory = tempfile::tempdir().expect("a directory");
        write(directory.path(), &machine, &tables(), &[]).expect("written");
        let raw = fs::read(directory.path().join("raw.json")).expect("there");
        let raw: Value = serde_json::from_slice(&raw).expect("JSON");
        assert_eq!(raw["tables"][0]["samples"]["torsocks"], json!([2900.0]));
        let report = fs::read_to_string(directory.path().join("report.md")).expect("there");
        assert!(report.contains("- Date: today") && report.contains("| torsocks | 2900 |"), "{report}");
        assert!(report.contains("(start-up.svg)") && directory.path().join("start-up.svg").exists(), "{report}");
    }
}

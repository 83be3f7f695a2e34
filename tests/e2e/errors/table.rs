//! The table as it is written (`truth.md`) and as it was seen (`target/errors/report.md`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::clients::{TABLES, Table};
use crate::place::Cell;
use crate::rows::ROWS;

const TRUTH: &str = include_str!("truth.md");

/// The report on each table that is done.
static DONE: Mutex<BTreeMap<&str, String>> = Mutex::new(BTreeMap::new());

/// Fails unless each cell is as it is written; what was seen goes to the report in any case.
#[track_caller]
pub(crate) fn check(table: &Table, seen: &[Cell]) {
    let truth = truth(table);
    let (mut wrong, mut report) = (Vec::new(), head(table));
    for (number, row) in ROWS.iter().enumerate() {
        let _ = write!(report, "| {} |", row.name);
        for (column, (title, ..)) in table.columns.iter().enumerate() {
            let cell = seen.iter().find(|cell| (cell.0, cell.1) == (number, column));
            let cell = cell.map_or("not run", |cell| cell.2.as_str()).replace('|', "/");
            let wanted = truth[number][column];
            if cell == wanted {
                let _ = write!(report, " {cell} |");
            } else {
                let _ = write!(report, " **{cell}** (not {wanted}) |");
                wrong.push(format!("{} / {title}: {cell}, wanted {wanted}", row.name));
            }
        }
        report.push('\n');
    }
    publish(table, report);
    let count = ROWS.len() * table.columns.len();
    assert!(wrong.is_empty(), "{} of {count} cells of {}:\n{}", wrong.len(), table.title, wrong.join("\n"));
}

/// The cells of a table, row by row.
#[track_caller]
fn truth(table: &Table) -> Vec<Vec<&'static str>> {
    let section = TRUTH.split("\n## ").find(|section| section.lines().next() == Some(table.title));
    let section = section.unwrap_or_else(|| panic!("truth.md has nothing about {}", table.title));
    let mut lines = section
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    let titles: Vec<&str> = table.columns.iter().map(|column| column.0).collect();
    let first = lines.next().unwrap_or_default();
    assert_eq!(first.get(1..), Some(&titles[..]), "the columns of {}", table.title);
    // Behind the rule.
    let rows: Vec<Vec<&str>> = lines.skip(1).collect();
    let names: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(names, ROWS.iter().map(|row| row.name).collect::<Vec<_>>(), "the rows of {}", table.title);
    let cells: Vec<Vec<&str>> = rows.into_iter().map(|row| row[1..].to_vec()).collect();
    assert!(cells.iter().all(|row| row.len() == titles.len()), "the cells of {}", table.title);
    cells
}

/// Title and first lines of a table.
fn head(table: &Table) -> String {
    let titles: Vec<&str> = table.columns.iter().map(|column| column.0).collect();
    format!("## {}\n\n| the gateway | {} |\n|---|{}\n", table.title, titles.join(" | "), "---|".repeat(titles.len()))
}

/// Writes what is known up to now: tests end one after the other, and the last one completes it.
fn publish(table: &Table, report: String) {
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    done.insert(table.title, report);
    let parts = TABLES.iter().filter_map(|table| done.get(table.title));
    let text = parts.fold("# What programs are told, as it was seen\n".to_owned(), |text, part| text + "\n" + part);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("errors").join("report.md");
    std::fs::write(path, text).expect("written");
}

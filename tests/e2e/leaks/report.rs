//! The table as it was seen: `target/leaks/leak-table.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::place::{Level, User};
use crate::table;

/// A column.
type Column = (Level, User);

static SEEN: Mutex<BTreeMap<(&str, Column), String>> = Mutex::new(BTreeMap::new());

/// Remembers what a row did.
pub(crate) fn record(row: &'static str, level: Level, user: User, verdict: String) {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert((row, (level, user)), verdict);
}

/// Writes what is known up to now, as Markdown: tests end one after the other, and the last one completes it.
pub(crate) fn write() {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut columns: Vec<Column> = seen.keys().map(|(_, column)| *column).collect();
    columns.sort_unstable();
    columns.dedup();
    let mut text = String::from("| way |");
    for (level, user) in &columns {
        let _ = write!(text, " {level:?}, {user:?} |");
    }
    let _ = writeln!(text, "\n|---|{}", "---|".repeat(columns.len()));
    for row in table::rows() {
        let _ = write!(text, "| {} |", row.name);
        for column in &columns {
            let _ = write!(text, " {} |", seen.get(&(row.name, *column)).map_or("", String::as_str));
        }
        text.push('\n');
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("leaks").join("leak-table.md");
    std::fs::write(path, text).expect("written");
}

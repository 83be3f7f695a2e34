//! The rows.

use crate::row::Row;
use crate::{datagrams, families, lookups, streams};

/// All of them.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    TABLES.iter().copied().flatten()
}

const TABLES: &[&[Row]] = &[streams::ROWS, datagrams::ROWS, families::ROWS, lookups::ROWS];

//! The matrix of the functions that start programs.

use crate::matrix::Row;

pub(crate) const ROWS: &[Row] = &[];

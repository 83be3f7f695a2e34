//! The matrix of the name functions.

use crate::matrix::Row;

pub(crate) const ROWS: &[Row] = &[];

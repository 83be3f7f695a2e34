//! Connections that are kept.

use std::io::{self, BufRead, Write};

use super::cli::Result;
use super::via::Via;

/// For each number in its input, a line each: opens or closes connections until there are so many, and says the number.
pub(crate) fn run(via: &Via) -> Result<()> {
    let mut streams = Vec::new();
    for line in io::stdin().lock().lines() {
        let wanted: usize = line?.trim().parse()?;
        streams.truncate(wanted);
        while streams.len() < wanted {
            streams.push(via.open()?);
        }
        println!("{wanted}");
        io::stdout().flush()?;
    }
    Ok(())
}

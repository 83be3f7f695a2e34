//! What is written where.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Parser;

use crate::{completions, pages};

/// Write the manual pages and the completions of the shells.
#[derive(Debug, Parser)]
struct Arguments {
    /// The folder they go to; it is made where there is none
    folder: PathBuf,
}

/// Writes every file and prints its name. The content depends on the sources alone: neither on the clock nor on the
/// machine.
pub(crate) fn run() -> Result<()> {
    let Arguments { folder } = Arguments::parse();
    let mut files = pages::all()?;
    files.extend(completions::all()?);
    for (name, content) in files {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
        }
        fs::write(&path, content).with_context(|| path.display().to_string())?;
        println!("{}", path.display());
    }
    Ok(())
}

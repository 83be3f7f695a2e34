//! A file that is written when all is known, and opened before: what a command did cannot be repeated.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// A file to write.
#[derive(Debug)]
pub(crate) struct Output {
    path: PathBuf,
    file: File,
}

impl Output {
    /// Makes sure that it can be written. What is in it stays until then.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = file.with_context(|| format!("{}: it cannot be written, nothing was run", path.display()))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Replaces what is in it.
    ///
    /// # Errors
    /// Those of ftruncate(2) and write(2).
    pub(crate) fn write(mut self, text: &str) -> anyhow::Result<()> {
        let written = self.file.metadata().and_then(|metadata| {
            // Pipes and terminals have no length.
            if metadata.is_file() {
                self.file.set_len(0)?;
            }
            self.file.write_all(text.as_bytes())
        });
        written.with_context(|| format!("{}: it cannot be written", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_in_it_is_replaced_when_it_is_written() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "something longer").unwrap();
        let output = Output::open(file.path()).unwrap();
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "something longer");
        output.write("short").unwrap();
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "short");
    }

    #[test]
    fn what_cannot_be_written_is_told_before_anything_is_run() {
        let error = format!("{:#}", Output::open(Path::new("/nonexistent/report")).unwrap_err());
        assert!(error.starts_with("/nonexistent/report: it cannot be written, nothing was run: "), "{error}");
    }
}

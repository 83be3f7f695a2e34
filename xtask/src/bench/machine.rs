//! Where and when it was measured.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::workspace::text;

/// What a reader of the report must know.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) date: String,
    pub(crate) kernel: String,
    pub(crate) system: String,
    pub(crate) processor: String,
    pub(crate) revision: String,
}

impl Machine {
    /// Asks the machine, and git about the checkout.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let line = |program: &str, arguments: &[&str]| -> Result<String> {
            Ok(text(Command::new(program).args(arguments).current_dir(root))?.trim().to_owned())
        };
        let processors = std::thread::available_parallelism()?;
        let model = field(&fs::read_to_string("/proc/cpuinfo")?, "model name", ':').unwrap_or("unknown".to_owned());
        Ok(Self {
            date: line("date", &["--utc", "+%Y-%m-%d %H:%M UTC"])?,
            kernel: line("uname", &["-srm"])?,
            system: field(&fs::read_to_string("/etc/os-release")?, "PRETTY_NAME", '=').unwrap_or("unknown".to_owned()),
            processor: format!("{model}, {processors} in use"),
            // Without git (a source package) there is none to name.
            revision: line("git", &["-c", "safe.directory=*", "describe", "--always", "--dirty"])
                .unwrap_or("unknown".to_owned()),
        })
    }
}

#[cfg(test)]
impl Machine {
    /// One that nothing is known about.
    pub(super) fn unknown() -> Self {
        let [date, kernel, system, processor, revision] = std::array::from_fn(|_| "unknown".to_owned());
        Self { date, kernel, system, processor, revision }
    }
}

/// The value of the first line of this name.
fn field(text: &str, name: &str, separator: char) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(separator)?;
        (key.trim() == name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found() {
        assert_eq!(field("a: 1\nmodel name\t: X 2\nmodel name: Y\n", "model name", ':').as_deref(), Some("X 2"));
        assert_eq!(field("PRETTY_NAME=\"Debian\"\n", "PRETTY_NAME", '=').as_deref(), Some("Debian"));
        assert_eq!(field("", "x", '='), None);
    }
}

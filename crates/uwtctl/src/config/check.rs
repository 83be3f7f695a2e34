//! Whether configuration files can be read, before they stop something.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::unistd::getuid;
use serde::Serialize;
use uwt_config::{Config, Error, Folder};

use crate::answer::{Answer, Status};
use crate::configuration;
use crate::page::{Mood, Page};

/// What was found.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Checked {
    /// The files that were read.
    files: Vec<String>,
    /// What is wrong.
    findings: Vec<Finding>,
    /// What is worth knowing.
    notes: Vec<Finding>,
}

/// Something about a file or folder.
#[derive(Debug, Serialize)]
struct Finding {
    file: String,
    line: Option<usize>,
    what: String,
}

impl Finding {
    fn new(file: &Path, what: impl Into<String>) -> Self {
        Self { file: file.display().to_string(), line: None, what: what.into() }
    }
}

impl From<&Error> for Finding {
    fn from(error: &Error) -> Self {
        Self { line: error.line(), ..Self::new(error.file(), error.problem().to_string()) }
    }
}

/// Checks files and what is in folders, or else what counts.
///
/// # Errors
/// `UWT_CONFIG_PATH` is wrong, so that what counts cannot be told.
pub(crate) fn check(paths: &[PathBuf]) -> anyhow::Result<Checked> {
    let mut checked = Checked::default();
    if paths.is_empty() {
        let (sources, passed_over) = configuration::sources()?;
        for folder in &sources.folders {
            checked.folder(folder);
        }
        if let Some(folder) = passed_over {
            checked.notes.push(Finding::new(folder.folder(), format!("is not read: {}", folder.why())));
        }
    }
    for path in paths {
        if path.is_dir() { checked.folder(path) } else { checked.file(path) }
    }
    Ok(checked)
}

impl Checked {
    fn folder(&mut self, folder: &Path) {
        let Folder { files, others } = match Folder::list(folder) {
            Ok(folder) => folder,
            Err(error) => return self.findings.push(Finding::from(&error)),
        };
        if folder.exists() {
            self.rights(folder);
        }
        for file in &files {
            self.file(file);
        }
        self.notes.extend(others.iter().map(|path| Finding::new(path, why_not_read(path))));
    }

    fn file(&mut self, file: &Path) {
        // What is not there has not been read.
        if fs::symlink_metadata(file).is_ok() {
            self.files.push(file.display().to_string());
        }
        self.rights(file);
        match Config::of_file(file) {
            Ok(config) => self.programs(&config),
            Err(faults) => self.findings.extend(faults.iter().map(Finding::from)),
        }
    }

    /// Whoever can write there decides what is isolated.
    fn rights(&mut self, path: &Path) {
        // What cannot be looked at cannot be read either, and that is said.
        let Ok(status) = fs::metadata(path) else { return };
        // Debian gives every user a group of the same number, in which nobody else is.
        let group_of_others = status.gid() != 0 && status.gid() != status.uid();
        let what = if status.mode() & 0o002 != 0 {
            "everybody can write to it: chmod o-w"
        } else if status.mode() & 0o020 != 0 && group_of_others {
            "its group can write to it: chmod g-w"
        } else if status.uid() != 0 && status.uid() != getuid().as_raw() {
            "belongs to another user than root: chown root"
        } else {
            return;
        };
        self.findings.push(Finding::new(path, what));
    }

    /// Paths that lead to nothing: a slip of the pen there would go unnoticed.
    fn programs(&mut self, config: &Config) {
        let tables = config.commands().into_iter().filter_map(|table| {
            let place = super::place(&table.entries.first()?.origin)?;
            Some((table.command, place)).filter(|(command, _)| command.starts_with('/') && !Path::new(command).exists())
        });
        self.notes.extend(tables.map(|(command, (file, line))| Finding {
            file,
            line: Some(line),
            what: format!("is about {command}, which is not installed"),
        }));
        let preload = config.global().preload;
        let missing = preload.value.as_ref().filter(|library| !library.is_file());
        if let (Some(library), Some((file, line))) = (missing, super::place(&preload.origin)) {
            let what = format!("preload: {} is not there; expected the library or \"auto\"", library.display());
            self.findings.push(Finding { file, line: Some(line), what });
        }
    }
}

/// Why a name is none of a configuration file.
fn why_not_read(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| name.ends_with(suffix));
    if ends(&[".dpkg-old", ".dpkg-dist", ".dpkg-new", ".dpkg-bak", ".dpkg-remove", ".ucf-old", ".ucf-dist"]) {
        "is not read: dpkg has left it".to_owned()
    } else if ends(&["~", ".bak", ".swp", ".orig", ".tmp"]) || name.starts_with('#') {
        "is not read: an editor has left it".to_owned()
    } else if name.starts_with('.') {
        "is not read: its name begins with a dot".to_owned()
    } else {
        "is not read: its name ends neither in .toml nor in .conf".to_owned()
    }
}

fn write(page: &mut Page, mood: Mood, findings: &[Finding]) {
    for Finding { file, line, what } in findings {
        let line = line.map(|line| format!(":{line}")).unwrap_or_default();
        page.paragraph(mood.text(format!("{file}{line}: {what}")));
    }
}

impl Answer for Checked {
    fn write(&self, page: &mut Page) {
        write(page, Mood::Bad, &self.findings);
        write(page, Mood::Warning, &self.notes);
        let files = match self.files.len() {
            0 => "No configuration file was read".to_owned(),
            1 => "1 file was read".to_owned(),
            many => format!("{many} files were read"),
        };
        match self.findings.len() {
            0 => page.paragraph(Mood::Good.text(format!("{files}, nothing is wrong."))),
            1 => page.paragraph(format!("{files}, 1 thing is wrong.")),
            many => page.paragraph(format!("{files}, {many} things are wrong.")),
        }
    }

    fn status(&self) -> Status {
        if self.findings.is_empty() { Status::Good } else { Status::Bad }
    }
}

//! All files together.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::command::{Command, stripped, stripped_path};
use crate::entry::{CommandEntries, Entry};
use crate::error::{Error, Faults, Invalid};
use crate::folder::{self, Folder, Format};
use crate::settings::{Layer, Settings};
use crate::source::{Contents, Source};
use crate::{legacy, toml_file};

/// Where configuration files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// The folders; what a later one says wins.
    pub folders: Vec<PathBuf>,
}

impl Sources {
    /// `/etc/uwt.d`, `/usr/local/etc/uwt.d` and the user's own folder (`$XDG_CONFIG_HOME/uwt` or `~/.config/uwt`).
    /// Pass `None` where the user's folder must not count: for root, and for a wrapper that another user runs.
    #[must_use]
    pub fn system(user: Option<&Path>) -> Self {
        let system = ["/etc/uwt.d", "/usr/local/etc/uwt.d"].map(PathBuf::from);
        Self { folders: system.into_iter().chain(user.map(Path::to_owned)).collect() }
    }
}

fn read(file: &Path) -> Result<Contents, Faults> {
    let text = folder::read(file)?;
    let source = Source::new(file, &text);
    match Format::of(file) {
        Some(Format::Legacy) => legacy::parse(&source),
        Some(Format::Toml) => toml_file::parse(&source),
        None => {
            Err(Error::new(file, None, Invalid::new("has a name that makes it no configuration file", NAMES)).into())
        }
    }
}

const NAMES: &str = "a name that ends in .toml or .conf and does not begin with a dot";

/// Everything that the files say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    global: Layer,
    commands: BTreeMap<Command, Layer>,
    files: Vec<PathBuf>,
}

impl Config {
    /// Reads every `*.toml` and `*.conf` of the folders, each folder sorted by file name. A key that is set twice has
    /// the last value; lists are replaced, not joined.
    ///
    /// # Errors
    /// Anything that is there and cannot be read or understood, down to a single key: nothing must be run then, since
    /// what the user wanted protected is not known.
    pub fn load(sources: &Sources) -> Result<Self, Error> {
        let mut config = Self::default();
        for folder in &sources.folders {
            for file in Folder::list(folder)?.files {
                let contents = read(&file).map_err(Faults::into_first)?;
                config.add(contents);
                config.files.push(file);
            }
        }
        Ok(config)
    }

    /// Reads one file by itself, as [`Self::load`] would.
    ///
    /// # Errors
    /// Everything that is wrong with it; of what is no TOML at all, only where it begins not to be.
    pub fn of_file(file: &Path) -> Result<Self, Faults> {
        let mut config = Self::default();
        config.add(read(file)?);
        config.files.push(file.to_owned());
        Ok(config)
    }

    /// Puts what another file says on top.
    pub(crate) fn add(&mut self, contents: Contents) {
        self.global.overlay(contents.global);
        for (command, layer) in contents.commands {
            self.commands.entry(command).or_default().overlay(layer);
        }
    }

    /// What holds for a command. `program` is its path, resolved or not, `typed` the name it was called by; both may
    /// carry the suffixes `.anondist` and `.anondist-orig`.
    ///
    /// A per-command table wins over the global keys, a table named by path over one named by name, and what was typed
    /// over what it leads to.
    #[must_use]
    pub fn settings_for(&self, program: &Path, typed: &OsStr) -> Settings {
        let mut settings = self.global();
        let typed = Path::new(typed);
        for name in [program, typed].into_iter().filter_map(Path::file_name) {
            if let Some(name) = stripped(name).to_str() {
                self.apply(&Command::Name(name.to_owned()), &mut settings);
            }
        }
        for path in [program, typed].into_iter().filter(|path| path.is_absolute()) {
            self.apply(&Command::Path(stripped_path(path)), &mut settings);
        }
        settings
    }

    fn apply(&self, command: &Command, settings: &mut Settings) {
        if let Some(layer) = self.commands.get(command) {
            layer.apply(settings);
        }
    }

    /// What files set for every command, in the order of the documentation.
    #[must_use]
    pub fn set_globally(&self) -> Vec<Entry> {
        self.global.entries()
    }

    /// What holds for every command that no table is about.
    #[must_use]
    pub fn global(&self) -> Settings {
        let mut settings = Settings::default();
        self.global.apply(&mut settings);
        settings
    }

    /// The commands that have a table of their own, each with what is set there: names first, then paths, each in the
    /// order of the alphabet.
    #[must_use]
    pub fn commands(&self) -> Vec<CommandEntries> {
        let each = self.commands.iter();
        each.map(|(command, layer)| CommandEntries { command: command.to_string(), entries: layer.entries() }).collect()
    }

    /// The files that were read, in order.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

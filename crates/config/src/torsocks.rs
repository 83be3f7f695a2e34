//! What torsocks is told: by its options, its environment and its file (torsocks(1), torsocks(8), torsocks.conf(5)).
//!
//! What is not understood is refused, where torsocks itself goes on with a default: it is what keeps the user apart from
//! others.

pub(crate) mod file;
mod layer;
#[cfg(test)]
mod tests;
mod words;

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use uwt_policy::Inbound;

use self::words::WORDS;
use crate::error::{Error, Faults, Invalid};
use crate::folder;
use crate::origin::{Origin, Setting};
use crate::source::Source;

/// What one of the sources says, or several put on top of each other. `Default` says nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Torsocks {
    address: Option<Setting<Ipv4Addr>>,
    port: Option<Setting<u16>>,
    username: Option<Setting<String>>,
    password: Option<Setting<String>>,
    isolate: Option<Setting<bool>>,
    inbound: Option<Setting<Inbound>>,
    loopback: Option<Setting<Loopback>>,
    onion_range: Option<Setting<String>>,
    ipv6: Option<Setting<bool>>,
    log_level: Option<Setting<u8>>,
    log_file: Option<Setting<PathBuf>>,
    log_time: Option<Setting<bool>>,
}

/// AllowOutboundLocalhost (torsocks.conf(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loopback {
    /// 0
    Refused,
    /// 1
    Tcp,
    /// 2
    TcpAndUdp,
}

impl Torsocks {
    /// Reads a torsocks.conf; `None` where there is none.
    ///
    /// # Errors
    /// It cannot be read, or a line is not understood.
    pub fn of_file(path: &Path) -> Result<Option<Self>, Error> {
        match fs::symlink_metadata(path) {
            Err(fault) if matches!(fault.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            // Reading it will say why it cannot be looked up.
            _ => file::parse(&Source::new(path, &folder::read(path)?)).map(Some).map_err(Faults::into_first),
        }
    }

    /// Reads the variables, which `get` looks up. An empty one is as good as none.
    ///
    /// # Errors
    /// A value is not understood; the message names the variable.
    pub fn of_environment<'a>(get: impl Fn(&str) -> Option<&'a OsStr>) -> Result<Self, Invalid> {
        let mut all = Self::default();
        for variable in WORDS.iter().filter_map(|word| word.variable) {
            let Some(value) = get(variable).filter(|value| !value.is_empty()) else { continue };
            let text = value.to_str().ok_or_else(|| Invalid::new("is not UTF-8", "UTF-8 text").of(variable))?;
            all.set(variable, text, Origin::Environment(variable)).map_err(|invalid| invalid.of(variable))?;
        }
        Ok(all)
    }

    /// Reads an option, which does what `variable` does.
    ///
    /// # Errors
    /// The value is not understood; the message names the option.
    pub fn of_option(option: &'static str, variable: &str, value: &str) -> Result<Self, Invalid> {
        let mut one = Self::default();
        one.set(variable, value, Origin::CommandLine(option)).map_err(|invalid| invalid.of(option))?;
        Ok(one)
    }

    fn set(&mut self, variable: &str, value: &str, origin: Origin) -> Result<(), Invalid> {
        match WORDS.iter().find(|word| word.variable == Some(variable)) {
            Some(word) => (word.read)(self, value, origin),
            None => Err(Invalid::new("is no variable of torsocks", "one that torsocks(8) has")),
        }
    }

    /// How much is said, from 1 (nothing) to 5 (everything), and who asked for it.
    #[must_use]
    pub const fn log_level(&self) -> Option<&Setting<u8>> {
        self.log_level.as_ref()
    }

    /// Where torsocks would write its messages.
    #[must_use]
    pub const fn log_file(&self) -> Option<&Setting<PathBuf>> {
        self.log_file.as_ref()
    }
}

impl fmt::Debug for Torsocks {
    /// There is a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Torsocks").finish_non_exhaustive()
    }
}

//! A value together with where it was set.

use std::fmt;
use std::path::PathBuf;

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Who set it.
    pub origin: Origin,
}

impl<T> Setting<T> {
    /// A value with its origin.
    pub const fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }

    /// A default.
    pub const fn built_in(value: T) -> Self {
        Self::new(value, Origin::BuiltIn)
    }
}

/// Where a value was set; its `Display` is what `--explain` prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    BuiltIn,
    /// A configuration file.
    File {
        /// The file, as it was opened.
        path: PathBuf,
        /// The line of the value, from 1.
        line: usize,
    },
    /// The environment variable of this name.
    Environment(&'static str),
    /// The command-line option of this name, dashes included.
    CommandLine(&'static str),
    /// The name that uwt was called by.
    Name(&'static str),
    /// The session this call is nested in.
    Session,
}

impl Origin {
    /// Whether it was said for this one call, which is more than what a file says for all of them.
    #[must_use]
    pub const fn is_of_the_call(&self) -> bool {
        matches!(self, Self::CommandLine(_) | Self::Environment(_) | Self::Name(_))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built-in"),
            Self::File { path, line } => write!(f, "{}:{line}", crate::error::one_line(path)),
            Self::Environment(name) => write!(f, "{name} in the environment"),
            Self::CommandLine(option) => f.write_str(option),
            Self::Name(name) => write!(f, "called as {name}"),
            Self::Session => f.write_str("the session this call is part of"),
        }
    }
}

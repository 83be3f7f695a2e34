//! What a plan asks about this machine.

use uwt_config::{Probe, Setting, Surroundings, detect};

use std::path::PathBuf;

use uwt_session::Session;

use crate::environment::Environment;
use crate::guard::abilities::{self, Abilities};
use crate::guard::tree::Tree;
use crate::hand_down::library::{self, Library};
use crate::message::Failure;

/// Answers that need files of this machine; a plan asks only for those it needs.
pub(crate) trait Machine {
    /// Which gateway is there.
    ///
    /// # Errors
    /// It cannot be told.
    fn surroundings(&self) -> Result<Surroundings, Failure>;

    /// The preload library, checked.
    ///
    /// # Errors
    /// It is missing or of no use.
    fn library(&self, configured: &Setting<Option<PathBuf>>) -> Result<Library, Failure>;

    /// libfaketime, checked.
    ///
    /// # Errors
    /// It is missing or of no use.
    fn faketime(&self) -> Result<String, Failure>;

    /// Whether this process is inside a guarded tree.
    fn tree(&self, session: Option<&Session<'_>>) -> Tree;

    /// What a guard can be made of.
    fn abilities(&self, environment: &Environment) -> Abilities;
}

/// The machine we run on.
#[derive(Debug)]
pub(crate) struct ThisMachine;

impl Machine for ThisMachine {
    fn surroundings(&self) -> Result<Surroundings, Failure> {
        detect(&Probe::default()).map_err(|error| Failure::ours(error.to_string()))
    }

    fn library(&self, configured: &Setting<Option<PathBuf>>) -> Result<Library, Failure> {
        library::find(configured)
    }

    fn faketime(&self) -> Result<String, Failure> {
        library::faketime()
    }

    fn tree(&self, session: Option<&Session<'_>>) -> Tree {
        Tree::find(session)
    }

    fn abilities(&self, environment: &Environment) -> Abilities {
        abilities::find(environment)
    }
}

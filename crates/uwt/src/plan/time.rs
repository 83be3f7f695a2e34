//! Which clock the program sees.

use uwt_config::{Origin, Setting};

use super::{Protection, Request};
use crate::hand_down::faketime;
use crate::message::Failure;
use crate::plan::machine::Machine;

/// The clock that the program sees.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Time {
    /// The real one.
    Real(Origin),
    /// The one of the command outside, if that has its own.
    Outer,
    /// Its own.
    Own {
        /// libfaketime.
        library: String,
        /// Who asked for it.
        origin: Origin,
    },
}

/// What runs without uwt sees the real time. Nested, a command's own setting decides; where there is none, it belongs to
/// the command that called it.
///
/// # Errors
/// Its own is asked for, and libfaketime is missing.
pub(super) fn settle(request: &Request<'_>, protection: &Protection, machine: &impl Machine) -> Result<Time, Failure> {
    let Setting { value, origin } = request.settings.time_privacy.clone();
    Ok(match protection {
        Protection::Off(_) => Time::Real(origin),
        _ if value => Time::Own { library: machine.faketime()?, origin },
        _ if origin == Origin::BuiltIn && faketime::is_inherited(request.environment) => Time::Outer,
        _ => Time::Real(origin),
    })
}

//! Into the guarded tree: a new one with its helper and filter, or the one we are in.

use std::os::fd::BorrowedFd;

use uwt_guard::{Foreign, Rules};
use uwt_helper::Spare;
use uwt_session::{Guard, Voice};

use crate::message::Failure;
use crate::plan::guard::Course;
use crate::secrets;

/// The guard that goes into the session.
///
/// # Errors
/// The kernel gives no random bytes.
pub(super) fn of(course: Course) -> Result<Option<Guard>, Failure> {
    match course {
        Course::Off => Ok(None),
        Course::New { level, .. } => Ok(Some(Guard { level, secret: secrets::new()? })),
        Course::Tree(guard) => Ok(Some(guard)),
    }
}

/// Puts this process where its program shall be.
///
/// The helper comes first, since it must stay outside the filter; it ends by itself if it is not given the listener. Where the
/// voice is verbose it tells of everything that is refused; with a report it writes that and more into it.
///
/// # Errors
/// One of the steps; nothing must be run then.
pub(super) fn enter(
    course: Course,
    guard: &Guard,
    session: &str,
    voice: Voice,
    report: Option<BorrowedFd<'_>>,
    spare: Option<Spare>,
) -> Result<(), Failure> {
    match course {
        Course::Off => Ok(()),
        Course::Tree(_) => uwt_helper::join(guard, session).map_err(|error| {
            Failure::ours(format!(
                "the helper of the guarded tree that this call is inside of does not answer ({error}); nothing was run \
                 (start the outermost uwt again)"
            ))
        }),
        Course::New { asks, .. } => {
            let foreign = match (asks, &report, voice) {
                (false, ..) => Foreign::Refuse,
                (true, Some(_), _) => Foreign::AskAndReport,
                (true, None, Voice::Verbose) => Foreign::AskAndTell,
                (true, None, _) => Foreign::Ask,
            };
            let program = uwt_guard::compile(&Rules { cookie: guard.cookie(), foreign })
                .map_err(|error| failed("the filter", &error))?;
            let spare = spare.map_or_else(uwt_helper::prepare, Ok);
            let helper = spare.and_then(|spare| spare.start(session, report));
            let helper = helper.map_err(|error| failed("the helper", &error))?;
            let installed = uwt_guard::install(&program).map_err(|error| failed("the filter", &error))?;
            helper.hand_over(installed.listener).map_err(|error| failed("the helper", &error))
        }
    }
}

fn failed(what: &str, error: &dyn std::error::Error) -> Failure {
    Failure::ours(format!(
        "guard: {what}: {error}; nothing was run (--guard=off runs without, what bypasses libc leaks then)"
    ))
}

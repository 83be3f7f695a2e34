//! Whether what the program does with the network is written down, and where. A report is complete or there is none.

use std::fmt;
use std::path::PathBuf;

use uwt_config::{Origin, Setting};

use super::Request;
use super::guard::{Course, Guarding};
use super::passthrough::Reason;
use crate::message::Failure;

const OPTION: &str = "--report";

/// Where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reporting {
    /// Nowhere.
    Nothing,
    /// Into this file.
    To(PathBuf),
    /// Where the outermost `uwt` was told to.
    Outer,
}

impl fmt::Display for Reporting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("none"),
            Self::To(file) => write!(f, "{}", file.display()),
            Self::Outer => f.write_str("that of the outermost uwt"),
        }
    }
}

/// The command line; inside a tree that has a report, that one.
///
/// # Errors
/// Nobody would see all that the program does.
pub(super) fn settle(request: &Request<'_>, guard: &Guarding) -> Result<Setting<Reporting>, Failure> {
    let Some(file) = &request.options.report else {
        let outer = matches!(guard.course, Course::Tree(_)) && request.session.is_some_and(|session| session.report);
        return Ok(if outer {
            Setting::new(Reporting::Outer, Origin::Session)
        } else {
            Setting::built_in(Reporting::Nothing)
        });
    };
    match guard.course {
        Course::New { asks: true, .. } => Ok(Setting::new(Reporting::To(file.clone()), Origin::CommandLine(OPTION))),
        Course::New { asks: false, .. } => Err(refused(&format!(
            "nobody can be asked here about what the preload library does not see, so that it would be missing ({})",
            guard.why()
        ))),
        Course::Off => Err(Failure::ours(format!(
            "{OPTION}: without a guard ({}) what the preload library does not see would be missing; nothing was run (leave \
             one of them out)",
            guard.why()
        ))),
        Course::Tree(_) => Err(Failure::ours(format!(
            "{OPTION}: this call is inside a guarded tree, whose helper was started without it or has a file already; \
             nothing was run (give {OPTION} to the outermost uwt)"
        ))),
    }
}

/// What runs without uwt cannot be reported.
///
/// # Errors
/// It shall be.
pub(super) fn check_unprotected(request: &Request<'_>, reason: &Reason) -> Result<(), Failure> {
    match request.options.report {
        Some(_) => Err(refused(&format!("the command would run without uwt, which then sees nothing ({reason})"))),
        None => Ok(()),
    }
}

fn refused(why: &str) -> Failure {
    Failure::ours(format!("{OPTION}: {why}; nothing was run (leave the option out)"))
}

#[cfg(test)]
mod tests {
    use uwt_cli::Options;
    use uwt_config::{GuardChoice, Settings};
    use uwt_policy::Level;
    use uwt_session::{FileId, Guard, Pinned, Secret, Session, Voice};

    use super::*;
    use crate::call::target::Target;
    use crate::environment::Environment;
    use crate::hand_down::session;
    use crate::plan::carried::tests::carried;

    fn settled(file: Option<&str>, course: Course, outer: bool) -> Result<Setting<Reporting>, Failure> {
        let of_outer = carried();
        let here = FileId { device: 0, inode: 0 };
        let session = Session { report: outer, ..session::session(&of_outer, "", Secret::new([1; 32]), here) };
        let options = Options { report: file.map(PathBuf::from), ..Options::default() };
        let request = Request {
            options: &options,
            settings: &Settings::default(),
            fixed: Pinned::default(),
            environment: &Environment::default(),
            session: Some(&session),
            target: Target { path: "/x".into(), program: "/x".into(), called: "/x".into(), typed: "x".into() },
            arguments: Vec::new(),
            voice: Voice::Terse,
        };
        settle(&request, &Guarding { asked: Setting::built_in(GuardChoice::Auto), course, because: None })
    }

    const TREE: Course = Course::Tree(Guard { level: Level::Tunnel, secret: Secret::new([2; 32]) });
    const NEW: Course = Course::New { level: Level::Tunnel, asks: true };

    #[test]
    fn where_it_goes() {
        for (file, course, outer, expected) in [
            (Some("/r"), NEW, false, Reporting::To("/r".into())),
            (Some("/r"), Course::New { level: Level::Deny, asks: true }, false, Reporting::To("/r".into())),
            (None, NEW, true, Reporting::Nothing),
            (None, Course::Off, true, Reporting::Nothing),
            (None, TREE, true, Reporting::Outer),
            (None, TREE, false, Reporting::Nothing),
        ] {
            assert_eq!(settled(file, course, outer).map(|setting| setting.value), Ok(expected), "{course:?} {outer}");
        }
    }

    #[test]
    fn what_would_not_be_complete_is_refused() {
        for (course, outer, expected) in [
            (Course::Off, false, "without a guard"),
            (Course::New { level: Level::Deny, asks: false }, false, "nobody can be asked here"),
            (TREE, false, "to the outermost uwt"),
            (TREE, true, "to the outermost uwt"),
        ] {
            let failure = settled(Some("/r"), course, outer).expect_err("incomplete");
            assert_eq!(failure.status, Failure::OURS);
            let Failure { message, .. } = failure;
            assert!(message.starts_with("--report: ") && message.contains(expected), "{message}");
        }
    }
}

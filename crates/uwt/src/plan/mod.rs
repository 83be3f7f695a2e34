//! What will be done, as plain data: made from arguments, environment and configuration, printed or applied.

pub(crate) mod bind;
pub(crate) mod carried;
pub(crate) mod explain;
pub(crate) mod gateway;
pub(crate) mod guard;
pub(crate) mod isolation;
pub(crate) mod localhost;
pub(crate) mod machine;
pub(crate) mod nesting;
pub(crate) mod passthrough;
pub(crate) mod report;
pub(crate) mod time;

use std::ffi::OsString;

use uwt_cli::Options;
use uwt_config::Settings;
use uwt_session::{Pinned, Session, VARIABLE, Voice};

use self::carried::Carried;
use self::passthrough::Reason;
use self::time::Time;
use crate::call::target::Target;
use crate::environment::Environment;
use crate::guard::tree::Tree;
use crate::message::Failure;
use crate::plan::machine::Machine;

/// What a plan is made from.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// What the command line says; nothing in a call through a wrapper.
    pub(crate) options: &'a Options,
    /// What the configuration says about the target.
    pub(crate) settings: &'a Settings,
    /// What the settings hold for everything that the target starts, as what the command line says does.
    pub(crate) fixed: Pinned,
    /// Our environment.
    pub(crate) environment: &'a Environment,
    /// The session this call is nested in.
    pub(crate) session: Option<&'a Session<'a>>,
    /// What shall be executed.
    pub(crate) target: Target,
    /// Its arguments after argv[0].
    pub(crate) arguments: Vec<OsString>,
    /// How much we, the preload library and the helper say.
    pub(crate) voice: Voice,
}

/// What will be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// What is executed.
    pub(crate) target: Target,
    /// Its arguments after argv[0].
    pub(crate) arguments: Vec<OsString>,
    /// How deep wrapped commands are nested, this one included, and how deep they may be.
    pub(crate) nesting: nesting::Depth,
    /// Whether it is carried.
    pub(crate) protection: Protection,
    /// Which clock it sees.
    pub(crate) time: Time,
}

/// Whether the program is carried.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    /// It runs as if there were no uwt.
    Off(Reason),
    /// Every connection goes to the SocksPort.
    On(Box<Carried>),
    /// The same, but nothing of it is ours: the guard of the tree we are in is there, its session is not.
    Tree {
        /// Why it would have run without uwt.
        instead_of: Option<Reason>,
    },
}

/// Makes the plan.
///
/// # Errors
/// What is asked for cannot be done; nothing must be run.
pub(crate) fn make(request: Request<'_>, machine: &impl Machine) -> Result<Plan, Failure> {
    let nesting = nesting::deeper(request.environment, &request.settings.max_nested)?;
    let reason = passthrough::reason(&request, machine);
    let protection = match (machine.tree(request.session), reason) {
        (Tree::Free, Some(reason)) => {
            report::check_unprotected(&request, &reason)?;
            Protection::Off(reason)
        }
        (Tree::Lost, instead_of) => {
            without_session(&request)?;
            Protection::Tree { instead_of }
        }
        (tree, instead_of) => Protection::On(Box::new(carried::settle(&request, tree, instead_of, machine)?)),
    };
    let time = time::settle(&request, &protection, machine)?;
    Ok(Plan { target: request.target, arguments: request.arguments, nesting, protection, time })
}

/// What the command line says about connections must hold, and here nobody could be told.
fn without_session(request: &Request<'_>) -> Result<(), Failure> {
    let Options { ip, port, isolate, identity, guard, dns, report, .. } = request.options;
    let Settings { gateway, port: of_gateway, scope, .. } = request.settings;
    let asked = [
        ("--ip", ip.is_some()),
        ("--port", port.is_some()),
        ("--isolate", isolate.is_some()),
        ("--identity", identity.is_some()),
        ("--guard", guard.is_some()),
        ("--dns", dns.is_some()),
        ("--report", report.is_some()),
    ];
    let option = asked.iter().find(|(_, given)| *given).map(|(option, _)| (*option).to_owned());
    let others = [&gateway.origin, &of_gateway.origin, &scope.origin];
    let other = || others.into_iter().find(|origin| origin.is_of_the_call()).map(ToString::to_string);
    match option.or_else(other) {
        Some(option) => Err(Failure::ours(format!(
            "{option}: this call is inside a guarded tree, and {VARIABLE} did not reach it, so that nothing can be changed; \
             nothing was run (leave the option out, or pass {VARIABLE} on)"
        ))),
        None => Ok(()),
    }
}

//! One call of uwt, from its arguments to the program's first instruction.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use uwt_cli::Options;
use uwt_config::Config;
use uwt_session::{FileId, Pinned, Session, VARIABLE, Voice};

use crate::apply::{self, Context};
use crate::call::carry::{self, Exceptions, Guarded};
use crate::call::cli::{self, Asked};
use crate::call::invocation::{self, Invocation};
use crate::call::services::{self, Ran};
use crate::call::target::{self, Target};
use crate::call::torsocks;
use crate::environment::Environment;
use crate::folders;
use crate::guard::inherited;
use crate::message::{self, Failure};
use crate::plan::explain::{self, lines};
use crate::plan::guard::Course;
use crate::plan::machine::ThisMachine;
use crate::plan::passthrough::Reason;
use crate::plan::time::Time;
use crate::plan::{self, Plan, Protection, Request};
use crate::{log, sys};

/// Runs, and gives the exit status if no program took over.
pub(crate) fn run(arguments: Vec<OsString>, environment: &Environment) -> u8 {
    if uwt_helper::is_asked_for(sys::executed_path(), arguments.first().map(OsString::as_os_str)) {
        return uwt_helper::serve();
    }
    match steps(arguments, environment) {
        Ok(status) => status,
        Err(failure) => {
            failure.print();
            failure.status
        }
    }
}

fn steps(arguments: Vec<OsString>, environment: &Environment) -> Result<u8, Failure> {
    let own = target::file_id(Path::new("/proc/self/exe"))
        .map_err(|error| Failure::ours(format!("/proc/self/exe: {error}; mount /proc")))?;
    let inherited = environment.get_filled(VARIABLE);
    let session = inherited.and_then(|text| Session::parse(text.to_str()?).ok());
    let user = folders::caller();
    let mut torsocks = None;
    let (options, target, rest) = match invocation::of(sys::executed_path(), arguments.first(), environment, own)? {
        Invocation::Wrapper(called) => {
            let mut arguments = arguments.into_iter();
            let typed = arguments.next().unwrap_or_default();
            (Options::default(), target::of_wrapper(&called, typed, environment)?, arguments.collect())
        }
        Invocation::Service(service) => {
            let call = services::Call { service, arguments, environment, session: session.as_ref(), own };
            match services::run(call)? {
                Ran::Ended(status) => return Ok(status),
                Ran::Inside(target, rest) => (Options::default(), target, rest),
            }
        }
        Invocation::Direct => match cli::parse(arguments)? {
            Asked::Print(text) => return print(&text).map(|()| 0),
            Asked::Run(options) => with_target(options, environment, own)?,
        },
        Invocation::Torsocks => match torsocks::read(arguments, environment, user)? {
            torsocks::Asked::Print(text) => return print(&text).map(|()| 0),
            torsocks::Asked::Run(mut call) => {
                let options = std::mem::take(&mut call.options);
                torsocks = Some(call);
                with_target(options, environment, own)?
            }
        },
    };
    let environment = torsocks.as_ref().map_or(environment, |call| &call.environment);

    let asked = torsocks.as_ref().and_then(|call| call.voice()).or(options.verbose.then_some(Voice::Verbose));
    let voice = asked.or(voice_of(environment)).or(session.map(|session| session.voice)).unwrap_or(Voice::Terse);
    if voice == Voice::Verbose {
        log::start();
    }
    if inherited.is_some() && session.is_none() {
        tracing::warn!("{VARIABLE} in the environment is not understood: this call begins a session of its own");
    }

    let config = Config::load(&folders::sources(environment, user)?)
        .map_err(|error| Failure::ours(format!("{error} (nothing was run)")))?;
    let mut settings = config.settings_for(&target.program, target.called.as_os_str());
    let mut fixed = Pinned::default();
    let mut files: Vec<&Path> = config.files().iter().map(PathBuf::as_path).collect();
    if let Some(call) = &torsocks {
        call.apply(&mut settings)?;
        call.remark();
        fixed = call.fixed();
        files.extend(call.file.as_deref());
    }
    let session = session.as_ref();
    let request =
        Request { options: &options, settings: &settings, fixed, environment, session, target, arguments: rest, voice };
    // It goes on while the plan is made; where the plan can do without, it ends.
    let spare = if plan::guard::is_likely_new(&request) { uwt_helper::prepare().ok() } else { None };
    let plan = plan::make(request, &ThisMachine)?;
    match &plan.protection {
        Protection::Off(_) => {}
        Protection::On(carried) => {
            let guard = match carried.guard.course {
                Course::Off => Guarded::No,
                Course::New { .. } if sys::may_filter() => Guarded::Yes,
                Course::New { .. } => Guarded::Binding,
                Course::Tree(_) => Guarded::Yes,
            };
            carry::check(&plan.target.path, Exceptions { trusted: &carried.trusted.value, own, guard })?;
            if matches!(carried.guard.course, Course::New { .. }) {
                inherited::check()?;
            }
        }
        Protection::Tree { .. } => {
            carry::check(&plan.target.path, Exceptions { trusted: &[], own, guard: Guarded::Yes })?;
        }
    }
    if matches!(plan.time, Time::Own { .. }) {
        carry::check_clock(&plan.target.path, &settings.trusted.value, own)?;
    }
    if let Some(format) = options.explain {
        return print(&explain::text(&lines(&plan, &files), format)?).map(|()| 0);
    }
    if voice == Voice::Verbose {
        for line in lines(&plan, &files) {
            tracing::info!("{line}");
        }
    }
    if voice == Voice::Terse {
        notice(&plan);
    }
    let configured_library = settings.preload.value.clone();
    match apply::apply(&plan, &Context { environment, session, configured_library, own }, spare)? {}
}

/// The file that the command of `options` is, and its arguments.
fn with_target(
    mut options: Options,
    environment: &Environment,
    own: FileId,
) -> Result<(Options, Target, Vec<OsString>), Failure> {
    let mut command = std::mem::take(&mut options.command).into_iter();
    let typed = command.next().unwrap_or_default();
    Ok((options, target::of_command(&typed, environment, own)?, command.collect()))
}

/// `-v` by other means.
fn voice_of(environment: &Environment) -> Option<Voice> {
    let switched_on = |name: &&str| environment.get_filled(name).is_some_and(|value| value != "0");
    ["UWT_VERBOSE", "uwtwrapper_verbose"].iter().any(switched_on).then_some(Voice::Verbose)
}

/// What is not as somebody might believe.
fn notice(plan: &Plan) {
    let shown = plan.target.called.display();
    let staying = match &plan.protection {
        // Whoever looks at a terminal shall know that an argument switched uwt off.
        Protection::Off(reason @ Reason::Localhost { .. }) if io::stderr().is_terminal() => {
            let advice = "(localhost = \"loopback\" keeps it wrapped)";
            return message::print(format_args!("{shown} runs without uwt: {reason} {advice}"));
        }
        Protection::Off(_) => None,
        Protection::On(carried) => carried.instead_of.as_ref(),
        Protection::Tree { instead_of } => instead_of.as_ref(),
    };
    // Its connections to this machine are direct inside as well.
    if let Some(reason @ (Reason::Environment | Reason::Disabled(_))) = staying {
        message::print(format_args!(
            "{shown} stays wrapped in spite of {reason}: it is inside a guarded tree (start it outside, or the outermost \
             uwt with --guard=off)"
        ));
    }
}

fn print(text: &str) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    written.map_err(|error| Failure::ours(format!("standard output: {error}")))
}

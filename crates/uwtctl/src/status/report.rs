//! Everything that is found out, side by side where it takes time.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, thread};

use serde::Serialize;
use uwt_config::{Config, Probe, detect};
use uwt_session::VARIABLE;

use super::commands::{self, Chosen, Command};
use super::finding::{Finding, Severity};
use super::launches::{self, Asked, Launcher, Line, Plan};
use super::library::{self, Library};
use super::machine::{self, Machine};
use super::notice::{self, PASSTHROUGH, is_passthrough};
use super::ports::{self, SocksPort};
use super::{desktop, proxies};
use crate::ports::usage;
use crate::{configuration, program};

/// The state of this machine, as far as it concerns stream isolation.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Of this program.
    pub(super) version: &'static str,
    /// `None` if there is none.
    pub(super) uwt: Option<Uwt>,
    /// The files of the configuration that were read.
    pub(super) files: Vec<PathBuf>,
    /// What holds for a command that no table is about; `None` if the configuration cannot be read.
    pub(super) global: Option<Chosen>,
    /// `None` if the markers contradict each other or cannot be read.
    pub(super) machine: Option<Machine>,
    pub(super) ports: Vec<SocksPort>,
    /// `None` if uwt would not start anything, or nothing isolated.
    pub(super) guard: Option<Decided>,
    /// The preload library, under the same condition.
    pub(super) preload: Option<Decided>,
    pub(super) libraries: Vec<Library>,
    pub(super) commands: Vec<Command>,
    /// The line for whoever logs in; `None` if nothing is wrapped.
    pub(super) notice: Option<String>,
    pub(super) findings: Vec<Finding>,
}

/// The launcher.
#[derive(Debug, Serialize)]
pub(super) struct Uwt {
    pub(super) path: PathBuf,
    /// `None` if it does not say.
    pub(super) version: Option<String>,
}

/// What uwt decides, and why.
#[derive(Debug, Serialize)]
pub(super) struct Decided {
    pub(super) value: String,
    pub(super) why: String,
}

impl Decided {
    fn of(plan: Option<&[Line]>, label: &str) -> Option<Self> {
        let line = launches::line(plan?, label)?;
        Some(Self { value: line.value.clone(), why: line.why.clone() })
    }
}

/// Finds it out: about these commands, or about all that are wrapped or configured.
pub(super) fn find_out(names: &[OsString], offline: bool) -> Report {
    thread::scope(|scope| {
        let launcher = Launcher::find();
        let asked = launcher.as_ref().ok().map(|launcher| (launcher.version(), launcher.explain_any()));
        let gnome = scope.spawn(desktop::gnome);
        let mut findings = Vec::new();

        let (config, files) = configured(&mut findings);
        let global = config.as_ref().map(Config::global);
        let detected = detect(&Probe::default());
        let found = detected.as_ref().ok();
        let commands = commands::all(names, config.as_ref());
        let questions = notice::ask(&commands, launcher.as_ref().ok());

        let why_not = not_to_ask(offline);
        let mut ports = global.as_ref().map_or_else(Vec::new, |global| {
            ports::of(global, &commands, found, why_not.as_deref().unwrap_or_default())
        });
        if why_not.is_none() {
            ports::ask(&mut ports);
        }

        let plans = notice::wait(questions);
        let (uwt, plan) = launched(launcher, asked, &mut findings);
        cannot_start(plan.as_ref(), &plans, config.is_some(), &mut findings);
        let lines = plan.as_ref().and_then(|plan| plan.as_ref().ok()).map(Vec::as_slice);
        let (guard, preload) = (Decided::of(lines, "guard"), Decided::of(lines, "preload"));
        findings.extend(guard.as_ref().and_then(of_guard));
        if let (Err(error), Some(_)) = (&detected, &global) {
            findings.push(machine::undetected(error));
        }
        findings.extend(ports.iter().filter_map(ports::finding));
        findings.extend(commands.iter().filter_map(|command| commands::finding(command, !names.is_empty())));
        findings.extend(commands.iter().filter_map(|command| commands::shadow(command, program::find)));
        findings.extend(config.as_ref().map(usage::findings).unwrap_or_default().iter().map(of_ports));
        findings.extend(environment());
        findings.extend(gnome.join().ok().flatten());
        findings.extend(global.as_ref().and_then(|global| machine::transparent(global, found)));
        Report {
            version: env!("CARGO_PKG_VERSION"),
            uwt,
            files,
            global: global.as_ref().map(Chosen::of),
            machine: found.map(Machine::of),
            ports,
            libraries: library::all(Path::new("/"), preload.as_ref().map(|it| Path::new(&it.value))),
            guard,
            preload,
            notice: notice::text(&plans),
            commands,
            findings,
        }
    })
}

/// The configuration, if it can be read.
fn configured(findings: &mut Vec<Finding>) -> (Option<Config>, Vec<PathBuf>) {
    match configuration::load() {
        Ok(loaded) => {
            findings.extend(loaded.passed_over.map(|folder| {
                let advice = "what it says does not hold; give it to its user, or take it away";
                Finding::new(Severity::Warning, "configuration", folder.to_string(), advice)
            }));
            let files = loaded.config.files().to_vec();
            (Some(loaded.config), files)
        }
        Err(error) => {
            let advice = "until then uwt runs nothing; `uwtctl config check` names every fault";
            findings.push(Finding::new(Severity::Bad, "configuration", error.root_cause().to_string(), advice));
            (None, Vec::new())
        }
    }
}

/// Why no gateway is asked; `None` if they are.
fn not_to_ask(offline: bool) -> Option<String> {
    if offline {
        return Some("--offline".to_owned());
    }
    env::var_os(VARIABLE).map(|_| format!("uwtctl itself runs wrapped ({VARIABLE} is set)"))
}

/// Who `uwt` is and what it would do with any command.
fn launched(
    launcher: Result<Launcher, String>,
    asked: Option<(Asked, Asked)>,
    findings: &mut Vec<Finding>,
) -> (Option<Uwt>, Option<Plan>) {
    let launcher = match launcher {
        Ok(launcher) => launcher,
        Err(problem) => {
            findings.push(Finding::new(Severity::Bad, "uwt", problem, "without it nothing is isolated"));
            return (None, None);
        }
    };
    let Some((version, plan)) = asked.map(|(version, plan)| (launches::version(version), plan.plan())) else {
        return (None, None);
    };
    let path = launcher.0;
    if version.as_deref().is_some_and(|version| version != env!("CARGO_PKG_VERSION")) {
        let what = "it is of another version than uwtctl";
        let advice = "install both from the same package";
        findings.push(Finding::new(Severity::Warning, path.display().to_string(), what, advice));
    }
    (Some(Uwt { path, version }), Some(plan))
}

/// What uwt cannot start, each reason once.
fn cannot_start(plan: Option<&Plan>, plans: &[(&Command, Plan)], has_config: bool, findings: &mut Vec<Finding>) {
    // That there is none, or that the configuration cannot be read, has been said.
    let (Some(plan), true) = (plan, has_config) else { return };
    let advice = "`uwt --explain COMMAND` says so as well";
    let general = plan.as_ref().err();
    if let Some(problem) = general {
        findings.push(Finding::new(Severity::Bad, "uwt", format!("no command starts: {problem}"), advice));
    }
    let mut said: Vec<&str> = general.map(String::as_str).into_iter().collect();
    for (command, plan) in plans {
        if let Err(problem) = plan
            && !said.contains(&problem.as_str())
        {
            said.push(problem);
            findings.push(Finding::new(
                Severity::Bad,
                &command.name,
                format!("uwt does not start it: {problem}"),
                advice,
            ));
        }
    }
}

/// What a guard that is less than it could be means.
fn of_guard(guard: &Decided) -> Option<Finding> {
    let (what, advice) = match guard.value.as_str() {
        "off" => (
            "what the preload library does not see, such as a static program, is not isolated and not refused",
            "set guard = \"auto\" (uwt.d(5))",
        ),
        "deny" if guard.why.contains("no tunnel: ") || guard.why.contains("nobody is asked: ") => (
            "what the preload library does not see, such as a static program, is refused and not carried",
            "nothing leaks by that; what is in parentheses says what keeps a tunnel from working",
        ),
        _ => return None,
    };
    let about = format!("guard {} ({})", guard.value, guard.why);
    Some(Finding::new(Severity::Warning, about, what, advice))
}

fn of_ports(found: &usage::Finding) -> Finding {
    let whose = if found.commands.is_empty() { String::new() } else { format!("{}: ", found.commands.join(", ")) };
    let advice = "`uwtctl ports` shows the plan, `uwtctl ports assign COMMAND` gives a command one of its own";
    Finding::new(Severity::Warning, format!("port {}", found.port), format!("{whose}{}", found.what), advice)
}

/// What undermines isolation around us.
fn environment() -> Vec<Finding> {
    let root = Path::new("/");
    let mut findings = Vec::new();
    if is_passthrough() {
        let what = format!("{PASSTHROUGH}=1 in the environment: wrapped commands run without uwt");
        findings.push(Finding::new(Severity::Bad, "the environment", what, format!("unset {PASSTHROUGH}")));
    }
    if env::var_os(VARIABLE).is_some() {
        let what = "uwtctl itself runs wrapped: what it says is about this session, and the SocksPorts are not asked";
        findings.push(Finding::new(Severity::Unknown, VARIABLE, what, "run uwtctl outside"));
    }
    findings.extend(proxies::environment(env::vars_os()));
    findings.extend(proxies::every_login(root));
    findings.extend(proxies::apt(root));
    findings.extend(desktop::kde(&desktop::kde_folders()));
    findings.extend(machine::resolver(root));
    findings
}

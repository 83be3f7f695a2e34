//! The plan in words, for `--explain` and `-v`.

use std::fmt;
use std::path::Path;

use serde::Serialize;
use uwt_cli::ExplainFormat;
use uwt_config::{Native, Origin};
use uwt_policy::Scope;
use uwt_session::VARIABLE;

use super::carried::Carried;
use super::isolation::Isolation;
use super::passthrough::Reason;
use super::time::Time;
use super::{Plan, Protection};
use crate::message::Failure;

/// One line: what, which value, why.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    label: &'static str,
    value: String,
    why: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.label, self.value)?;
        if self.why.is_empty() { Ok(()) } else { write!(f, " ({})", self.why) }
    }
}

/// Every line of the plan; the secret is in none.
pub(crate) fn lines(plan: &Plan, files: &[impl AsRef<Path>]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut add = |label, value: String, why: String| lines.push(Line { label, value, why });
    let target = &plan.target;
    let called =
        if target.program == target.called { String::new() } else { format!("called as {}", target.called.display()) };
    add("program", target.path.display().to_string(), called);
    add("argv[0]", target.typed.display().to_string(), "as typed".to_owned());
    for file in files {
        add("configuration", file.as_ref().display().to_string(), String::new());
    }
    let limit = match plan.nesting.limit.value {
        0 => "no limit".to_owned(),
        limit => format!("at most {limit}"),
    };
    add("nesting", format!("{}, {limit}", plan.nesting.count), plan.nesting.limit.origin.to_string());
    match &plan.protection {
        Protection::Off(reason) => {
            add("protection", "off: runs as if there were no uwt".to_owned(), reason.to_string());
        }
        Protection::On(carried) => {
            let why = carried.instead_of.as_ref().map_or_else(String::new, staying);
            add("protection", "on".to_owned(), why);
            lines.extend(of_carried(carried));
        }
        Protection::Tree { instead_of } => {
            let lost = format!("inside a guarded tree, {VARIABLE} did not reach this call");
            let why = instead_of.as_ref().map_or(lost, staying);
            add("protection", "by the guard alone".to_owned(), why);
        }
    }
    if !matches!(plan.protection, Protection::Off(_)) {
        lines.push(time(&plan.time));
    }
    lines
}

/// Why it is not off.
fn staying(reason: &Reason) -> String {
    format!("a guarded tree cannot be left, not by {reason} either")
}

fn time(time: &Time) -> Line {
    let (value, why) = match time {
        Time::Real(origin) => ("real".to_owned(), origin.to_string()),
        Time::Outer => ("that of the wrapped command outside".to_owned(), "built-in".to_owned()),
        Time::Own { library, origin } => (format!("ahead by up to an hour: {library}"), origin.to_string()),
    };
    Line { label: "time", value, why }
}

fn of_carried(carried: &Carried) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut add = |label, value: String, why: String| lines.push(Line { label, value, why });
    let why = |origin: &Origin| origin.to_string();
    let detected = carried
        .detected
        .as_ref()
        .map_or_else(|| why(&carried.gateway.origin), |reason| format!("auto, {}: {reason}", carried.gateway.origin));
    add("gateway", carried.gateway.value.to_string(), detected);
    add("port", carried.port.value.to_string(), why(&carried.port.origin));
    add("isolation", scope(&carried.isolation), why(&carried.isolation.scope.origin));
    add("credentials", carried.credentials.value.to_string(), why(&carried.credentials.origin));
    add("guard", carried.guard.course.level().to_string(), carried.guard.why().to_string());
    add("dns", carried.dns.value.to_string(), why(&carried.dns.origin));
    let loopback = if carried.allow_loopback.value { "direct" } else { "refused" };
    add("loopback", loopback.to_owned(), why(&carried.allow_loopback.origin));
    let local_tor = if carried.local_tor.value { "usable" } else { "hidden" };
    add("local tor", local_tor.to_owned(), why(&carried.local_tor.origin));
    add("inbound", carried.inbound.value.to_string(), why(&carried.inbound.origin));
    let bind = carried.bind.address.map_or_else(|| "none".to_owned(), |address| address.to_string());
    add("bind", bind, carried.bind.why().to_string());
    add("timeout", format!("{} s", carried.timeout.value), why(&carried.timeout.origin));
    add("optimistic", optimistic(carried), why(&carried.optimistic.origin));
    let trusted: Vec<String> = carried.trusted.value.iter().map(|path| path.display().to_string()).collect();
    let trusted = if trusted.is_empty() { "none".to_owned() } else { trusted.join(" ") };
    add("trusted", trusted, why(&carried.trusted.origin));
    add("native", native(carried), why(&carried.native.origin));
    add("preload", carried.library.path.clone(), carried.library.origin.clone());
    add("report", carried.report.value.to_string(), why(&carried.report.origin));
    lines
}

fn scope(isolation: &Isolation) -> String {
    match (isolation.scope.value, &isolation.identity) {
        (Scope::Identity, Some(name)) => format!("identity {name}"),
        (scope, _) => scope.to_string(),
    }
}

fn native(carried: &Carried) -> String {
    match carried.native.value {
        Native::AllProxy if carried.isolation.scope.value == Scope::Destination => {
            "not applied: one proxy URL cannot give each destination a credential of its own".to_owned()
        }
        value => value.to_string(),
    }
}

fn optimistic(carried: &Carried) -> String {
    if carried.optimistic.value && !carried.guard.course.has_helper() {
        return "not applied: it needs the helper of a guard".to_owned();
    }
    carried.optimistic.value.to_string()
}

/// The lines as they are printed.
///
/// # Errors
/// They cannot be written as JSON.
pub(crate) fn text(lines: &[Line], format: ExplainFormat) -> Result<String, Failure> {
    match format {
        ExplainFormat::Text => Ok(table(lines)),
        ExplainFormat::Json => match serde_json::to_string_pretty(lines) {
            Ok(text) => Ok(text + "\n"),
            Err(error) => Err(Failure::ours(format!("--explain=json: {error}"))),
        },
    }
}

/// The lines in columns.
fn table(lines: &[Line]) -> String {
    let width = |text: &str| text.chars().count();
    let first = lines.iter().map(|line| width(line.label)).max().unwrap_or_default();
    let second =
        lines.iter().filter(|line| !line.why.is_empty()).map(|line| width(&line.value)).max().unwrap_or_default();
    let mut table = String::new();
    for line in lines {
        // Control characters in a file's name must not reach the terminal.
        let row = format!("{:first$}  {:second$}  {}", line.label, line.value, line.why);
        table.extend(row.trim_end().chars().map(|letter| if letter.is_control() { '?' } else { letter }));
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use uwt_config::Setting;
    use uwt_policy::Level;

    use super::*;
    use crate::call::target::Target;
    use crate::plan::carried::tests::carried;
    use crate::plan::guard::Course;
    use crate::plan::nesting::Depth;

    fn plan(protection: Protection) -> Plan {
        Plan {
            target: Target {
                path: "/usr/bin/curl.anondist-orig".into(),
                program: "/usr/bin/curl".into(),
                called: "/usr/bin/curl".into(),
                typed: OsString::from("cu\x1brl"),
            },
            arguments: Vec::new(),
            nesting: Depth { count: 1, limit: Setting::built_in(10) },
            protection,
            time: Time::Real(Origin::BuiltIn),
        }
    }

    #[test]
    fn off() {
        let file = Path::new("/etc/uwt.d/50_user.toml");
        let text = table(&lines(&plan(Protection::Off(Reason::Environment)), &[file]));
        let expected = "\
program        /usr/bin/curl.anondist-orig
argv[0]        cu?rl                              as typed
configuration  /etc/uwt.d/50_user.toml
nesting        1, at most 10                      built-in
protection     off: runs as if there were no uwt  UWT_DEV_PASSTHROUGH=1 in the environment
";
        assert_eq!(text, expected);
    }

    #[test]
    fn inside_a_guarded_tree() {
        let protection = |protection| {
            let text = table(&lines(&plan(protection), &[] as &[&Path]));
            text.lines().find(|line| line.starts_with("protection")).expect("said").to_owned()
        };
        assert_eq!(
            protection(Protection::Tree { instead_of: None }),
            "protection  by the guard alone  inside a guarded tree, UWT_SESSION did not reach this call"
        );
        let why = "a guarded tree cannot be left, not by UWT_DEV_PASSTHROUGH=1 in the environment either";
        for staying in [
            Protection::Tree { instead_of: Some(Reason::Environment) },
            Protection::On(Box::new(Carried { instead_of: Some(Reason::Environment), ..carried() })),
        ] {
            assert!(protection(staying).ends_with(&format!("  {why}")));
        }
    }

    #[test]
    fn every_value_has_its_origin() {
        let carried = Carried { native: Setting::built_in(Native::AllProxy), ..carried() };
        let text = table(&lines(&plan(Protection::On(Box::new(carried))), &[] as &[&Path]));
        for (label, value) in [
            ("gateway", "127.0.0.1"),
            ("port", "9050"),
            ("isolation", "process"),
            ("credentials", "plain"),
            ("dns", "names"),
            ("loopback", "direct"),
            ("local tor", "usable"),
            ("inbound", "loopback"),
            ("bind", "none"),
            ("timeout", "150 s"),
            ("optimistic", "false"),
            ("trusted", "none"),
            ("native", "all_proxy"),
            ("report", "none"),
            ("time", "real"),
        ] {
            let line = text.lines().find(|line| line.starts_with(&format!("{label} "))).expect(label);
            let words: Vec<&str> = line.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
            assert_eq!(words, [label, value, "built-in"], "{line}");
        }
        let guard = text.lines().find(|line| line.starts_with("guard ")).expect("said");
        assert!(guard.contains(" tunnel ") && guard.ends_with("  auto, built-in"), "{guard}");
        assert!(text.contains("/lib/uwt/libuwt_preload.so  installed\n"), "{text}");
    }

    #[test]
    fn whose_time_it_is() {
        let value = |time: Time| super::time(&time).value;
        assert_eq!(value(Time::Outer), "that of the wrapped command outside");
        let own = Time::Own { library: "/l/libfaketime.so.1".to_owned(), origin: Origin::BuiltIn };
        assert_eq!(value(own), "ahead by up to an hour: /l/libfaketime.so.1");
    }

    #[test]
    fn optimistic_needs_the_helper() {
        let mut carried = Carried { optimistic: Setting::built_in(true), ..carried() };
        assert_eq!(optimistic(&carried), "true");
        for course in [Course::Off, Course::New { level: Level::Deny, asks: false }] {
            carried.guard.course = course;
            assert!(optimistic(&carried).starts_with("not applied"), "{course:?}");
        }
    }

    #[test]
    fn native_needs_one_credential() {
        let mut carried = Carried { native: Setting::built_in(Native::AllProxy), ..carried() };
        carried.isolation.scope.value = Scope::Destination;
        assert!(native(&carried).starts_with("not applied"));
    }
}

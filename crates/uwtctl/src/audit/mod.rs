//! `uwtctl audit`: runs a command and reports everything it does with the network.
//!
//! The events of `uwt --report` are put together by process ([`collect`]) and in the order of a tree ([`tree`]); each
//! process is judged ([`verdict`]), and then the whole ([`findings`]).

mod alive;
mod collect;
#[cfg(test)]
mod events;
mod findings;
mod model;
mod output;
mod run;
mod short;
mod svg;
mod text;
mod tree;
mod verdict;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use uwt_cli::ctl::AuditOptions;
use uwt_report::{Event, Reader};

use self::collect::Collected;
use self::findings::Ending;
use self::model::{Audit, Verdict};
use self::output::Output;
use self::run::Run;
use crate::answer::{Answer as _, Shown, Status};

/// Does what the command line says.
///
/// # Errors
/// A file cannot be read or written, or nothing was run.
pub(crate) fn run(options: &AuditOptions, shown: Shown) -> anyhow::Result<Status> {
    // Before anything is run: what it did could not be repeated.
    let report = options.output.as_deref().map(Output::open).transpose()?;
    let picture = options.svg.as_deref().map(Output::open).transpose()?;
    let audit = match &options.from {
        Some(path) => audit(read(path)?, Run::default()),
        None => live(&options.command)?,
    };
    if let Some(picture) = picture {
        picture.write(&svg::draw(&audit))?;
    }
    match report {
        Some(file) => file.write(&shown.without_colour().text(&audit)?)?,
        None if options.from.is_some() => return shown.print(&audit),
        None => return shown.print_apart(&audit),
    }
    Ok(audit.status())
}

/// Puts everything together.
pub(crate) fn audit(events: impl IntoIterator<Item = Event>, run: Run) -> Audit {
    let Collected { processes, setting, ended, lost, .. } = Collected::of(events);
    let mut processes = tree::order(processes);
    verdict::judge(&mut processes, setting.as_ref());
    let ending = match (ended, run.running) {
        (true, _) => Ending::Told,
        (false, true) => Ending::Running,
        (false, false) => Ending::Missing,
    };
    let lost = lost + run.unreadable;
    let findings = findings::findings(&processes, setting.as_ref(), ending, lost);
    Audit {
        command: run.command,
        ended: run.ended,
        complete: setting.is_some() && ended && lost == 0,
        setting,
        verdict: findings.first().map_or(Verdict::Unknown, |finding| finding.verdict),
        findings,
        processes,
    }
}

/// The events of a file.
fn read(path: &Path) -> anyhow::Result<Vec<Event>> {
    let shown = path.display();
    let unreadable = |error: io::Error| {
        anyhow::anyhow!("{shown}: it cannot be read: {error} (give it a file that `uwt --report FILE` wrote)")
    };
    let file = File::open(path).map_err(unreadable)?;
    let events = Reader::new(BufReader::new(file)).enumerate().map(|(index, event)| {
        event.map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => anyhow::anyhow!(
                "{shown}:{}: this is no event ({error}); give it a file that `uwt --report` of this version wrote",
                index + 1
            ),
            _ => unreadable(error),
        })
    });
    events.collect()
}

/// Runs the command.
fn live(words: &[OsString]) -> anyhow::Result<Audit> {
    let (events, run) = run::run(words)?;
    anyhow::ensure!(
        !events.is_empty() || !run.ran_nothing(),
        "nothing was run: what uwt says about it is above (a command is run as in `uwtctl audit -- COMMAND`)"
    );
    Ok(audit(events, run))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use uwt_report::GuardLevel;

    use super::events::{begin, connection, end, process};
    use super::*;

    #[test]
    fn a_file_is_read_to_its_end_or_not_at_all() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        uwt_report::write(&mut file, &begin(GuardLevel::Tunnel, "process")).unwrap();
        uwt_report::write(&mut file, &end()).unwrap();
        assert_eq!(read(file.path()).unwrap().len(), 2);
        writeln!(file, "{{\"time\":1").unwrap();
        let error = format!("{:#}", read(file.path()).unwrap_err());
        assert!(error.contains(":3: this is no event") && error.contains("--report"), "{error}");
        let error = format!("{:#}", read(Path::new("/nonexistent")).unwrap_err());
        assert!(error.starts_with("/nonexistent: it cannot be read: ") && error.contains("(give it a file"), "{error}");
    }

    #[test]
    fn lines_that_could_not_be_read_are_missing() {
        let events =
            [begin(GuardLevel::Tunnel, "process"), process(1, 9, "a"), connection(1, "a.test", Some("uwt-1")), end()];
        assert!(audit(events.clone(), Run::default()).complete);
        let gaps = audit(events, Run { unreadable: 1, ..Run::default() });
        assert!(!gaps.complete && gaps.verdict == Verdict::Unknown, "{gaps:?}");
    }

    #[test]
    fn the_document_is_what_the_schema_says() {
        let audit = audit([begin(GuardLevel::Tunnel, "process"), connection(1, "a.test", None), end()], Run::default());
        let json: serde_json::Value = serde_json::from_str(&Shown::Json.text(&audit).unwrap()).unwrap();
        assert_eq!(json["verdict"], "shares_credential");
        assert_eq!(json["processes"][0]["connections"][0]["destination"]["host"], "a.test");
        assert_eq!(json["processes"][0]["connections"][0]["count"], 1);
    }
}

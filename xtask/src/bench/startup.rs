//! What a variant adds to the life of `/bin/true`.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use indicatif::ProgressIterator;
use nix::fcntl::OFlag;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, posix_spawn};
use nix::sys::stat::Mode;
use nix::sys::wait::{WaitStatus, waitpid};

use super::series::{Series, order};
use super::table::{Row, Table};
use super::variant::{BARE, PRELOAD_ONLY, Setup, UWT_DENY, UWT_OFF, UWT_TUNNEL, Variant};
use super::way::progress;
use crate::interrupt::Interrupt;

/// The table of all variants.
pub(crate) const KEY: &str = "startup";
/// The table of bare and the preload alone.
pub(crate) const PAIR: &str = "preload";

/// A command line ready for `posix_spawn`: nothing is prepared while the clock runs.
pub(super) struct Prepared {
    pub(super) name: &'static str,
    arguments: Vec<CString>,
    environment: Vec<CString>,
    /// The exit statuses with which it has done its work.
    ends: &'static [i32],
    /// Whether it says something, which nobody is to see.
    talks: bool,
}

/// How often a variant runs before the run that counts.
const UNCOUNTED: u32 = 3;

/// All variants.
pub(super) fn measure(setup: &Setup, rounds: u32, interrupt: &Interrupt) -> Result<Table> {
    compare(KEY, "Start-up", &setup.variants, rounds, interrupt)
}

/// Bare and the preload alone: a difference this small drowns in what shell scripts leave behind (torsocks is one), whose
/// memory the kernel still frees while the next one is timed.
pub(super) fn preload(setup: &Setup, rounds: u32, interrupt: &Interrupt) -> Result<Table> {
    let mut pair = setup.variants.clone();
    pair.retain(|variant| [BARE, PRELOAD_ONLY].contains(&variant.name));
    compare(PAIR, "The preload's share of a start", &pair, rounds, interrupt)
}

/// Measures each variant once a round.
fn compare(key: &'static str, title: &str, variants: &[Variant], rounds: u32, interrupt: &Interrupt) -> Result<Table> {
    let prepared = variants.iter().map(Prepared::new).collect::<Result<Vec<_>>>()?;
    let samples = sample(&prepared, "start-up", rounds, interrupt)?;
    let rows = added(&prepared, &samples).into_iter().zip(&prepared).zip(samples);
    let rows = rows.map(|((added, one), series)| Row { name: one.name, series, extra: vec![added] }).collect();
    Ok(Table {
        key,
        title: format!("{title}: `/bin/true`, posix_spawn to wait"),
        unit: "µs",
        base: BARE,
        extra: vec!["added µs"],
        rows,
        notes: vec![
            "*preload only*: the environment that uwt hands down, set by hand, without the launcher. The \
             helper of *uwt deny* and *uwt tunnel* ends by itself behind the program and is not waited for, but what its \
             end costs a processor is in the time of what runs next."
                .to_owned(),
        ],
    })
}

/// Runs each once a round.
pub(super) fn sample(
    prepared: &[Prepared],
    what: &'static str,
    rounds: u32,
    interrupt: &Interrupt,
) -> Result<Vec<Series>> {
    let attributes = PosixSpawnAttr::init()?;
    let actions = prepared.iter().map(Prepared::actions).collect::<Result<Vec<_>>>()?;
    let mut samples = vec![Series::default(); prepared.len()];
    // The first run of each reads its files from disk.
    for (one, actions) in prepared.iter().zip(&actions) {
        one.run(actions, &attributes)?;
    }
    for round in (0..rounds as usize).progress_with(progress(what, rounds)) {
        interrupt.check()?;
        for index in order(round, prepared.len()) {
            // The runs before the one that counts leave the caches as this variant leaves them, not another.
            for _ in 0..UNCOUNTED {
                prepared[index].run(&actions[index], &attributes)?;
            }
            samples[index].0.push(prepared[index].run(&actions[index], &attributes)?);
        }
    }
    Ok(samples)
}

/// What each takes longer than bare.
pub(super) fn added(prepared: &[Prepared], samples: &[Series]) -> Vec<String> {
    let bare = prepared.iter().position(|one| one.name == BARE).map_or(f64::NAN, |at| samples[at].median());
    samples.iter().map(|series| format!("{:+.0}", series.median() - bare)).collect()
}

impl Prepared {
    fn new(variant: &Variant) -> Result<Self> {
        let command = variant.command(Path::new("/bin/true"));
        let mut arguments: Vec<CString> =
            std::iter::once(command.get_program()).chain(command.get_args()).map(c_string).collect::<Result<_>>()?;
        if [UWT_OFF, UWT_DENY, UWT_TUNNEL].contains(&variant.name) {
            // As it is typed, `uwt --guard=… /bin/true`: which gateway it would be is all the same to a program without
            // network.
            arguments.drain(2..arguments.len() - 1);
        }
        Ok(Self {
            name: variant.name,
            arguments,
            environment: entries(&variant.environment)?,
            ends: &[0],
            talks: false,
        })
    }

    /// A program without arguments.
    pub(super) fn of_path(name: &'static str, path: &Path, environment: &[(OsString, OsString)]) -> Result<Self> {
        let arguments = vec![c_string(path.as_os_str())?];
        Ok(Self { name, arguments, environment: entries(environment)?, ends: &[0], talks: false })
    }

    /// The same with arguments that make it say something, and with these exit statuses for good ones.
    pub(super) fn saying(mut self, arguments: &[&str], ends: &'static [i32]) -> Result<Self> {
        for argument in arguments {
            self.arguments.push(c_string(argument.as_ref())?);
        }
        Ok(Self { ends, talks: true, ..self })
    }

    /// What is done to its files when it starts.
    fn actions(&self) -> Result<PosixSpawnFileActions> {
        let mut actions = PosixSpawnFileActions::init()?;
        if self.talks {
            actions.add_open(1, "/dev/null", OFlag::O_WRONLY, Mode::empty())?;
        }
        Ok(actions)
    }

    /// Microseconds from before the spawn to after the wait.
    fn run(&self, actions: &PosixSpawnFileActions, attributes: &PosixSpawnAttr) -> Result<f64> {
        let start = Instant::now();
        let pid = posix_spawn(self.arguments[0].as_c_str(), actions, attributes, &self.arguments, &self.environment)
            .with_context(|| format!("{}: {}", self.name, self.arguments[0].to_string_lossy()))?;
        let status = waitpid(pid, None)?;
        let took = start.elapsed();
        match status {
            WaitStatus::Exited(_, end) if self.ends.contains(&end) => Ok(took.as_secs_f64() * 1e6),
            other => bail!("{}: it ended with {other:?}", self.name),
        }
    }
}

/// An environment as execve(2) takes it.
fn entries(environment: &[(OsString, OsString)]) -> Result<Vec<CString>> {
    let entry = |(name, value): &(OsString, OsString)| {
        let mut entry = name.clone();
        entry.push("=");
        entry.push(value);
        c_string(&entry)
    };
    environment.iter().map(entry).collect()
}

fn c_string(word: &OsStr) -> Result<CString> {
    CString::new(word.as_bytes()).with_context(|| format!("{} contains a NUL", word.display()))
}

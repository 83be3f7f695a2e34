//! `cargo xtask trace`: where the time of one start goes, by the kernel's own trace.

mod events;
mod steps;
mod tracefs;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

use self::steps::{STEPS, Step};
use self::tracefs::Instance;
use crate::artifacts;
use crate::interrupt::Interrupt;
use crate::prereq::{self, Group};
use crate::workspace::Workspace;

/// What can be chosen.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Traced runs of each variant; half as many count, those that took least
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(4..))]
    rounds: u32,
}

/// What is compared: a name, and uwt's options where it is uwt that runs `/bin/true`.
const VARIANTS: [(&str, Option<&[&str]>); 4] = [
    ("bare", None),
    ("uwt --guard=off", Some(&["--guard=off"])),
    ("uwt --guard=tunnel", Some(&["--guard=tunnel"])),
    // As most people type it: the guard is a tunnel where that is possible.
    ("uwt", Some(&[])),
];
/// How often a variant runs before the run that counts.
const UNCOUNTED: u32 = 3;

/// One step of one run, or the mean of many.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Share {
    /// Microseconds.
    time: f64,
    calls: f64,
    faults: f64,
    /// What was recorded in it, of any process.
    events: f64,
}

/// The runs of one variant.
#[derive(Debug, Default)]
struct Runs {
    /// Microseconds of runs without a trace, by our own clock.
    plain: Vec<f64>,
    traced: Vec<Vec<Share>>,
}

/// Measures, prints, and writes `target/bench/trace.md`.
pub(crate) fn run(workspace: &Workspace, chosen: &Options, interrupt: &Interrupt) -> Result<()> {
    prereq::ensure(&[Group::Build])?;
    ensure!(nix::unistd::geteuid().is_root(), "the kernel's trace is root's: run it as root");
    artifacts::build(workspace)?;
    let uwt = workspace.bin_dir().join("uwt");
    let mut instance = Instance::make()?;
    let mut runs: Vec<Runs> = VARIANTS.iter().map(|_| Runs::default()).collect();
    for _ in 0..chosen.rounds {
        interrupt.check()?;
        for ((name, options), runs) in VARIANTS.iter().zip(&mut runs) {
            let mut command = command(&uwt, *options);
            for _ in 0..UNCOUNTED {
                start(&mut command)?;
            }
            runs.plain.push(start(&mut command)?);
            let recorded = instance.record(|| start(&mut command))?;
            runs.traced.push(steps::split(&events::parse(&recorded)).context(*name)?);
        }
    }
    let cost = instance.cost()?;
    let summaries: Vec<Summary> = runs.iter().map(|runs| runs.summary(cost)).collect();
    let text = report(&summaries, cost, chosen.rounds);
    print!("{text}");
    let path = workspace.target.join("bench/trace.md");
    fs::create_dir_all(path.parent().context("a folder")?)?;
    fs::write(&path, text).with_context(|| format!("{}", path.display()))
}

/// Little environment, so that the caller's decides nothing.
fn command(uwt: &Path, options: Option<&[&str]>) -> Command {
    let mut command = match options {
        None => Command::new("/bin/true"),
        Some(options) => {
            let mut command = Command::new(uwt);
            command.args(options).arg("/bin/true");
            command
        }
    };
    command.env_clear().envs([("PATH", "/usr/local/bin:/usr/bin:/bin"), ("HOME", "/nonexistent"), ("LC_ALL", "C")]);
    command.stdin(Stdio::null());
    command
}

/// Microseconds from before the start to after the wait.
fn start(command: &mut Command) -> Result<f64> {
    let before = Instant::now();
    let status = command.status()?;
    let took = before.elapsed();
    if !status.success() {
        bail!("{command:?}: {status}");
    }
    Ok(took.as_secs_f64() * 1e6)
}

/// A variant as it is printed.
#[derive(Debug)]
struct Summary {
    /// Mean of the faster half of the runs without a trace.
    plain: f64,
    /// By step, mean of the faster half, without what recording costs.
    steps: Vec<Share>,
}

impl Runs {
    /// `cost`: microseconds that it takes to record an event.
    fn summary(&self, cost: f64) -> Summary {
        let half = |count: usize| count.div_ceil(2);
        let mut plain = self.plain.clone();
        plain.sort_by(f64::total_cmp);
        plain.truncate(half(plain.len()));
        let total = |run: &Vec<Share>| run.iter().map(|share| share.time).sum::<f64>();
        let mut traced: Vec<&Vec<Share>> = self.traced.iter().collect();
        traced.sort_by(|one, other| total(one).total_cmp(&total(other)));
        traced.truncate(half(traced.len()));
        let steps: Vec<Share> = (0..STEPS.len())
            .map(|step| {
                let of = |field: fn(&Share) -> f64| {
                    mean(&traced.iter().filter_map(|run| run.get(step)).map(field).collect::<Vec<_>>())
                };
                let (time, events) = (of(|share| share.time), of(|share| share.events));
                let time = (time - cost * events).max(0.0);
                Share { time, calls: of(|share| share.calls), faults: of(|share| share.faults), events }
            })
            .collect();
        Summary { plain: mean(&plain), steps }
    }
}

impl Summary {
    fn total(&self) -> f64 {
        self.steps.iter().map(|share| share.time).sum()
    }
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 runs")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn report(variants: &[Summary], cost: f64, rounds: u32) -> String {
    let mut text = String::from("# One start of `/bin/true`, step by step\n\n");
    let names = VARIANTS.map(|(name, _)| name);
    let _ = writeln!(text, "| step, µs (share; system calls, page faults) | {} |", names.join(" | "));
    let _ = writeln!(text, "|---|{}", "---|".repeat(names.len()));
    for (index, Step { name, .. }) in STEPS.iter().enumerate() {
        let cells = variants.iter().map(|variant| match variant.steps.get(index) {
            Some(Share { time, calls, faults, events }) if *events > 0.0 => {
                let percent = 100.0 * time / variant.total();
                format!("{time:.0} ({percent:.0} %; {calls:.0}, {faults:.0})")
            }
            _ => String::new(),
        });
        let _ = writeln!(text, "| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    let row = |name: &str, cell: &dyn Fn(&Summary) -> String| {
        format!("| {name} | {} |\n", variants.iter().map(cell).collect::<Vec<_>>().join(" | "))
    };
    text += &row("**sum**", &|variant| format!("**{:.0}**", variant.total()));
    let bare = variants.first().map_or(f64::NAN, |bare| bare.plain);
    text += &row("without a trace", &|variant| format!("{:.0} ({:.2} × bare)", variant.plain, variant.plain / bare));
    let _ = writeln!(
        text,
        "\nMeans over the faster half of {rounds} runs of each variant, interleaved, from the kernel's trace of system \
         calls and page faults (tracefs). Recording takes {cost:.2} µs an event, which is taken off; what it costs by \
         crowding the caches is not. *sum* begins where the first program is executed, *without a trace* (by the caller's \
         clock) before the process for it is made. The helper runs beside all this, on another processor where one is idle."
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(plain: &[f64], traced: &[f64]) -> Runs {
        let run = |time: &f64| {
            let mut steps = vec![Share::default(); STEPS.len()];
            steps[0] = Share { time: *time, calls: 2.0, faults: 1.0, events: 5.0 };
            steps
        };
        Runs { plain: plain.to_vec(), traced: traced.iter().map(run).collect() }
    }

    #[test]
    fn the_faster_half_counts_without_the_cost_of_recording() {
        let summary = runs(&[900.0, 100.0, 300.0, 100.0], &[130.0, 5000.0, 110.0, 120.0]).summary(3.0);
        assert!((summary.plain - 100.0).abs() < 1e-9, "{summary:?}");
        assert!((summary.total() - 100.0).abs() < 1e-9, "115 µs traced, 5 events of 3 µs: {summary:?}");
    }

    #[test]
    fn every_variant_has_its_column() {
        let summaries: Vec<_> = VARIANTS.iter().map(|_| runs(&[100.0], &[110.0]).summary(2.0)).collect();
        let text = report(&summaries, 2.0, 1);
        let first = text.lines().find(|line| line.starts_with(&format!("| {}", STEPS[0].name))).expect("a row");
        assert_eq!(first.matches("100 (100 %; 2, 1)").count(), VARIANTS.len(), "{text}");
    }
}

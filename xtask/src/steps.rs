//! A run of steps with their times, and the summary at its end.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, bail};

use crate::interrupt::Interrupt;

/// What became of a step.
#[derive(Debug)]
#[must_use]
enum Outcome {
    Passed,
    Failed(Error),
    /// An earlier step failed.
    NotRun,
}

#[derive(Debug)]
struct Step {
    name: &'static str,
    took: Duration,
    outcome: Outcome,
}

/// Steps in the order they were given.
#[derive(Debug)]
pub(crate) struct Steps<'a> {
    steps: Vec<Step>,
    interrupt: &'a Interrupt,
}

impl<'a> Steps<'a> {
    /// None yet. After an interrupt no further step begins.
    pub(crate) fn new(interrupt: &'a Interrupt) -> Self {
        Self { steps: Vec::new(), interrupt }
    }

    /// Runs the step unless an earlier one failed.
    pub(crate) fn run(&mut self, name: &'static str, step: impl FnOnce() -> Result<()>) {
        if self.failed() {
            self.steps.push(Step { name, took: Duration::ZERO, outcome: Outcome::NotRun });
        } else {
            let interrupt = self.interrupt;
            self.always(name, || interrupt.check().and_then(|()| step()));
        }
    }

    /// Runs the step in any case: for what must be cleaned up.
    pub(crate) fn always(&mut self, name: &'static str, step: impl FnOnce() -> Result<()>) {
        eprintln!("\n── {name}");
        let start = Instant::now();
        let outcome = match step() {
            Ok(()) => Outcome::Passed,
            Err(error) => {
                eprintln!("xtask: {name}: {error:#}");
                Outcome::Failed(error)
            }
        };
        self.steps.push(Step { name, took: start.elapsed(), outcome });
    }

    /// Whether a step has failed.
    pub(crate) fn failed(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.outcome, Outcome::Failed(_)))
    }

    /// Prints the summary; an error when a step failed.
    pub(crate) fn finish(self) -> Result<()> {
        println!("\n{}", self.summary());
        let count = self.steps.iter().filter(|step| !matches!(step.outcome, Outcome::Passed)).count();
        if count == 0 { Ok(()) } else { bail!("{count} of {} steps failed or were not run", self.steps.len()) }
    }

    fn summary(&self) -> String {
        let width = self.steps.iter().map(|step| step.name.chars().count()).max().unwrap_or(0);
        let mut text = String::new();
        for step in &self.steps {
            let (verdict, reason) = match &step.outcome {
                Outcome::Passed => ("ok", String::new()),
                Outcome::Failed(error) => ("FAILED", format!("  {}", first_line(error))),
                Outcome::NotRun => ("not run", String::new()),
            };
            let seconds = step.took.as_secs_f64();
            let name = step.name;
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{name:width$}  {seconds:>7.1} s  {verdict}{reason}");
        }
        text
    }
}

fn first_line(error: &Error) -> String {
    format!("{error:#}").lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_runs_after_a_failure_but_the_cleaning_up() {
        let mut ran = Vec::new();
        let interrupt = Interrupt::never();
        let mut steps = Steps::new(&interrupt);
        steps.run("first", || Ok(()));
        steps.run("second", || bail!("broken\nat length"));
        steps.run("third", || {
            ran.push("third");
            Ok(())
        });
        steps.always("clean up", || {
            ran.push("clean up");
            Ok(())
        });
        assert_eq!(ran, ["clean up"]);
        let summary = steps.summary();
        let lines: Vec<&str> = summary.lines().collect();
        assert!(lines[0].starts_with("first ") && lines[0].ends_with(" ok"), "{summary}");
        assert!(lines[1].ends_with("FAILED  broken"), "{summary}");
        assert!(lines[2].ends_with("not run"), "{summary}");
        assert!(lines[3].ends_with(" ok"), "{summary}");
        assert!(steps.finish().is_err());
    }

    #[test]
    fn all_well_is_no_error() {
        let interrupt = Interrupt::never();
        let mut steps = Steps::new(&interrupt);
        steps.run("only", || Ok(()));
        assert!(!steps.failed());
        assert!(steps.finish().is_ok());
    }
}

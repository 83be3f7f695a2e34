//! What a variant's library costs every process.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use anyhow::{Context, Result, ensure};

use super::probe::Probe;
use super::series::Series;
use super::table::{Row, Table, number};
use super::variant::{PRELOAD_ONLY, Setup, Variant};

/// The table the figures look at.
pub(crate) const KEY: &str = "memory";
const NOWHERE: &str = "203.0.113.5:80";

/// Private memory of the library's mappings after one connect, alone and beside another process that has it mapped.
pub(super) fn measure(setup: &Setup, probe: &Probe) -> Result<Table> {
    let mut rows = Vec::new();
    for variant in setup.complete().filter(|variant| variant.name != PRELOAD_ONLY) {
        let Some(library) = variant.library else { continue };
        let alone = Private::of(probe, variant, library)?;
        let other = Other::start(probe, variant)?;
        let beside = Private::of(probe, variant, library)?;
        other.end()?;
        rows.push(Row {
            name: variant.name,
            series: Series(vec![beside.dirty + beside.clean]),
            extra: vec![number(alone.dirty), number(alone.clean)],
        });
    }
    Ok(Table {
        key: KEY,
        title: "Private memory of the library's mappings, after one connect".to_owned(),
        unit: "KiB",
        base: "uwt",
        extra: vec!["alone: dirty", "alone: clean"],
        rows,
        notes: vec![
            "Private_Dirty + Private_Clean of `/proc/self/smaps` while a second process has the library mapped: what each \
             further process costs. *alone*: the only process with it; the file's unwritten pages (clean) then count as \
             its own, although they are the page cache's and shared as soon as a second one starts."
                .to_owned(),
        ],
    })
}

struct Private {
    dirty: f64,
    clean: f64,
}

impl Private {
    fn of(probe: &Probe, variant: &Variant, library: &str) -> Result<Self> {
        let numbers = probe.run(variant, &["memory", NOWHERE, library])?;
        let [dirty, clean] = numbers[..] else {
            anyhow::bail!("{}: the probe printed {} numbers, not 2", variant.name, numbers.len())
        };
        ensure!(dirty > 0.0, "{}: {library} is not mapped into the probe", variant.name);
        Ok(Self { dirty, clean })
    }
}

/// A process under the variant that has connected once and waits.
struct Other {
    child: Child,
    /// Kept open: the probe says good-bye.
    stdout: Option<BufReader<ChildStdout>>,
}

impl Other {
    fn start(probe: &Probe, variant: &Variant) -> Result<Self> {
        let child = variant
            .command(&probe.program)
            .args(["hold", NOWHERE])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context(variant.name)?;
        let mut other = Self { child, stdout: None };
        let stdout = other.child.stdout.take().context("stdout is a pipe")?;
        let mut line = String::new();
        let mut reader = BufReader::new(stdout);
        reader.read_line(&mut line)?;
        other.stdout = Some(reader);
        ensure!(line.trim() == "0", "{}: the waiting probe printed {line:?}", variant.name);
        Ok(other)
    }

    fn end(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        let status = self.child.wait()?;
        ensure!(status.success(), "the waiting probe: {status}");
        Ok(())
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // After `end` it is gone already.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

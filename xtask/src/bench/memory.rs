//! What a variant's library costs every process.

use anyhow::{Context, Result, ensure};

use super::holding::Holding;
use super::series::Series;
use super::table::{Row, Table, number};
use super::tools::Tool;
use super::variant::{PROXYCHAINS, TORSOCKS, UWT_OFF, Variant};
use super::way::{Course, How, NOWHERE};

/// The table the figures look at.
pub(crate) const KEY: &str = "memory";

/// Private memory of the library's mappings after one connect, alone and beside another process that has it mapped.
pub(super) fn measure(course: &Course<'_>) -> Result<Table> {
    let probe = &course.tools.hooked;
    let mut rows = Vec::new();
    for name in [UWT_OFF, TORSOCKS, PROXYCHAINS] {
        let variant = course.setup.variant(name)?;
        let library = variant.library.with_context(|| format!("{name} has no library"))?;
        let alone = Private::of(probe, variant, library)?;
        let mut other = Holding::start(probe, variant, How::Connect)?;
        other.have(1)?;
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
        base: UWT_OFF,
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
    fn of(probe: &Tool, variant: &Variant, library: &str) -> Result<Self> {
        let arguments = ["memory".to_owned(), How::Connect.to(NOWHERE, None), library.to_owned()];
        let numbers = probe.run(variant, &arguments)?;
        let [dirty, clean] = numbers[..] else {
            anyhow::bail!("{}: the probe printed {} numbers, not 2", variant.name, numbers.len())
        };
        ensure!(dirty > 0.0, "{}: {library} is not mapped into the probe", variant.name);
        Ok(Self { dirty, clean })
    }
}

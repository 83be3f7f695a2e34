//! What the helper occupies.

use anyhow::Result;
use indicatif::ProgressIterator;

use super::holding::Holding;
use super::processes::{Adoption, HELPER, OUTSIDER, child, size};
use super::series::Series;
use super::table::{Row, Table, number};
use super::variant::UWT_TUNNEL;
use super::way::{Course, How, progress};

/// The table the figures look at; its rows are the names of the processes.
pub(crate) const KEY: &str = "helper";

/// Connections that the helper carries meanwhile.
const CONNECTIONS: u16 = 400;

/// Resident memory with connections through the cage.
pub(super) fn measure(course: &Course<'_>) -> Result<Table> {
    let names = [HELPER, OUTSIDER];
    let mut resident = [Series::default(), Series::default()];
    let mut proportional = resident.clone();
    for _ in (0..course.rounds).progress_with(progress("helper", course.rounds)) {
        course.interrupt.check()?;
        let adoption = Adoption::begin()?;
        let variant = course.setup.variant(UWT_TUNNEL)?;
        let mut holding = Holding::start(&course.tools.unhooked, variant, How::Connect)?;
        holding.have(CONNECTIONS)?;
        let helper = adoption.helper()?;
        for (index, pid) in [helper, child(helper, OUTSIDER)?].into_iter().enumerate() {
            resident[index].0.push(size(pid, "status", "VmRSS:")?);
            // The processes of an ordinary user are closed to that user too.
            proportional[index].0.extend(size(pid, "smaps_rollup", "Pss:").ok());
        }
        holding.end()?;
        adoption.reap()?;
    }
    let rows = names.iter().zip(resident.into_iter().zip(proportional));
    Ok(Table {
        key: KEY,
        title: format!("Resident memory of the helper while it carries {CONNECTIONS} connections of the cage"),
        unit: "KiB",
        base: HELPER,
        extra: vec!["of it its own"],
        rows: rows.map(|(name, (series, own))| Row { name, series, extra: vec![number(own.median())] }).collect(),
        notes: vec![
            "VmRSS of `/proc/PID/status`, and the proportional set size: what both share counts half. The kernel's \
             buffers of the connections are in neither."
                .to_owned(),
        ],
    })
}

//! How the helper grows with its connections, and whether it stays that way.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use indicatif::ProgressIterator;
use plotters::prelude::*;

use super::gateway::Gateway;
use super::holding::Holding;
use super::pictures::{FONT, OURS, PEERS, Picture, on_scale};
use super::processes::{Adoption, SOON, size};
use super::series::Series;
use super::table::{Row, Table};
use super::variant::UWT_TUNNEL;
use super::way::{Course, How, progress};

/// The tables the figures look at.
pub(crate) const CAGE: &str = "growth-caged";
pub(crate) const RELAY: &str = "growth-relay";

/// Rows, and how many connections there are in each.
pub(crate) const STEPS: [(&str, u16); 8] = [
    (ONE, 1),
    ("500", 500),
    ("1,000", 1000),
    ("1,500", 1500),
    (MOST, 2000),
    (ONE_AFTER, 1),
    (MOST_AGAIN, 2000),
    (ONE_AGAIN, 1),
];
/// Steps before the first that has fewer connections than the one before it.
const GROWING: usize = 5;
pub(crate) const ONE: &str = "1";
pub(crate) const MOST: &str = "2,000";
pub(crate) const ONE_AFTER: &str = "1 after 2,000";
pub(crate) const MOST_AGAIN: &str = "2,000 again";
pub(crate) const ONE_AGAIN: &str = "1 again";

/// Resident memory of the helper, with connections of a static program.
pub(super) fn caged(course: &Course<'_>, gateway: &Gateway) -> Result<Table> {
    let title = "Growth of the helper with connections of the cage";
    measure((CAGE, title), course, gateway, How::Connect)
}

/// The same, with non-blocking connects of a dynamic program.
pub(super) fn relayed(course: &Course<'_>, gateway: &Gateway) -> Result<Table> {
    let title = "Growth of the helper with connections of the relay";
    measure((RELAY, title), course, gateway, How::Poll)
}

fn measure((key, title): (&'static str, &str), course: &Course<'_>, gateway: &Gateway, how: How) -> Result<Table> {
    let probe = if how == How::Poll { &course.tools.hooked } else { &course.tools.unhooked };
    let mut samples = vec![Series::default(); STEPS.len()];
    for _ in (0..course.rounds).progress_with(progress("growth", course.rounds)) {
        course.interrupt.check()?;
        let adoption = Adoption::begin()?;
        let idle = gateway.open_files()?;
        let mut holding = Holding::start(probe, course.setup.variant(UWT_TUNNEL)?, how)?;
        for ((_, connections), series) in STEPS.iter().zip(&mut samples) {
            holding.have(*connections)?;
            gateway_has(gateway, idle + usize::from(*connections))?;
            series.0.push(size(adoption.helper()?, "status", "VmRSS:")?);
        }
        holding.end()?;
        adoption.reap()?;
        gateway_has(gateway, idle)?;
    }
    let one = samples.first().map_or(f64::NAN, Series::median);
    let row = |((name, connections), series): (&(&'static str, u16), Series)| {
        let more = f64::from(connections.saturating_sub(1));
        let each = if more > 0.0 { format!("{:.2}", (series.median() - one) / more) } else { "–".to_owned() };
        Row { name, series, extra: vec![each] }
    };
    Ok(Table {
        key,
        title: title.to_owned(),
        unit: "KiB",
        base: ONE,
        extra: vec!["per connection"],
        rows: STEPS.iter().zip(samples).map(row).collect(),
        notes: vec![
            "VmRSS of one helper, which gets more connections from line to line, loses all but one, and gets and loses \
             them again. *per connection*: what each beyond the first adds."
                .to_owned(),
        ],
    })
}

/// Waits until the gateway has as many files open: the helper closes behind the program.
fn gateway_has(gateway: &Gateway, files: usize) -> Result<()> {
    let start = Instant::now();
    loop {
        let open = gateway.open_files()?;
        if open == files {
            return Ok(());
        }
        ensure!(start.elapsed() < SOON, "the gateway has {open} open files, not {files}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A line for each table, by the number of connections; what came after the first 2,000 as crosses, which shall lie on the
/// line's ends.
pub(super) fn lines(picture: &Picture, path: &Path, tables: &[&Table]) -> Result<()> {
    let all = tables.iter().flat_map(|table| &table.rows).map(|row| row.series.median());
    let end = all.fold(f64::MIN_POSITIVE, f64::max) * 1.1;
    let root = SVGBackend::new(path, (860, 420)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(picture.title(), (FONT, 18))
        .margin(10)
        .margin_right(24)
        .x_label_area_size(44)
        .y_label_area_size(70)
        .build_cartesian_2d(0.0..2100.0, 0.0..end)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_label_formatter(&|value| on_scale(*value))
        .y_label_formatter(&|value| on_scale(*value))
        .x_desc("connections")
        .y_desc("KiB")
        .label_style((FONT, 13))
        .draw()?;
    for ((heading, table), color) in picture.headings().zip(tables).zip([OURS, PEERS]) {
        let points: Vec<(f64, f64)> = STEPS
            .iter()
            .filter_map(|(name, connections)| Some((f64::from(*connections), table.median(name)?)))
            .collect();
        let (growing, later) = points.split_at(points.len().min(GROWING));
        chart
            .draw_series(LineSeries::new(growing.iter().copied(), color.stroke_width(2)).point_size(3))?
            .label(heading)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color.stroke_width(2)));
        chart
            .draw_series(later.iter().map(|point| Cross::new(*point, 6, color)))?
            .label(format!("{heading}, after 2,000 and 2,000 again"))
            .legend(move |(x, y)| Cross::new((x + 10, y), 6, color));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperMiddle)
        .label_font((FONT, 13))
        .background_style(WHITE)
        .draw()?;
    root.present().map_err(|error| anyhow!("{error}"))
}

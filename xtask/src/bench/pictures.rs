//! Which tables make a picture, and the bars.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use plotters::prelude::*;

use super::table::{Row, Table, number};
use super::variant::{BARE, PROXYCHAINS, TORSOCKS};
use super::way::{NATIVE, NATIVE_EARLY};
use super::{bulk, crowd, first_byte, growth, network, startup};

/// Tables that are shown in one picture.
#[derive(Debug)]
pub(super) struct Picture {
    /// The file, in the folder of the report.
    pub(super) file: &'static str,
    title: &'static str,
    /// Their keys, and what tells each from the others.
    parts: &'static [(&'static str, &'static str)],
    draw: fn(&Picture, &Path, &[&Table]) -> Result<()>,
}

/// All pictures. The tables of one have the same unit.
pub(super) const PICTURES: &[Picture] = &[
    Picture { file: "start-up.svg", title: "Start-up of /bin/true", parts: &[(startup::KEY, "")], draw: bars },
    Picture {
        file: "connects.svg",
        title: "One connect",
        parts: &[
            (network::CONNECTS, "blocking"),
            (network::POLLED_CONNECTS, "non-blocking"),
            (network::CAGED_CONNECTS, "static program"),
        ],
        draw: bars,
    },
    Picture {
        file: "names.svg",
        title: "Name and connect",
        parts: &[
            (network::NAMES[0].1, "gateway at 0 ms"),
            (network::NAMES[1].1, "gateway at 100 ms"),
            (network::NAMES[2].1, "gateway at 300 ms"),
        ],
        draw: bars,
    },
    Picture {
        file: "crowd.svg",
        title: "asyncio connections at the same time, gateway at 300 ms",
        parts: &[
            (crowd::FEW.0, "50 connections"),
            (crowd::MANY.0, "400 connections"),
            (crowd::THRONG.0, "2,000 connections"),
        ],
        draw: bars,
    },
    Picture {
        file: "first-byte.svg",
        title: "Name, connect and first byte, 300 ms away",
        parts: &[(first_byte::PROBE, "one byte"), (first_byte::CURL, "curl, a page")],
        draw: bars,
    },
    Picture {
        file: "bulk.svg",
        title: "Bulk",
        parts: &[(bulk::DOWN, "from the gateway"), (bulk::UP, "to the gateway")],
        draw: bars,
    },
    Picture {
        file: "processor-time.svg",
        title: "Processor time of a GiB, program and helper",
        parts: &[(bulk::CPU_DOWN, "from the gateway"), (bulk::CPU_UP, "to the gateway")],
        draw: bars,
    },
    Picture {
        file: "growth.svg",
        title: "Resident memory of the helper",
        parts: &[(growth::CAGE, "caged"), (growth::RELAY, "relay")],
        draw: growth::lines,
    },
];

const WIDTH: u32 = 860;
/// Of a bar and the space around it.
const SLOT: u32 = 24;
/// Of title and scale.
const AROUND: u32 = 96;
const NAMES_WIDTH: u32 = 210;
pub(super) const FONT: &str = "sans-serif";
pub(super) const OURS: RGBColor = RGBColor(44, 107, 173);
pub(super) const PEERS: RGBColor = RGBColor(205, 116, 41);
const FLOOR: RGBColor = RGBColor(150, 150, 150);

impl Picture {
    /// Whether it belongs in front of this table.
    pub(super) fn begins_with(&self, key: &str) -> bool {
        self.parts.first().is_some_and(|(first, _)| *first == key)
    }

    pub(super) fn title(&self) -> &str {
        self.title
    }

    /// Draws it into its file; not when one of its tables is missing.
    pub(super) fn draw(&self, directory: &Path, tables: &[Table]) -> Result<bool> {
        let found = |(key, _): &(&str, &str)| tables.iter().find(|table| table.key == *key);
        let Some(tables) = self.parts.iter().map(found).collect::<Option<Vec<_>>>() else { return Ok(false) };
        (self.draw)(self, &directory.join(self.file), &tables).with_context(|| self.file)?;
        Ok(true)
    }

    /// What tells a table from the others, in their order.
    pub(super) fn headings(&self) -> impl Iterator<Item = &'static str> {
        self.parts.iter().map(|(_, heading)| *heading)
    }
}

/// One line of a picture.
enum Line<'a> {
    Heading(&'a str),
    Bar(&'a Row),
}

/// Bars from left to right, the first table on top; a thin line from the tenth to the ninetieth percentile.
fn bars(picture: &Picture, path: &Path, tables: &[&Table]) -> Result<()> {
    let mut lines = Vec::new();
    for (heading, table) in picture.headings().zip(tables) {
        lines.extend((!heading.is_empty()).then_some(Line::Heading(heading)));
        lines.extend(table.rows.iter().map(Line::Bar));
    }
    // The scale counts upwards.
    lines.reverse();
    let count = u32::try_from(lines.len())?;
    let ends = tables.iter().flat_map(|table| &table.rows).map(|row| row.series.median().max(row.series.quantile(0.9)));
    // Room for the number behind the longest bar.
    let end = ends.fold(f64::MIN_POSITIVE, f64::max) * 1.12;
    let unit = tables.first().map_or("", |table| table.unit);

    let root = SVGBackend::new(path, (WIDTH, AROUND + SLOT * count)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(picture.title, (FONT, 18))
        .margin(10)
        .margin_right(24)
        .x_label_area_size(44)
        .y_label_area_size(NAMES_WIDTH)
        .build_cartesian_2d(0.0..end, (0..count.saturating_sub(1)).into_segmented())?;
    let name = |value: &SegmentValue<u32>| match value {
        SegmentValue::CenterOf(index) => match lines.get(*index as usize) {
            Some(Line::Bar(row)) => row.name.to_owned(),
            _ => String::new(),
        },
        SegmentValue::Exact(_) | SegmentValue::Last => String::new(),
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .light_line_style(TRANSPARENT)
        .y_labels(lines.len())
        .y_label_formatter(&name)
        .x_label_formatter(&|value| on_scale(*value))
        .x_desc(unit)
        .label_style((FONT, 13))
        .draw()?;
    for (index, line) in (0..count).zip(&lines) {
        let middle = SegmentValue::CenterOf(index);
        let row = match line {
            Line::Bar(row) => row,
            Line::Heading(text) => {
                let text = Text::new((*text).to_owned(), (6, -5), (FONT, 14).into_font().style(FontStyle::Bold));
                chart.draw_series([EmptyElement::at((0.0, middle)) + text])?;
                continue;
            }
        };
        let median = row.series.median();
        let color = color(row.name);
        let mut bar = Rectangle::new(
            [(0.0, SegmentValue::Exact(index)), (median, SegmentValue::Exact(index + 1))],
            color.filled(),
        );
        bar.set_margin(4, 4, 0, 0);
        chart.draw_series([bar])?;
        let (low, high) = (row.series.quantile(0.1), row.series.quantile(0.9));
        chart.draw_series([PathElement::new(vec![(low, middle.clone()), (high, middle.clone())], BLACK.mix(0.6))])?;
        let label = Text::new(number(median), (6, -7), (FONT, 13));
        chart.draw_series([EmptyElement::at((median.max(high), middle)) + label])?;
    }
    root.present().map_err(|error| anyhow!("{error}"))
}

/// A number of a scale: it has as few digits as the scale has steps, whatever its last bit says.
pub(super) fn on_scale(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn color(name: &str) -> RGBColor {
    match name {
        BARE | NATIVE | NATIVE_EARLY => FLOOR,
        TORSOCKS | PROXYCHAINS => PEERS,
        _ => OURS,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::series::Series;
    use super::*;

    fn table(key: &'static str, rows: &[(&'static str, f64)]) -> Table {
        let row = |(name, value): &(&'static str, f64)| Row { name, series: Series(vec![*value]), extra: Vec::new() };
        Table {
            key,
            title: String::new(),
            unit: "ms",
            base: NATIVE,
            extra: Vec::new(),
            rows: rows.iter().map(row).collect(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn scales_are_round() {
        assert_eq!([0.0, 0.1 + 0.2, 2.5, 600.0, 15000.0].map(on_scale), ["0", "0.3", "2.5", "600", "15000"]);
    }

    #[test]
    fn a_picture_names_what_it_shows() {
        let tables: Vec<Table> = PICTURES
            .iter()
            .flat_map(|picture| picture.parts)
            .map(|(key, _)| {
                let growth = growth::STEPS.map(|(name, connections)| (name, 2000.0 + f64::from(connections)));
                let bars = [(NATIVE, 301.5), (TORSOCKS, 15123.0)];
                table(key, if key.starts_with("growth") { &growth } else { &bars })
            })
            .collect();
        let directory = tempfile::tempdir().expect("a directory");
        for picture in PICTURES {
            assert!(picture.draw(directory.path(), &tables).expect("drawn"), "{}", picture.file);
            let text = fs::read_to_string(directory.path().join(picture.file)).expect("there");
            let words = picture.headings().chain([picture.title, "</svg>"]);
            for word in words {
                assert!(text.contains(word), "{}: {word}", picture.file);
            }
            let bars = ["15123", "302", NATIVE, TORSOCKS].iter().all(|word| text.contains(word));
            assert!(bars || picture.file == "growth.svg", "{text}");
            assert!(!picture.draw(directory.path(), &[]).expect("nothing to draw"));
        }
    }
}

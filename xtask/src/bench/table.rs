//! The results of one measurement, variant by variant.

use super::series::Series;
use super::variant::TORSOCKS;

/// One measurement.
#[derive(Debug)]
pub(crate) struct Table {
    /// Short and unique; the figures find their table by it.
    pub(crate) key: &'static str,
    pub(crate) title: String,
    /// What the samples count.
    pub(crate) unit: &'static str,
    /// The row that ratios are taken to, besides torsocks' where it has one.
    pub(crate) base: &'static str,
    /// Headers of the rows' further columns.
    pub(crate) extra: Vec<&'static str>,
    pub(crate) rows: Vec<Row>,
    /// What one must know to read it.
    pub(crate) notes: Vec<String>,
}

/// One variant.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) series: Series,
    pub(crate) extra: Vec<String>,
}

impl Table {
    /// The median of a variant's samples.
    pub(crate) fn median(&self, name: &str) -> Option<f64> {
        self.rows.iter().find(|row| row.name == name).map(|row| row.series.median())
    }

    /// The rows that ratios are taken to.
    fn references(&self) -> impl Iterator<Item = &'static str> {
        let torsocks = self.rows.iter().map(|row| row.name).find(|name| *name == TORSOCKS && *name != self.base);
        std::iter::once(self.base).chain(torsocks)
    }

    /// The headers of all columns.
    pub(crate) fn header(&self) -> Vec<String> {
        let mut header: Vec<String> =
            ["variant", "median", "p10", "p90"].iter().map(|word| (*word).to_owned()).collect();
        header.extend(self.references().map(|name| format!("× {name}")));
        header.extend(self.extra.iter().map(|word| (*word).to_owned()));
        header
    }

    /// The cells of all rows.
    pub(crate) fn cells(&self) -> Vec<Vec<String>> {
        self.rows
            .iter()
            .map(|row| {
                let median = row.series.median();
                let mut cells = vec![row.name.to_owned()];
                cells.extend([median, row.series.quantile(0.1), row.series.quantile(0.9)].map(number));
                cells.extend(self.references().map(|name| ratio(median, self.median(name))));
                cells.extend(row.extra.iter().cloned());
                cells
            })
            .collect()
    }
}

/// Three figures or so.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn ratio(value: f64, to: Option<f64>) -> String {
    to.map_or_else(|| "–".to_owned(), |to| format!("{:.2}", value / to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_those_of_the_medians() {
        let row = |name, samples: &[f64]| Row { name, series: Series(samples.to_vec()), extra: Vec::new() };
        let table = Table {
            key: "k",
            title: String::new(),
            unit: "µs",
            base: "bare",
            extra: Vec::new(),
            rows: vec![row("bare", &[100.0, 100.0, 900.0]), row("uwt", &[150.0])],
            notes: Vec::new(),
        };
        assert_eq!(table.cells()[1], ["uwt", "150", "150", "150", "1.50"]);
        assert_eq!(table.header().len(), table.cells()[0].len());
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([1234.5, 61.23, 0.3051].map(number), ["1234", "61.2", "0.31"]);
    }
}

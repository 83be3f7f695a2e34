//! A row of measurements of one thing.

/// Samples in the unit of their table, in the order they were taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series(pub(crate) Vec<f64>);

impl Series {
    /// The middle sample; NaN without any.
    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The value below which this share of the samples lies, interpolated; NaN without any.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
        // As many samples as a bench takes are exact in an f64, and the position lies between 0 and the last.
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 samples")]
        let position = share.clamp(0.0, 1.0) * last as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the last index")]
        let below = position.floor() as usize;
        let above = (below + 1).min(last);
        sorted[below] + (sorted[above] - sorted[below]) * position.fract()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_sorted_samples() {
        let series = Series(vec![30.0, 10.0, 20.0, 50.0, 40.0]);
        assert!((series.median() - 30.0).abs() < 1e-9);
        assert!((series.quantile(0.1) - 14.0).abs() < 1e-9);
        assert!((series.quantile(1.0) - 50.0).abs() < 1e-9);
        assert!((Series(vec![1.0, 2.0]).median() - 1.5).abs() < 1e-9);
        assert!(Series::default().median().is_nan());
    }
}

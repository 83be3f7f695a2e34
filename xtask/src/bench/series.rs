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

/// The order of a round: another one begins each time, and each runs behind each other one equally often as far as the
/// count allows (a step that has no common divisor with it): what ran before warms the caches or cools them.
pub(crate) fn order(round: usize, count: usize) -> impl Iterator<Item = usize> {
    let strides: Vec<usize> = (1..count.max(2)).filter(|stride| common_divisor(*stride, count) == 1).collect();
    let stride = strides[round / count.max(1) % strides.len()];
    (0..count).map(move |step| (round + step * stride) % count)
}

fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_runs_once_a_round_and_behind_everyone() {
        let mut behind = std::collections::BTreeMap::new();
        for round in 0..40 {
            let order: Vec<usize> = order(round, 5).collect();
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4]);
            for pair in order.windows(2) {
                *behind.entry((pair[0], pair[1])).or_insert(0) += 1;
            }
        }
        assert_eq!(behind.len(), 20);
        assert!(behind.values().all(|times| *times == 8), "{behind:?}");
        assert_eq!(order(3, 1).collect::<Vec<_>>(), [0]);
    }

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

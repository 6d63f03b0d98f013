//! A histogram as a process tells it: how many values were not above each of some bounds.

use super::Metrics;

/// What several processes tell together.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Histogram {
    pub(crate) count: f64,
    sum: f64,
    /// Bounds in their order, and how many values were not above.
    buckets: Vec<(f64, f64)>,
}

impl Histogram {
    /// The one of this name whose labels, as they are written, are wanted.
    pub(crate) fn told(metrics: &Metrics, name: &str, wanted: impl Fn(&str) -> bool) -> Self {
        let bucket = format!("{name}_bucket");
        let buckets = metrics.series(&bucket).filter(|(labels, _)| wanted(labels));
        Self {
            count: metrics.sum(&format!("{name}_count"), &wanted),
            sum: metrics.sum(&format!("{name}_sum"), &wanted),
            buckets: buckets
                .filter_map(|(labels, below)| Some((bound(labels)?, below)))
                .collect(),
        }
    }

    /// With that of a process that has the same bounds.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self.buckets.is_empty(), other.buckets.is_empty()) {
            (true, _) => other,
            (_, true) => self,
            _ => self.with(&other, |own, other| own + other),
        }
    }

    /// What was added since an earlier moment.
    pub(crate) fn since(self, before: &Self) -> Self {
        match before.buckets.is_empty() {
            true => self,
            false => self.with(before, |own, before| own - before),
        }
    }

    fn with(mut self, other: &Self, both: fn(f64, f64) -> f64) -> Self {
        self.count = both(self.count, other.count);
        self.sum = both(self.sum, other.sum);
        for (own, other) in self.buckets.iter_mut().zip(&other.buckets) {
            own.1 = both(own.1, other.1);
        }
        self
    }

    /// The mean.
    pub(crate) fn mean(&self) -> f64 {
        self.sum / self.count
    }

    /// The median, as if values were spread evenly between two bounds. Above the highest it is that one.
    pub(crate) fn median(&self) -> f64 {
        let half = self.count / 2.0;
        let (mut low, mut before) = (0.0, 0.0);
        for (bound, below) in &self.buckets {
            if *below >= half && bound.is_finite() && *below > before {
                return low + (bound - low) * (half - before) / (below - before);
            }
            if bound.is_finite() {
                (low, before) = (*bound, *below);
            }
        }
        low
    }
}

/// The upper bound of a bucket, from its labels.
fn bound(labels: &str) -> Option<f64> {
    let (_, rest) = labels.rsplit_once("le=\"")?;
    rest.split('"').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::told;

    fn calls(below: [u32; 4], sum: f64) -> Histogram {
        let [one, two, five, all] = below;
        let told = told(&format!(
            "calls_bucket{{call=\"a\",le=\"1\"}} {one}\n\
            calls_bucket{{call=\"a\",le=\"2\"}} {two}\n\
            calls_bucket{{call=\"a\",le=\"5\"}} {five}\n\
            calls_bucket{{call=\"a\",le=\"+Inf\"}} {all}\n\
            calls_bucket{{call=\"b\",le=\"1\"}} 77\n\
            calls_sum{{call=\"a\"}} {sum}\n\
            calls_count{{call=\"a\"}} {all}\n"
        ));
        Histogram::told(&told, "calls", |labels| labels.contains("\"a\""))
    }

    #[test]
    fn the_median_lies_between_two_bounds_and_a_few_long_values_do_not_move_it() {
        let few_are_long = calls([0, 8, 8, 10], 100.0);
        assert!((few_are_long.median() - 1.625).abs() < 1e-9);
        assert!((few_are_long.mean() - 10.0).abs() < 1e-9);
        assert!((calls([0, 0, 0, 10], 100.0).median() - 5.0).abs() < 1e-9);
    }

    #[test]
    fn processes_are_added_and_what_was_before_is_not_counted() {
        let (one, other) = (calls([1, 2, 3, 4], 9.0), calls([1, 1, 1, 1], 0.5));
        let both = calls([2, 3, 4, 5], 9.5);
        assert_eq!(
            Histogram::default().and(one.clone()).and(other.clone()),
            both
        );
        assert_eq!(both.since(&other), one);
    }
}

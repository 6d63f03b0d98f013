//! Latencies: gathered in a histogram of three significant digits, told as quantiles in milliseconds.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Nothing that is measured here takes longer than this, in microseconds; what does counts as this.
const MOST: u64 = 600_000_000;

/// Latencies as they come in.
#[derive(Debug, Clone)]
pub(crate) struct Latencies(Option<Histogram<u64>>);

/// What is told of them, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Quantiles {
    /// How many were measured.
    pub(crate) count: u64,
    /// Half were not above this.
    pub(crate) p50: f64,
    /// Nine of ten were not.
    pub(crate) p90: f64,
    /// 99 of 100 were not.
    pub(crate) p99: f64,
    /// 999 of 1,000 were not.
    pub(crate) p999: f64,
    /// The longest.
    pub(crate) max: f64,
}

impl Latencies {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self(Histogram::new_with_bounds(1, MOST, 3).ok())
    }

    /// One more.
    pub(crate) fn add(&mut self, latency: Duration) {
        if let Some(histogram) = &mut self.0 {
            let micros = u64::try_from(latency.as_micros()).unwrap_or(MOST);
            histogram.saturating_record(micros.max(1));
        }
    }

    /// Those of another, too.
    pub(crate) fn merge(&mut self, other: &Self) {
        if let (Some(own), Some(other)) = (&mut self.0, &other.0) {
            // Both have the same bounds, so nothing is out of range.
            let _ = own.add(other);
        }
    }

    /// A quantile, in milliseconds.
    pub(crate) fn at(&self, quantile: f64) -> f64 {
        self.0.as_ref().map_or(0.0, |histogram| {
            histogram.value_at_quantile(quantile) as f64 / 1e3
        })
    }

    /// What is told of them.
    pub(crate) fn quantiles(&self) -> Quantiles {
        Quantiles {
            count: self.0.as_ref().map_or(0, Histogram::len),
            p50: self.at(0.5),
            p90: self.at(0.9),
            p99: self.at(0.99),
            p999: self.at(0.999),
            max: self.at(1.0),
        }
    }
}

impl FromIterator<Duration> for Latencies {
    fn from_iter<I: IntoIterator<Item = Duration>>(all: I) -> Self {
        let mut latencies = Self::new();
        all.into_iter().for_each(|latency| latencies.add(latency));
        latencies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_exact_to_three_digits() {
        let all: Latencies = (1..=1_000).map(Duration::from_millis).collect();
        let Quantiles {
            count,
            p50,
            p90,
            p99,
            p999,
            max,
        } = all.quantiles();
        assert_eq!(count, 1_000);
        for (found, expected) in [
            (p50, 500.0),
            (p90, 900.0),
            (p99, 990.0),
            (p999, 999.0),
            (max, 1_000.0),
        ] {
            assert!(
                (found / expected - 1.0_f64).abs() < 0.002,
                "{found} {expected}"
            );
        }
    }

    #[test]
    fn what_takes_for_ever_counts_as_the_most() {
        let all: Latencies = [Duration::from_secs(1_000_000)].into_iter().collect();
        assert!((all.at(0.5) / 600_000.0 - 1.0).abs() < 0.002);
    }

    #[test]
    fn merged_latencies_are_those_of_both() {
        let mut low: Latencies = [Duration::from_millis(1)].into_iter().collect();
        let high: Latencies = [Duration::from_millis(9)].into_iter().collect();
        low.merge(&high);
        assert_eq!(low.quantiles().count, 2);
        assert!((low.at(1.0) - 9.0).abs() < 0.02);
    }

    #[test]
    fn nothing_measured_is_nothing() {
        assert_eq!(Latencies::new().quantiles(), Quantiles::default());
    }
}

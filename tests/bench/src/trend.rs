//! Whether a series of samples grows: the slope of a line through them, and how sure that is.

use serde::Serialize;

/// A growth below this part of the mean, over the whole series, is no growth, however sure it is.
const NOTEWORTHY: f64 = 0.2;
/// So many standard errors above zero is more than noise.
const SURE: f64 = 3.0;

/// A line through samples, by least squares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Trend {
    /// The mean of the samples.
    pub(crate) mean: f64,
    /// What is added per second.
    pub(crate) slope: f64,
    /// The standard error of the slope.
    pub(crate) error: f64,
    /// From the first sample to the last, in seconds.
    pub(crate) span: f64,
}

impl Trend {
    /// The line through samples of (second, value).
    pub(crate) fn of(samples: &[(f64, f64)]) -> Self {
        let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
            return Self::default();
        };
        let count = samples.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| samples.iter().map(of).sum::<f64>() / count;
        let (middle, level) = (mean(|sample| sample.0), mean(|sample| sample.1));
        let spread: f64 = samples.iter().map(|(at, _)| (at - middle).powi(2)).sum();
        let together: f64 = samples
            .iter()
            .map(|(at, value)| (at - middle) * (value - level))
            .sum();
        let slope = if spread > 0.0 { together / spread } else { 0.0 };
        let left: f64 = samples
            .iter()
            .map(|(at, value)| (value - level - slope * (at - middle)).powi(2))
            .sum();
        let error = if count > 2.0 && spread > 0.0 {
            (left / (count - 2.0) / spread).sqrt()
        } else {
            0.0
        };
        Self {
            mean: level,
            slope,
            error,
            span: last.0 - first.0,
        }
    }

    /// Whether it grows beyond noise.
    pub(crate) fn grows(&self) -> bool {
        self.grows_by(0.0)
    }

    /// Whether it grows beyond noise, and by more than that in all.
    pub(crate) fn grows_by(&self, least: f64) -> bool {
        let growth = self.slope * self.span;
        self.slope > SURE * self.error && growth > (NOTEWORTHY * self.mean).max(least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value for each of a hundred seconds, with noise that is the same in every run.
    fn samples(value: impl Fn(f64) -> f64, noise: f64) -> Vec<(f64, f64)> {
        let mut dice = fastrand::Rng::with_seed(7);
        (0..100)
            .map(f64::from)
            .map(|at| (at, value(at) + noise * (dice.f64() - 0.5)))
            .collect()
    }

    #[test]
    fn a_line_has_its_slope_and_no_error() {
        let trend = Trend::of(&samples(|at| 5.0 + 2.0 * at, 0.0));
        assert!((trend.slope - 2.0).abs() < 1e-9 && trend.error < 1e-9);
        assert!((trend.span - 99.0).abs() < 1e-9);
        assert!(trend.grows());
    }

    #[test]
    fn noise_does_not_grow() {
        assert!(!Trend::of(&samples(|_| 1_000.0, 900.0)).grows());
    }

    #[test]
    fn growth_is_seen_through_noise() {
        assert!(Trend::of(&samples(|at| 100.0 + 20.0 * at, 900.0)).grows());
    }

    #[test]
    fn what_shrinks_and_what_creeps_does_not_grow() {
        assert!(!Trend::of(&samples(|at| 1_000.0 - at, 10.0)).grows());
        assert!(!Trend::of(&samples(|at| 1_000.0 + 0.1 * at, 1.0)).grows());
    }

    #[test]
    fn what_grows_by_little_does_not_grow_by_much() {
        let trend = Trend::of(&samples(|at| 5.0 + 2.0 * at, 1.0));
        assert!(trend.grows_by(150.0) && !trend.grows_by(250.0));
    }

    #[test]
    fn no_samples_and_one_sample_have_no_slope() {
        assert!(!Trend::of(&[]).grows());
        assert!(!Trend::of(&[(1.0, 5.0)]).grows());
    }
}

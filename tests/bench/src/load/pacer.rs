//! When orders arrive: a seed decides gaps that are distributed exponentially, as those between independent people are.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use fastrand::Rng;
use tokio::sync::mpsc::UnboundedSender;

use super::Offer;

/// An order that is due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) number: u64,
    pub(crate) due: Instant,
}

/// Moments at which orders arrive, counted from the beginning; bounded by the length of the offer.
pub(crate) fn moments(offer: &Offer) -> impl Iterator<Item = Duration> + use<> {
    let Offer {
        rate, length, seed, ..
    } = *offer;
    let mut dice = Rng::with_seed(seed);
    let mut at = 0.0;
    std::iter::from_fn(move || {
        at += -(1.0 - dice.f64()).ln() / rate;
        Some(Duration::from_secs_f64(at)).filter(|at| *at < length)
    })
}

/// Begins to send arrivals, until the offer ends or nobody takes them.
pub(super) fn start(offer: Offer, generator: UnboundedSender<Arrival>) -> anyhow::Result<()> {
    let pace = move || {
        let begin = Instant::now();
        for (number, at) in (0..).zip(moments(&offer)) {
            let due = begin + at;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if generator.send(Arrival { number, due }).is_err() {
                return;
            }
        }
    };
    thread::Builder::new()
        .name("pacer".to_owned())
        .spawn(pace)
        .map(drop)
        .context("no thread for the pacer")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Habits;

    fn offer(rate: f64, seconds: u64, seed: u64) -> Offer {
        Offer {
            rate,
            length: Duration::from_secs(seconds),
            seed,
            habits: Habits::default(),
        }
    }

    #[test]
    fn arrivals_are_as_many_as_the_rate_says_and_none_is_after_the_end() {
        let all: Vec<Duration> = moments(&offer(200.0, 100, 1)).collect();
        assert!((19_000..21_000).contains(&all.len()), "{}", all.len());
        assert!(all.is_sorted() && all.last() < Some(&Duration::from_secs(100)));
    }

    #[test]
    fn gaps_are_those_of_people_who_do_not_know_of_each_other() {
        let all: Vec<Duration> = moments(&offer(1.0, 100_000, 2)).collect();
        let gaps: Vec<f64> = all
            .windows(2)
            .map(|two| (two[1] - two[0]).as_secs_f64())
            .collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        // Exponential: the deviation is the mean.
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.05);
    }

    #[test]
    fn the_seed_decides_everything() {
        let all = |seed| moments(&offer(50.0, 10, seed)).collect::<Vec<_>>();
        assert_eq!(all(3), all(3));
        assert_ne!(all(3), all(4));
    }
}

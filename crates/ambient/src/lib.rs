//! The only doors to the clock and to randomness.
#![doc = include_str!("../README.md")]

pub mod trace;

use std::ops::RangeInclusive;

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

/// Decimal digits of a second that Postgres keeps in a `timestamptz`.
const POSTGRES_SUBSECOND_DIGITS: u16 = 6;

/// The time, cut to whole microseconds: what Postgres gives back equals what it was given.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one door to the clock"
)]
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(POSTGRES_SUBSECOND_DIGITS)
}

/// A fresh UUID v7. The ids of one process ascend in the order in which they were asked for.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one door to new ids")]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// A number from `range`, each as likely as the others: so that many who do the same again do not do it at the same time.
///
/// # Panics
/// The range is empty.
#[must_use]
pub fn any_of(range: RangeInclusive<u64>) -> u64 {
    fastrand::u64(range)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_time_has_no_part_that_postgres_would_drop() {
        assert_eq!(now().timestamp_subsec_nanos() % 1_000, 0);
    }

    #[test]
    fn every_number_of_a_range_comes_and_no_other() {
        let drawn: BTreeSet<u64> = (0..1_000).map(|_| any_of(1..=3)).collect();
        assert_eq!(drawn, (1..=3).collect());
    }

    #[test]
    fn ids_ascend() {
        let ids: Vec<Uuid> = (0..1_000).map(|_| new_id()).collect();
        assert!(ids.is_sorted_by(|earlier, later| earlier < later));
    }
}

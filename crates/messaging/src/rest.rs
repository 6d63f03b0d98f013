//! How long to gather what comes before the next transaction.
//!
//! A transaction costs about the same for one piece of work as for ten. Whoever begins the next one at once, whatever has come,
//! spends a busy machine on small transactions, and everybody waits for the processor instead. So it pays to rest, and the more
//! so the more comes: the rest is a multiple of the time that the last transaction took, and the multiple grows with its size.
//! One piece alone is followed by no rest, so that where little comes nobody waits.

use std::time::Duration;

/// The longest rest.
const LONGEST: Duration = Duration::from_millis(50);
/// So many pieces in a transaction make the rest as long as the transaction was.
const EVEN: f64 = 4.0;
/// The rest is at most this multiple of the transaction.
const STEEPEST: f64 = 4.0;

/// How long to rest after a transaction of `pieces` pieces of work (`full`: no more fitted in) that took `worked`.
pub(crate) fn after(worked: Duration, pieces: usize, full: bool) -> Duration {
    // Who cannot take all that is there has gathered enough.
    if full {
        return Duration::ZERO;
    }
    let multiple = (pieces.saturating_sub(1) as f64 / EVEN).min(STEEPEST);
    worked.mul_f64(multiple).min(LONGEST)
}

/// Rests. The timer goes in steps of a millisecond, and sleeps for one of them although there is nothing to wait for.
pub(crate) async fn take(rest: Duration) {
    if !rest.is_zero() {
        tokio::time::sleep(rest).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKED: Duration = Duration::from_millis(4);

    #[test]
    fn one_piece_alone_is_followed_by_no_rest() {
        assert_eq!(after(WORKED, 1, false), Duration::ZERO);
    }

    #[test]
    fn the_more_comes_the_longer_is_gathered_within_a_bound() {
        let rests: Vec<Duration> = [1, 2, 5, 20, 400]
            .map(|pieces| after(WORKED, pieces, false))
            .into();
        assert!(rests.is_sorted());
        assert_eq!(rests[2], WORKED);
        assert_eq!(rests[4], 4 * WORKED);
        assert_eq!(after(Duration::from_secs(1), 400, false), LONGEST);
    }

    #[test]
    fn who_has_all_that_fits_goes_on_at_once() {
        assert_eq!(after(WORKED, 500, true), Duration::ZERO);
    }
}

//! When to look: at once where something is known to be there, and ever more seldom where nothing is.

use std::time::Duration;

use tokio::time::Instant;

use crate::ranges::Ranges;

/// Looks at the outbox when nobody rang: from one to the other, doubling while nothing is found.
const LOOKS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(250));
/// A hole that has just appeared is asked for at least so soon.
const HOLE: Duration = Duration::from_millis(4);
/// A hole that is older than the first is investigated; from one to the other, doubling while it stays.
const HEARINGS: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(250));

/// What one look brought.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// The bell had rung before.
    pub rung: bool,
    /// There were rows.
    pub found: bool,
    /// There may be more rows.
    pub more: bool,
    /// There are holes now that were not there before.
    pub holes: bool,
}

/// When to look at the outbox next, if nobody rings.
#[derive(Debug)]
pub(crate) struct Looks {
    interval: Duration,
    next: Instant,
}

impl Looks {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            interval: LOOKS.0,
            next: now,
        }
    }

    pub(crate) const fn next(&self) -> Instant {
        self.next
    }

    /// Look at once.
    pub(crate) fn hurry(&mut self, now: Instant) {
        self.next = now;
    }

    /// Rows that nobody rang for mean that rows come without a bell: they set the pace. Where the bell works, looks
    /// without it become rare, however busy the outbox is.
    pub(crate) fn looked(&mut self, now: Instant, look: Look) {
        self.interval = match look {
            Look {
                found: true,
                rung: false,
                ..
            } => LOOKS.0,
            Look { holes: true, .. } => self.interval.min(HOLE),
            Look { rung: true, .. } => self.interval,
            _ => LOOKS.1.min(self.interval * 2),
        };
        self.next = if look.more { now } else { now + self.interval };
    }
}

/// When to ask who could still fill the holes.
#[derive(Debug)]
pub(crate) struct Hearings {
    noticed: Ranges,
    interval: Duration,
    next: Instant,
}

impl Hearings {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            noticed: Ranges::default(),
            interval: HEARINGS.0,
            next: now,
        }
    }

    pub(crate) const fn next(&self) -> Instant {
        self.next
    }

    /// The holes that are old enough to be asked about now, if any. Most are filled before.
    pub(crate) fn due(&mut self, now: Instant, holes: &Ranges) -> Option<Ranges> {
        if now < self.next || (holes.is_empty() && self.noticed.is_empty()) {
            return None;
        }
        let old = self.noticed.intersection(holes);
        self.noticed.clone_from(holes);
        self.next = now + self.interval;
        if old.is_empty() {
            self.interval = HEARINGS.0;
            return None;
        }
        self.interval = HEARINGS.1.min(self.interval * 2);
        Some(old)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Look = Look {
        rung: false,
        found: false,
        more: false,
        holes: false,
    };

    fn after(now: Instant, looks: &mut Looks, look: Look) -> Duration {
        looks.looked(now, look);
        looks.next().duration_since(now)
    }

    #[test]
    fn an_idle_outbox_is_looked_at_ever_more_seldom() {
        let now = Instant::now();
        let mut looks = Looks::new(now);
        let waits: Vec<_> = (0..10)
            .map(|_| after(now, &mut looks, NOTHING).as_millis())
            .collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 250, 250, 250]);
    }

    #[test]
    fn rows_that_were_rung_for_do_not_make_it_look_more_often_but_others_do() {
        let now = Instant::now();
        let mut looks = Looks::new(now);
        (0..10).for_each(|_| looks.looked(now, NOTHING));
        assert_eq!(
            after(
                now,
                &mut looks,
                Look {
                    rung: true,
                    found: true,
                    ..NOTHING
                }
            ),
            LOOKS.1
        );
        assert_eq!(
            after(
                now,
                &mut looks,
                Look {
                    holes: true,
                    rung: true,
                    found: true,
                    ..NOTHING
                }
            ),
            HOLE
        );
        assert_eq!(
            after(
                now,
                &mut looks,
                Look {
                    found: true,
                    ..NOTHING
                }
            ),
            LOOKS.0
        );
        assert_eq!(
            after(
                now,
                &mut looks,
                Look {
                    more: true,
                    found: true,
                    ..NOTHING
                }
            ),
            Duration::ZERO
        );
    }

    #[test]
    fn only_a_hole_that_stays_is_investigated() {
        let start = Instant::now();
        let mut hearings = Hearings::new(start);
        let (first, second): (Ranges, Ranges) =
            ("{[1,2)}".parse().unwrap(), "{[1,2),[5,6)}".parse().unwrap());
        assert_eq!(hearings.due(start, &first), None);
        assert_eq!(hearings.due(start + HEARINGS.0 / 2, &second), None);
        assert_eq!(hearings.due(start + HEARINGS.0, &second), Some(first));
        assert_eq!(
            hearings.due(start + HEARINGS.0 * 2, &Ranges::default()),
            None
        );
    }
}

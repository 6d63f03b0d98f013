//! The virtual clock: what happens next, and when. Nothing waits; time jumps to what is next.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, TimeDelta, Utc};

/// A moment: milliseconds since the run began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Moment(pub u64);

/// 2026-01-01T00:00:00Z, when every run begins.
const DAWN: i64 = 1_767_225_600;

impl Moment {
    /// So much later.
    #[must_use]
    pub const fn after(self, milliseconds: u64) -> Self {
        Self(self.0 + milliseconds)
    }

    /// As the services see it.
    #[must_use]
    pub fn time(self) -> DateTime<Utc> {
        let since = i64::try_from(self.0).unwrap_or(i64::MAX / 1_000);
        DateTime::from_timestamp(DAWN, 0).unwrap_or_default() + TimeDelta::milliseconds(since)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>8}.{:03}", self.0 / 1_000, self.0 % 1_000)
    }
}

/// What is going to happen. What is due at the same moment happens in the order in which it was put down.
#[derive(Debug)]
pub(crate) struct Agenda<E> {
    now: Moment,
    put_down: u64,
    entries: BTreeMap<(Moment, u64), E>,
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Self {
            now: Moment::default(),
            put_down: 0,
            entries: BTreeMap::new(),
        }
    }
}

impl<E> Agenda<E> {
    pub(crate) const fn now(&self) -> Moment {
        self.now
    }

    /// Puts down that something happens at `at`, or now where that is past.
    pub(crate) fn at(&mut self, at: Moment, event: E) {
        self.put_down += 1;
        self.entries
            .insert((at.max(self.now), self.put_down), event);
    }

    /// Puts down that something happens in so many milliseconds.
    pub(crate) fn after(&mut self, milliseconds: u64, event: E) {
        self.at(self.now.after(milliseconds), event);
    }

    /// Goes to what is next.
    pub(crate) fn next(&mut self) -> Option<E> {
        let ((at, _), event) = self.entries.pop_first()?;
        self.now = at;
        Some(event)
    }
}

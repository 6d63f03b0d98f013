//! What has been read so far: the highest id, and the ids below it that were not visible yet.
//!
//! The idea is Axon's `GapAwareTrackingToken`: ids are handed out before their transactions commit, so the row with the
//! lower id may appear after the row with the higher one. Nothing waits for it; it is remembered and asked for again.

use crate::ranges::Ranges;

/// A place in one shard's outbox. Everything up to `position` was seen, except for the `holes`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Cursor {
    position: i64,
    holes: Ranges,
}

impl Cursor {
    /// The place after `position`, with these ids below it still to come.
    #[must_use]
    pub fn new(position: i64, holes: &Ranges) -> Self {
        Self {
            position,
            holes: holes.below(position),
        }
    }

    /// The highest id that was seen.
    #[must_use]
    pub const fn position(&self) -> i64 {
        self.position
    }

    /// Ids below `position` that were not seen: their transactions are still under way, or were rolled back.
    #[must_use]
    pub const fn holes(&self) -> &Ranges {
        &self.holes
    }

    /// Whether the row `id` is still to come.
    #[must_use]
    pub fn misses(&self, id: i64) -> bool {
        id > self.position || self.holes.contains(id)
    }

    /// Notes that the row `id` was seen. What it jumps over becomes a hole.
    pub fn see(&mut self, id: i64) {
        if id > self.position {
            self.holes.push(self.position + 1..id);
            self.position = id;
        } else {
            self.holes.remove(id);
        }
    }

    /// Forgets ids that will never come.
    pub fn bury(&mut self, dead: &Ranges) {
        self.holes = self.holes.difference(dead);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_jump_leaves_a_hole_and_a_late_row_fills_it() {
        let mut cursor = Cursor::default();
        cursor.see(1);
        cursor.see(4);
        assert_eq!(cursor.holes().to_string(), "{[2,4)}");
        cursor.see(3);
        assert_eq!(
            (cursor.position(), cursor.holes().to_string()),
            (4, "{[2,3)}".to_owned())
        );
        cursor.see(2);
        assert!(cursor.holes().is_empty());
    }

    #[test]
    fn what_will_never_come_is_no_hole() {
        let mut cursor = Cursor::new(9, &[2..4, 6..7].into_iter().collect());
        cursor.bury(&std::iter::once(3..7).collect());
        assert_eq!(cursor.holes().to_string(), "{[2,3)}");
    }

    proptest! {
        /// Whatever becomes visible when, each row is seen exactly once, and nothing is missed but what is not there.
        #[test]
        fn each_row_is_seen_once(
            fates in prop::collection::vec(prop::option::weighted(0.9, 0_u32..8), 1..80),
        ) {
            // fates[id]: the read in which the row becomes visible; None: rolled back
            let mut cursor = Cursor::default();
            let mut seen = Vec::new();
            for read in 0..8 {
                let visible = |id: &i64| fates[*id as usize - 1].is_some_and(|at| at <= read);
                for id in (1..=fates.len() as i64).filter(visible) {
                    if cursor.misses(id) {
                        seen.push(id);
                        cursor.see(id);
                    }
                }
            }
            let once: BTreeSet<i64> = seen.iter().copied().collect();
            prop_assert_eq!(once.len(), seen.len());
            let committed = |id: &i64| fates[*id as usize - 1].is_some();
            prop_assert_eq!(once, (1..=fates.len() as i64).filter(committed).collect());
            let open: u64 = (1..cursor.position()).filter(|id| !committed(id)).count() as u64;
            prop_assert_eq!(cursor.holes().ids(), open);
        }
    }
}

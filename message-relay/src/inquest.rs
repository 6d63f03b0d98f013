//! Finds out which holes will never be filled, because their transactions were rolled back.
//!
//! Pure: it is told what holds the sequence, and what was read. See the README for why its verdicts are certain.

use std::collections::{BTreeSet, HashSet};

use crate::{cursor::Cursor, ranges::Ranges};

/// A transaction, by its virtual id (`backend/number`), or of a prepared one `-1/xid`.
pub type Transaction = String;

/// More open cases than this are joined; that only makes verdicts later.
const MAX_CASES: usize = 16;

/// The holes that are under investigation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Inquest {
    cases: Vec<Case>,
}

/// Holes that were noticed together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Case {
    holes: Ranges,
    /// Who may still fill them. Empty: everyone who could have has ended, so the next read decides.
    suspects: BTreeSet<Transaction>,
}

impl Inquest {
    /// Takes note of the transactions that hold the sequence now: each that has taken an id does, until it has ended.
    /// `holes` must have been noticed before that was asked.
    pub fn hear(&mut self, holes: &Ranges, holding: &HashSet<Transaction>) {
        for case in &mut self.cases {
            case.suspects.retain(|suspect| holding.contains(suspect));
            if !case.suspects.is_empty() || case.holes.is_empty() {
                continue;
            }
            // PREPARE TRANSACTION hands locks over to a transaction of another name: any may be the one we lost sight of.
            case.suspects
                .extend(holding.iter().filter(|name| is_prepared(name)).cloned());
        }
        let unknown = |rest: Ranges, case: &Case| rest.difference(&case.holes);
        let new = self.cases.iter().fold(holes.clone(), unknown);
        if !new.is_empty() {
            self.cases.push(Case {
                holes: new,
                suspects: holding.iter().cloned().collect(),
            });
        }
        self.join_the_newest();
    }

    /// The holes that are certainly dead, once a read that began after the last hearing has not found them. That read
    /// covered every id up to `covered`. Forgets the cases that are closed, and the holes that were filled.
    pub fn conclude(&mut self, cursor: &Cursor, covered: i64) -> Ranges {
        let mut dead = Vec::new();
        for case in &mut self.cases {
            case.holes = case.holes.intersection(cursor.holes());
            if case.suspects.is_empty() {
                let verdict = case.holes.below(covered.saturating_add(1));
                case.holes = case.holes.difference(&verdict);
                dead.extend(verdict.iter().cloned());
            }
        }
        self.cases.retain(|case| !case.holes.is_empty());
        dead.sort_by_key(|range| range.start);
        dead.into_iter().collect()
    }

    /// Whether the next read brings a verdict.
    #[must_use]
    pub fn is_ripe(&self) -> bool {
        self.cases.iter().any(|case| case.suspects.is_empty())
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.cases.clear();
    }

    fn join_the_newest(&mut self) {
        while self.cases.len() > MAX_CASES {
            let (Some(newest), Some(before)) = (self.cases.pop(), self.cases.last_mut()) else {
                return;
            };
            let mut holes: Vec<_> = before
                .holes
                .iter()
                .chain(newest.holes.iter())
                .cloned()
                .collect();
            holes.sort_by_key(|range| range.start);
            before.holes = holes.into_iter().collect();
            before.suspects.extend(newest.suspects);
        }
    }
}

fn is_prepared(transaction: &str) -> bool {
    transaction.starts_with("-1/")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holding(names: &[&str]) -> HashSet<Transaction> {
        names.iter().map(ToString::to_string).collect()
    }

    fn cursor(position: i64, holes: &str) -> Cursor {
        Cursor::new(position, &holes.parse().unwrap())
    }

    #[test]
    fn a_hole_lives_as_long_as_somebody_who_could_fill_it() {
        let (mut inquest, cursor) = (Inquest::default(), cursor(9, "{[3,4)}"));
        inquest.hear(cursor.holes(), &holding(&["2/7", "3/1"]));
        assert!(inquest.conclude(&cursor, 9).is_empty());
        inquest.hear(cursor.holes(), &holding(&["2/7", "3/2"]));
        assert!(inquest.conclude(&cursor, 9).is_empty());
        inquest.hear(cursor.holes(), &holding(&["2/8", "3/2"]));
        assert_eq!(inquest.conclude(&cursor, 9).to_string(), "{[3,4)}");
    }

    #[test]
    fn a_read_that_ends_before_the_hole_proves_nothing() {
        let (mut inquest, cursor) = (Inquest::default(), cursor(9, "{[3,6)}"));
        inquest.hear(cursor.holes(), &holding(&[]));
        assert_eq!(inquest.conclude(&cursor, 4).to_string(), "{[3,5)}");
        assert!(inquest.is_ripe());
        assert_eq!(inquest.conclude(&cursor, 9).to_string(), "{[5,6)}");
    }

    #[test]
    fn a_hole_that_was_filled_is_not_dead() {
        let (mut inquest, mut cursor) = (Inquest::default(), cursor(9, "{[3,4)}"));
        inquest.hear(cursor.holes(), &holding(&[]));
        cursor.see(3);
        assert!(inquest.conclude(&cursor, 9).is_empty());
    }

    #[test]
    fn a_prepared_transaction_may_be_the_one_that_was_lost_sight_of() {
        let (mut inquest, cursor) = (Inquest::default(), cursor(9, "{[3,4)}"));
        inquest.hear(cursor.holes(), &holding(&["2/7"]));
        inquest.hear(cursor.holes(), &holding(&["-1/4711"]));
        assert!(inquest.conclude(&cursor, 9).is_empty());
        inquest.hear(cursor.holes(), &holding(&[]));
        assert!(!inquest.conclude(&cursor, 9).is_empty());
    }

    #[test]
    fn cases_do_not_pile_up_behind_a_transaction_that_stays_open() {
        let mut inquest = Inquest::default();
        for id in 0..100 {
            let holes: Ranges = (0..=id).map(|id| 2 * id..2 * id + 1).collect();
            inquest.hear(&holes, &holding(&["2/7"]));
        }
        assert_eq!(inquest.cases.len(), MAX_CASES);
        let all = cursor(
            1_000,
            &(0..100)
                .map(|id| 2 * id..2 * id + 1)
                .collect::<Ranges>()
                .to_string(),
        );
        inquest.hear(all.holes(), &holding(&[]));
        assert_eq!(inquest.conclude(&all, 1_000).ids(), 100);
    }

    proptest! {
        /// Writers take ids, and commit or roll back, in any order, between the relay's hearings and reads: no row that
        /// is ever committed is declared dead, and in the end every other hole is.
        #[test]
        fn only_the_dead_are_buried(steps in prop::collection::vec((0_usize..6, 0_u8..5), 1..200)) {
            let (mut cursor, mut inquest) = (Cursor::default(), Inquest::default());
            let (mut next, mut number) = (0_i64, [0; 6]);
            let mut taken: Vec<Vec<i64>> = vec![Vec::new(); 6];
            let mut visible = Vec::new();
            let all_roll_back = (0..6).map(|writer| (writer, 2));
            let end = all_roll_back.chain([(0, 4), (0, 3), (0, 4), (0, 3), (0, 4)]);
            for (writer, action) in steps.into_iter().chain(end) {
                match action {
                    0 => { next += 1; taken[writer].push(next); }
                    1 => { visible.append(&mut taken[writer]); number[writer] += 1; }
                    2 => { taken[writer].clear(); number[writer] += 1; }
                    3 => {
                        let open = (0..6).filter(|writer| !taken[*writer].is_empty());
                        inquest.hear(cursor.holes(), &open.map(|writer| format!("{writer}/{}", number[writer])).collect());
                    }
                    _ => {
                        visible.sort_unstable();
                        visible.iter().for_each(|id| if cursor.misses(*id) { cursor.see(*id) });
                        let dead = inquest.conclude(&cursor, i64::MAX - 1);
                        cursor.bury(&dead);
                        for range in dead.iter() {
                            prop_assert!(taken.iter().flatten().all(|id| !range.contains(id)), "{range:?} is alive");
                        }
                    }
                }
            }
            prop_assert!(cursor.holes().is_empty(), "{cursor:?}");
        }
    }
}

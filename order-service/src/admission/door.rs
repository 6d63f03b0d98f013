//! How many are let in: a token bucket whose rate is a part of the room that is left. Values in, values out: moments are given, and so
//! is what was counted.

use std::time::{Duration, Instant};

/// Between two looks.
pub(super) const EVERY: Duration = Duration::from_millis(250);
/// In so long as much is let in as there is room. What is let in goes on to be work for some seconds, since people come to act upon
/// it: in half of this, waves did not die down.
const FILL: Duration = Duration::from_secs(2);
/// After so many looks without anybody who was turned away it counts as over, five seconds: nobody wants to read of every one.
const CALM: u32 = 20;

/// What is let in.
#[derive(Debug)]
pub(super) struct Door {
    /// So many a second: a token bucket, which holds what comes between two looks.
    rate: f64,
    /// So many at once, as of then.
    tokens: f64,
    at: Option<Instant>,
    /// So many in all before the next look, however long that takes: the room that there was at the last one.
    left: f64,
    /// So many looks were begun, and what is known is of this one.
    looks: u64,
    known: u64,
    /// So many were let in, and are not written down yet, or are just about to be.
    pub(super) entering: u32,
    /// So many were ever let in.
    admitted: u64,
    /// So many were turned away since the last look.
    pub(super) refused: u32,
    /// So many looks ago somebody was, at most [`CALM`].
    calm: u32,
}

/// A look that was begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    number: u64,
    /// So many were entering then, and had ever been let in. Who is written down during the look may be counted twice, and not never.
    entering: u32,
    admitted: u64,
}

/// What operators are told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    TurnsAway,
    TakesAll,
}

impl Default for Door {
    /// Everybody is let in until it is known how many are under way.
    fn default() -> Self {
        Self {
            rate: f64::INFINITY,
            tokens: f64::INFINITY,
            at: None,
            left: f64::INFINITY,
            looks: 0,
            known: 0,
            entering: 0,
            admitted: 0,
            refused: 0,
            calm: CALM,
        }
    }
}

impl Door {
    /// Whether one more is let in at `now`.
    pub(super) fn admit(&mut self, now: Instant) -> bool {
        self.fill(now);
        let admitted = self.tokens.min(self.left) >= 1.0;
        if admitted {
            self.tokens -= 1.0;
            self.left -= 1.0;
            self.entering += 1;
            self.admitted += 1;
        }
        admitted
    }

    pub(super) const fn begin_look(&mut self) -> Look {
        self.looks += 1;
        Look {
            number: self.looks,
            entering: self.entering,
            admitted: self.admitted,
        }
    }

    /// Whether more is known than a look can tell that took longer than one after it. That nothing flows, which opens the door for everybody, is
    /// believed of the youngest only.
    pub(super) const fn has_overtaken(&self, look: Look, flows: bool) -> bool {
        look.number < self.known || (!flows && look.number < self.looks)
    }

    /// Under way there are so many; nothing: whoever comes is let in.
    pub(super) fn look(
        &mut self,
        look: Look,
        now: Instant,
        limit: u32,
        count: Option<u32>,
    ) -> Option<Change> {
        self.known = look.number;
        self.fill(now);
        let meanwhile = u32::try_from(self.admitted - look.admitted).unwrap_or(u32::MAX);
        self.left = count.map_or(f64::INFINITY, |count| {
            let taken = count
                .saturating_add(look.entering)
                .saturating_add(meanwhile);
            f64::from(limit.saturating_sub(taken))
        });
        let rate = self.left / FILL.as_secs_f64();
        if self.rate == 0.0 && rate > 0.0 {
            // Where the limit is small a whole token takes long.
            self.tokens = 1.0;
        }
        self.rate = rate;
        self.fill(now);
        let was_calm = self.calm == CALM;
        self.calm = match std::mem::take(&mut self.refused) {
            // At the limit nobody would be let in: that nobody came is no sign of calm.
            0 if self.rate > 0.0 => CALM.min(self.calm + 1),
            0 => self.calm,
            _ => 0,
        };
        match (was_calm, self.calm) {
            (true, 0) => Some(Change::TurnsAway),
            (false, CALM) => Some(Change::TakesAll),
            _ => None,
        }
    }

    fn fill(&mut self, now: Instant) {
        let before = self.at.replace(now).unwrap_or(now);
        let since = now.saturating_duration_since(before).as_secs_f64();
        // One whole token fits in, or a small rate would let in nobody; at no rate at all none does.
        let most = match self.rate {
            0.0 => 0.0,
            rate => (rate * EVERY.as_secs_f64()).max(1.0),
        };
        self.tokens = if self.rate.is_finite() && self.tokens.is_finite() {
            (self.tokens + self.rate * since).min(most)
        } else {
            most
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(door: &mut Door, now: Instant, limit: u32, count: Option<u32>) -> Option<Change> {
        let look = door.begin_look();
        door.look(look, now, limit, count)
    }

    /// A moment, in milliseconds after the beginning.
    fn at(begin: Instant, milliseconds: u64) -> Instant {
        begin + Duration::from_millis(milliseconds)
    }

    #[test]
    fn the_less_room_there_is_the_fewer_are_let_in_a_second() {
        let begin = Instant::now();
        let admitted = [0, 400, 796, 800].map(|count| {
            let mut door = Door::default();
            look(&mut door, begin, 800, Some(count));
            (0..2_000).filter(|&ms| door.admit(at(begin, ms))).count()
        });
        assert_eq!(admitted, [800, 400, 4, 0]);
        let mut door = Door::default();
        look(&mut door, begin, 800, Some(400));
        let second = (0..1_000).filter(|&ms| door.admit(at(begin, ms)));
        let second = second.count();
        assert_eq!(
            second, 249,
            "with what a quarter of a second holds at first"
        );
    }

    #[test]
    fn a_look_that_takes_long_lets_in_no_fewer() {
        let begin = Instant::now();
        let mut door = Door::default();
        look(&mut door, begin, 800, Some(0));
        let late = (3_000..4_000).filter(|&ms| door.admit(at(begin, ms)));
        assert_eq!(late.count(), 499);
    }

    #[test]
    fn until_the_next_look_no_more_are_let_in_than_there_was_room_for() {
        let begin = Instant::now();
        let mut door = Door::default();
        look(&mut door, begin, 800, Some(300));
        let admitted = (0..60_000).filter(|&ms| door.admit(at(begin, ms)));
        assert_eq!(admitted.count(), 500);
    }

    #[test]
    fn a_look_is_overtaken_by_one_that_was_begun_later_and_is_known_and_not_by_one_that_is_still_out()
     {
        let begin = Instant::now();
        let mut door = Door::default();
        let [slow, quick, out] = [(); 3].map(|()| door.begin_look());
        door.look(quick, begin, 800, Some(800));
        assert!(door.has_overtaken(slow, true));
        assert!(!door.has_overtaken(out, true));
        assert!(!door.has_overtaken(out, false));
        door.begin_look();
        assert!(door.has_overtaken(out, false));
    }

    #[test]
    fn who_came_in_takes_room_before_he_is_counted_whenever_that_was() {
        let begin = Instant::now();
        // Whether a look was begun when they came, and whether they are still entering when it ends.
        for (during, entering) in [(false, 800), (false, 0), (true, 800), (true, 0)] {
            let mut door = Door::default();
            let before = during.then(|| door.begin_look());
            assert!((0..800).all(|_| door.admit(begin)));
            let begun = before.unwrap_or_else(|| door.begin_look());
            door.entering = entering;
            door.look(begun, begin, 800, Some(0));
            assert!(!door.admit(at(begin, 1_000)), "{during}, {entering}");
        }
    }

    #[test]
    fn where_nothing_flows_everybody_is_let_in_and_from_then_on_by_the_room() {
        let begin = Instant::now();
        let mut door = Door::default();
        look(&mut door, begin, 800, None);
        assert!((0..5_000).all(|_| door.admit(begin)));
        door.entering = 0;
        look(&mut door, begin, 800, Some(400));
        assert_eq!((0..5_000).filter(|_| door.admit(begin)).count(), 50);
    }

    /// By how many orders what is under way swings at last, when twice as much comes as is carried through: an order is half of its work when
    /// it comes, and the other half three seconds later, when a cook is done with it.
    fn swing(look: impl Fn(&mut Door, Instant, u32)) -> u32 {
        const BORNE: u32 = 100;
        let (begin, mut door) = (Instant::now(), Door::default());
        let (mut under_way, mut back, mut counts) = (0_u32, [0_u32; 12], Vec::new());
        for quarter in 0..400_u64 {
            let now = at(begin, quarter * 250);
            look(&mut door, now, under_way);
            let mut came = 0;
            for order in 0..100 {
                if door.admit(now + Duration::from_micros(2_500 * order)) {
                    (door.entering, came) = (0, came + 1);
                }
            }
            let again = &mut back[usize::try_from(quarter % 12).unwrap()];
            under_way = (under_way + came + std::mem::replace(again, came)).saturating_sub(BORNE);
            counts.push(under_way);
        }
        let settled = &counts[200..];
        settled.iter().max().unwrap() - settled.iter().min().unwrap()
    }

    #[test]
    fn an_overload_is_borne_evenly() {
        let evenly = swing(|door, now, count| {
            look(door, now, 1_000, Some(count));
        });
        // A door that is open or closed.
        let in_waves = swing(|door, now, count| {
            look(
                door,
                now,
                1_000_000,
                Some(if count < 600 { 0 } else { 1_000_000 }),
            );
        });
        assert!(evenly * 5 < in_waves, "{evenly}, {in_waves}");
    }

    #[test]
    fn operators_are_told_when_it_begins_and_when_it_is_over_and_not_of_everyone() {
        let begin = Instant::now();
        let mut door = Door::default();
        let mut told = Vec::new();
        for (quarter, count) in (0..).zip([0, 8, 8, 0, 8].into_iter().chain([8; 30]).chain([0; 30]))
        {
            let now = at(begin, quarter * 250);
            told.extend(look(&mut door, now, 8, Some(count)));
            if quarter < 5 && !door.admit(now) {
                door.refused += 1;
            }
            door.entering = 0;
        }
        // At the limit it is not over, although nobody comes.
        assert_eq!(told, [Change::TurnsAway, Change::TakesAll]);
    }
}

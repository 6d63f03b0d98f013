//! A set of ids as disjoint ranges: small when the ids lie close together, and the same as Postgres' `int8multirange`.

use std::{fmt, ops::Range, str::FromStr};

/// Ids, held as ascending half-open ranges that neither overlap nor touch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Ranges(Vec<Range<i64>>);

/// A text that is not an `int8multirange` as Postgres prints it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no int8multirange such as {{[1,3),[5,6)}}")]
pub struct Malformed(String);

impl Ranges {
    /// How many ranges there are: what a query for them costs.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no ids.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ranges, ascending.
    pub fn iter(&self) -> impl Iterator<Item = &Range<i64>> {
        self.0.iter()
    }

    /// The number of ids.
    #[must_use]
    pub fn ids(&self) -> u64 {
        self.0
            .iter()
            .map(|range| range.end.abs_diff(range.start))
            .sum()
    }

    /// Whether `id` is one of them.
    #[must_use]
    pub fn contains(&self, id: i64) -> bool {
        self.find(id).is_ok()
    }

    /// Adds ids that are all higher than those that are there.
    pub fn push(&mut self, range: Range<i64>) {
        if range.is_empty() {
            return;
        }
        match self.0.last_mut() {
            Some(last) if last.end >= range.start => last.end = range.end.max(last.end),
            _ => self.0.push(range),
        }
    }

    /// Takes `id` out; tells whether it was there.
    pub fn remove(&mut self, id: i64) -> bool {
        let Ok(index) = self.find(id) else {
            return false;
        };
        let Range { start, end } = self.0[index].clone();
        match (start == id, end == id + 1) {
            (true, true) => drop(self.0.remove(index)),
            (true, false) => self.0[index].start = id + 1,
            (false, true) => self.0[index].end = id,
            (false, false) => {
                self.0[index].end = id;
                self.0.insert(index + 1, id + 1..end);
            }
        }
        true
    }

    /// The ids that are in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut common = Self::default();
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            common.push(a.start.max(b.start)..a.end.min(b.end));
            if a.end <= b.end {
                left.next();
            } else {
                right.next();
            }
        }
        common
    }

    /// The ids that are in this one only.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut rest = Self::default();
        let mut taken = other.0.iter().peekable();
        for range in &self.0 {
            let mut from = range.start;
            while let Some(hole) = taken.peek() {
                if hole.start >= range.end {
                    break;
                }
                rest.push(from..hole.start.max(from));
                from = from.max(hole.end);
                if hole.end > range.end {
                    break;
                }
                taken.next();
            }
            rest.push(from.min(range.end)..range.end);
        }
        rest
    }

    /// The ids below `end`.
    #[must_use]
    pub fn below(&self, end: i64) -> Self {
        self.intersection(&std::iter::once(i64::MIN..end).collect())
    }

    fn find(&self, id: i64) -> Result<usize, usize> {
        self.0.binary_search_by(|range| {
            if range.end <= id {
                std::cmp::Ordering::Less
            } else if range.start > id {
                std::cmp::Ordering::Greater
            } else {
                std::cmp::Ordering::Equal
            }
        })
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, Range { start, end }) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}[{start},{end})")?;
        }
        f.write_str("}")
    }
}

impl FromStr for Ranges {
    type Err = Malformed;

    /// Reads what Postgres prints for an `int8multirange`: always `[lower,upper)`, ascending.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed(text.to_owned());
        let inner = text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'));
        let inner = inner.ok_or_else(malformed)?;
        let mut ranges = Self::default();
        for part in inner.split_terminator(')') {
            let bounds = part.trim_start_matches(',').strip_prefix('[');
            let (start, end) = bounds
                .and_then(|bounds| bounds.split_once(','))
                .ok_or_else(malformed)?;
            match (start.parse(), end.parse()) {
                (Ok(start), Ok(end)) => ranges.push(start..end),
                _ => return Err(malformed()),
            }
        }
        Ok(ranges)
    }
}

impl FromIterator<Range<i64>> for Ranges {
    /// From ascending ranges.
    fn from_iter<I: IntoIterator<Item = Range<i64>>>(ranges: I) -> Self {
        let mut set = Self::default();
        ranges.into_iter().for_each(|range| set.push(range));
        set
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn ranges(ids: &BTreeSet<i64>) -> Ranges {
        ids.iter().map(|id| *id..id + 1).collect()
    }

    fn ids(ranges: &Ranges) -> BTreeSet<i64> {
        ranges.iter().flat_map(Clone::clone).collect()
    }

    fn some_ids() -> impl Strategy<Value = BTreeSet<i64>> {
        prop::collection::btree_set(0_i64..60, 0..40)
    }

    proptest! {
        #[test]
        fn they_behave_like_a_set(a in some_ids(), b in some_ids(), id in 0_i64..60) {
            let (left, right) = (ranges(&a), ranges(&b));
            prop_assert_eq!(ids(&left.intersection(&right)), &a & &b);
            prop_assert_eq!(ids(&left.difference(&right)), &a - &b);
            prop_assert_eq!(ids(&left.below(id)), a.range(..id).copied().collect::<BTreeSet<_>>());
            prop_assert_eq!(left.contains(id), a.contains(&id));
            prop_assert_eq!(left.ids(), a.len() as u64);
            let (mut less, mut without) = (left, a.clone());
            prop_assert_eq!(less.remove(id), without.remove(&id));
            prop_assert_eq!(ids(&less), without);
        }

        #[test]
        fn they_are_read_as_they_are_written(a in some_ids()) {
            prop_assert_eq!(ranges(&a).to_string().parse::<Ranges>(), Ok(ranges(&a)));
        }
    }

    #[test]
    fn neighbours_are_one_range_as_postgres_prints_it() {
        let set: Ranges = [1..3, 3..4, 9..10].into_iter().collect();
        assert_eq!(set.to_string(), "{[1,4),[9,10)}");
        assert_eq!("{}".parse(), Ok(Ranges::default()));
    }

    #[test]
    fn another_text_is_refused() {
        for text in ["", "{", "{1,2}", "{[1,x)}", "{[1)}"] {
            assert!(text.parse::<Ranges>().is_err(), "{text}");
        }
    }
}

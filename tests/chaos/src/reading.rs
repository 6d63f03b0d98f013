//! What one reader of the view may see of one order, one after another: it never goes backwards.

use std::collections::BTreeMap;

use contracts::{Machine, OrderState};
use serde::Deserialize;

/// An answer of the view, as far as readers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Sight {
    pub(crate) version: i64,
    pub(crate) state: OrderState,
}

/// What a reader has seen of an order.
#[derive(Debug, Default, Clone)]
pub(crate) struct Reading {
    states: BTreeMap<i64, OrderState>,
}

impl Reading {
    /// The newest that was seen; 0: nothing.
    pub(crate) fn version(&self) -> i64 {
        self.states
            .last_key_value()
            .map_or(0, |(version, _)| *version)
    }

    /// The state of the newest.
    pub(crate) fn state(&self) -> Option<OrderState> {
        self.states.last_key_value().map(|(_, state)| *state)
    }

    /// Takes an answer to a request that was sent when `floor` was the newest version seen, and asked for at least
    /// `at_least`.
    ///
    /// # Errors
    /// What is wrong with the answer, in words.
    pub(crate) fn see(&mut self, sight: Sight, floor: i64, at_least: i64) -> Result<(), String> {
        let Sight { version, state } = sight;
        if version < at_least {
            return Err(format!(
                "asked for at least version {at_least}, the view answered {version}"
            ));
        }
        if version < floor {
            return Err(format!(
                "the view went back from version {floor} to {version}"
            ));
        }
        if let Some(before) = self.states.insert(version, state)
            && before != state
        {
            return Err(format!("version {version} was {before:?} and is {state:?}"));
        }
        // What came later is in the map by version, whatever the order of the answers.
        let ended = self.states.iter().find(|(_, state)| state.is_final());
        match ended {
            Some((end, ended))
                if self
                    .states
                    .range(end + 1..)
                    .any(|(_, state)| state != ended) =>
            {
                Err(format!(
                    "it had ended, {ended:?} at version {end}, and became something else"
                ))
            }
            _ => Ok(()),
        }
    }

    /// Takes an answer that there is no such order.
    ///
    /// # Errors
    /// It had been seen.
    pub(crate) fn miss(floor: i64) -> Result<(), String> {
        if floor > 0 {
            return Err(format!(
                "the view has lost the order, which it had at version {floor}"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use OrderState::{Complete, Pending, Preparing, Ready};

    use super::*;

    fn sight(version: i64, state: OrderState) -> Sight {
        Sight { version, state }
    }

    #[test]
    fn versions_may_rise_and_stay() {
        let mut reading = Reading::default();
        for (version, state) in [(1, Pending), (1, Pending), (7, Preparing)] {
            let floor = reading.version();
            reading.see(sight(version, state), floor, 0).unwrap();
        }
        assert_eq!((reading.version(), reading.state()), (7, Some(Preparing)));
    }

    #[test]
    fn a_version_below_one_that_was_seen_before_is_a_step_backwards() {
        let mut reading = Reading::default();
        reading.see(sight(7, Preparing), 0, 0).unwrap();
        reading.see(sight(6, Pending), 7, 0).unwrap_err();
    }

    #[test]
    fn an_answer_that_was_asked_for_earlier_may_be_older() {
        let mut reading = Reading::default();
        reading.see(sight(7, Preparing), 0, 0).unwrap();
        reading.see(sight(3, Pending), 2, 0).unwrap();
    }

    #[test]
    fn less_than_was_asked_for_is_no_answer() {
        Reading::default().see(sight(3, Pending), 0, 4).unwrap_err();
    }

    #[test]
    fn one_version_is_one_state() {
        let mut reading = Reading::default();
        reading.see(sight(7, Preparing), 0, 0).unwrap();
        reading.see(sight(7, Ready), 7, 0).unwrap_err();
    }

    #[test]
    fn what_has_ended_has_ended() {
        let mut reading = Reading::default();
        reading.see(sight(14, Complete), 0, 0).unwrap();
        reading.see(sight(14, Complete), 14, 0).unwrap();
        reading.see(sight(15, Preparing), 14, 0).unwrap_err();
    }

    #[test]
    fn an_order_that_was_seen_cannot_be_unknown() {
        Reading::miss(0).unwrap();
        Reading::miss(3).unwrap_err();
    }
}

//! The rules: facts of one order in, findings out. Pure.
//!
//! Each rule is a value with a name ([`ALL`]); each file holds a group of them with the function that judges by them.

mod history;
mod ledger;
mod money;
mod orphans;
mod participants;
mod steps;
mod view;

use std::fmt::Display;

pub(crate) use view::FOLD;

use super::{
    facts::Facts,
    finding::{Finding, Rule},
};
#[cfg(test)]
pub(crate) use tests::{Example, complete};

/// Every rule.
pub(crate) const ALL: &[&[&Rule]] = &[
    orphans::RULES,
    steps::RULES,
    history::RULES,
    participants::RULES,
    money::RULES,
    ledger::RULES,
    view::RULES,
    &[&super::gateway::STRANGER],
    super::overdue::RULES,
];

/// What is not as it must be about an order.
pub(crate) fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings = Findings {
        facts,
        found: Vec::new(),
    };
    // What cannot be read cannot be judged, and an orphan has nothing to be compared with.
    if orphans::judge(&mut findings) {
        steps::judge(&mut findings);
        history::judge(&mut findings);
        participants::judge(&mut findings);
        money::judge(&mut findings);
        ledger::judge(&mut findings);
        view::judge(&mut findings);
    }
    findings.found
}

/// The findings about one order, as they grow.
struct Findings<'f> {
    facts: &'f Facts,
    found: Vec<Finding>,
}

impl Findings<'_> {
    fn add(&mut self, rule: &'static Rule, expected: impl Display, found: impl Display) {
        self.found.push(Finding {
            order: self.facts.id,
            rule,
            expected: expected.to_string(),
            found: found.to_string(),
        });
    }

    /// Unless it holds.
    fn expect(
        &mut self,
        holds: bool,
        rule: &'static Rule,
        expected: impl Display,
        found: impl Display,
    ) {
        if !holds {
            self.add(rule, expected, found);
        }
    }
}

/// A state, or that there is none.
fn word<T: Display>(state: Option<T>) -> String {
    state.map_or_else(|| "nothing".to_owned(), |state| state.to_string())
}

/// One of some states.
fn one_of<T: Display>(states: &[T]) -> String {
    let words: Vec<String> = states.iter().map(ToString::to_string).collect();
    words.join(" or ")
}

#[cfg(test)]
mod tests;

//! Everything belongs to an order, and can be read.

use super::Findings;
use crate::audit::finding::{Holds, Rule, Subject};

/// Something exists about an order that does not.
const ORPHAN: Rule = Rule {
    name: "orphan",
    about: Subject::Order,
    holds: Holds::Always,
    next: "find out who made it: the topics and logs by the order id; was the database of orders restored from an older copy?",
};

/// An order without its saga does not move any more.
const SAGA_MISSING: Rule = Rule {
    name: "saga-missing",
    about: Subject::Order,
    holds: Holds::Always,
    next: "order and saga are written in one transaction: somebody deleted a row; restore it from a copy",
};

/// A row holds what no version can read.
const UNREADABLE: Rule = Rule {
    name: "unreadable",
    about: Subject::Order,
    holds: Holds::Always,
    next: "somebody wrote the row by hand, or this program is older than the service: use the version of the services",
};

pub(super) const RULES: &[&Rule] = &[&ORPHAN, &SAGA_MISSING, &UNREADABLE];

/// Says whether there is anything more to judge.
pub(super) fn judge(findings: &mut Findings<'_>) -> bool {
    let facts = findings.facts;
    for row in &facts.unreadable {
        findings.add(&UNREADABLE, "rows that this version can read", row);
    }
    if !facts.unreadable.is_empty() {
        return false;
    }
    if facts.order.is_some() {
        findings.expect(
            facts.saga.is_some(),
            &SAGA_MISSING,
            "a saga",
            "an order alone",
        );
        return facts.saga.is_some();
    }
    let present = [
        ("a saga", facts.saga.is_some()),
        ("a verification", facts.verification.is_some()),
        ("a ticket", facts.ticket.is_some()),
        ("a payment", facts.payment.is_some()),
        ("a cook entity", facts.cook.is_some()),
        ("a delivery", facts.delivery.is_some()),
        ("a view", facts.view.is_some()),
        ("entries in the gateway's ledger", !facts.ledger.is_empty()),
    ];
    let present: Vec<&str> = present
        .into_iter()
        .filter_map(|(what, is_there)| is_there.then_some(what))
        .collect();
    findings.add(&ORPHAN, "an order, or nothing", present.join(", "));
    false
}

#[cfg(test)]
mod tests {
    use crate::audit::rules::{Example, complete};

    #[test]
    fn whatever_is_left_without_its_order_is_an_orphan() {
        complete()
            .wrong("orphan", |facts| facts.order = None)
            .wrong("orphan", |facts| {
                *facts = crate::audit::facts::Facts {
                    delivery: facts.delivery.clone(),
                    ..crate::audit::facts::Facts::new(facts.id, facts.asked, facts.read_at)
                };
            });
    }

    #[test]
    fn an_order_has_a_saga() {
        complete().wrong("saga-missing", |facts| facts.saga = None);
    }

    #[test]
    fn what_cannot_be_read_is_told_and_nothing_else() {
        let unreadable = Example::of(|facts| facts.unreadable.push("tickets: …".to_owned()));
        assert_eq!(unreadable.rules(), ["unreadable"]);
    }
}

//! Every end is legal, and its history explains it.

use contracts::{OrderState, Party};
use saga::{State, What};

use super::Findings;
use crate::audit::finding::{Holds, Rule, Subject};

const HISTORY_WHOLE: Rule = Rule {
    name: "history-whole",
    about: Subject::Order,
    holds: Holds::Always,
    next: "records are added with the step that they tell of, and never changed: somebody deleted some",
};

const END_EXPLAINED: Rule = Rule {
    name: "end-explained",
    about: Subject::Order,
    holds: Holds::Always,
    next: "GET /orders/{id}/saga has the history; somebody changed a row by hand, or this is a bug",
};

pub(super) const RULES: &[&Rule] = &[&HISTORY_WHOLE, &END_EXPLAINED];

pub(super) fn judge(findings: &mut Findings<'_>) {
    let facts = findings.facts;
    let (Some(order), Some(saga)) = (&facts.order, &facts.saga) else {
        return;
    };
    let (count, last) = match &facts.history {
        Some(history) => (history.count, history.last),
        None => (0, 0),
    };
    findings.expect(
        (count, last) == (saga.records, saga.records),
        &HISTORY_WHOLE,
        format_args!("{} records", saga.records),
        format_args!("{count} records, the last one is number {last}"),
    );
    let tells = |what| {
        facts
            .history
            .as_ref()
            .is_some_and(|history| history.has(what))
    };
    for (what, state) in [
        (What::Completed, State::Completed),
        (What::RolledBack, State::RolledBack),
    ] {
        findings.expect(
            tells(what) == (saga.state == state),
            &END_EXPLAINED,
            format_args!("{what} in the history of a saga that is {state}, and of no other"),
            format_args!(
                "a saga that is {}, with{} {what}",
                saga.state,
                if tells(what) { "" } else { "out" }
            ),
        );
    }
    findings.expect(
        order.state != OrderState::Cancelled || tells(What::CancelAsked),
        &END_EXPLAINED,
        "somebody who asked for it to be cancelled",
        "CANCELLED, and nobody asked",
    );
    match (order.state, order.rejected_by) {
        (OrderState::Rejected, None) => {
            findings.add(
                &END_EXPLAINED,
                "who refused it, and why",
                "REJECTED by nobody",
            );
        }
        // Nobody refused: a participant did not answer, or an operator sent it back.
        (OrderState::Rejected, Some(Party::Order)) => {}
        (OrderState::Rejected, Some(party)) => findings.expect(
            tells(What::Refused),
            &END_EXPLAINED,
            format_args!("a refusal of the {party} in the history"),
            "none",
        ),
        (OrderState::Complete | OrderState::Cancelled, Some(party)) => findings.add(
            &END_EXPLAINED,
            format_args!("nobody who refused an order that is {}", order.state),
            party,
        ),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use contracts::Party;

    use crate::audit::rules::{Example, complete};

    #[test]
    fn no_record_is_missing() {
        complete()
            .wrong("history-whole", |facts| facts.history = None)
            .wrong("history-whole", |facts| {
                facts.history.as_mut().unwrap().count -= 1;
            });
    }

    #[test]
    fn an_end_is_in_the_history_and_no_other_end_is() {
        complete().wrong("end-explained", |facts| {
            let history = facts.history.as_mut().unwrap();
            history.what.retain(|what| what != "COMPLETED");
        });
        complete().wrong("end-explained", |facts| {
            facts
                .history
                .as_mut()
                .unwrap()
                .what
                .push("ROLLED_BACK".to_owned());
        });
    }

    #[test]
    fn a_cancelled_order_was_asked_to_be() {
        Example::cancelled().right();
        Example::cancelled().wrong("end-explained", |facts| {
            let history = facts.history.as_mut().unwrap();
            history.what.retain(|what| what != "CANCEL_ASKED");
        });
    }

    #[test]
    fn a_rejection_has_somebody_who_refused() {
        Example::rejected().right();
        Example::rejected().wrong("end-explained", |facts| {
            facts.order.as_mut().unwrap().rejected_by = None;
        });
        Example::rejected().wrong("end-explained", |facts| {
            facts
                .history
                .as_mut()
                .unwrap()
                .what
                .retain(|what| what != "REFUSED");
        });
        complete().wrong("end-explained", |facts| {
            facts.order.as_mut().unwrap().rejected_by = Some(Party::Payment);
        });
    }

    #[test]
    fn nobody_has_to_refuse_what_was_left_without_an_answer() {
        Example::rejected()
            .and(|facts| {
                facts.order.as_mut().unwrap().rejected_by = Some(Party::Order);
                facts
                    .history
                    .as_mut()
                    .unwrap()
                    .what
                    .retain(|what| what != "REFUSED");
            })
            .lacks("end-explained");
    }
}

//! The order's state is the one that its saga has brought it to. Both are written in one transaction.

use contracts::OrderState::{self, *};
use saga::{Purpose, State};

use super::{Findings, one_of};
use crate::audit::{
    facts::Saga,
    finding::{Holds, Rule, Subject},
};

const ORDER_FOLLOWS_SAGA: Rule = Rule {
    name: "order-follows-saga",
    about: Subject::Order,
    holds: Holds::Always,
    next: "GET /orders/{id}/saga tells how it came there; somebody changed a row by hand, or this is a bug: mend the row to what the history tells",
};

const SAGA_OVERDUE: Rule = Rule {
    name: "saga-overdue",
    about: Subject::Order,
    holds: Holds::Unattended,
    next: "does order-service run? it asks again, or shows the saga as stuck; POST /sagas/{id}/interventions with RETRY sets it going",
};

pub(super) const RULES: &[&Rule] = &[&ORDER_FOLLOWS_SAGA, &SAGA_OVERDUE];

/// The steps of the versions of the saga that are known here, and what the order is while each is under way.
const STEPS: [(&str, OrderState); 13] = [
    ("verify customer", Pending),
    ("create ticket", Pending),
    ("authorise payment", Pending),
    ("approve ticket", Pending),
    ("cook", Accepted),
    ("prepare ticket", Accepted),
    ("cooked", Preparing),
    ("capture payment", Preparing),
    ("ready ticket", Preparing),
    ("picked up", Ready),
    ("pick up ticket", Ready),
    ("delivered", Pickedup),
    ("complete ticket", Pickedup),
];

/// Where a step stands; nothing for a saga that a later version of order-service has declared.
pub(super) fn position(saga: &Saga, step: &str) -> Option<usize> {
    let known = saga.definition == "order" && matches!(saga.version, 1 | 2);
    let position = STEPS.iter().position(|(name, _)| *name == step);
    position.filter(|_| known)
}

/// Beyond this, an answer is not late but forgotten: commands are sent again, and after some attempts the saga is stuck.
const OVERDUE: chrono::TimeDelta = chrono::TimeDelta::hours(1);

pub(super) fn judge(findings: &mut Findings<'_>) {
    let facts = findings.facts;
    let (Some(order), Some(saga)) = (&facts.order, &facts.saga) else {
        return;
    };
    if let Some((expected, held)) = expected(saga) {
        let holds =
            expected == order.state && held.is_none_or(|held| Some(held) == order.held_state);
        let told = |state: OrderState, held: Option<OrderState>| match held {
            Some(held) => format!("{state} from {held}"),
            None => state.to_string(),
        };
        findings.expect(
            holds,
            &ORDER_FOLLOWS_SAGA,
            format_args!(
                "{}, since the saga is {} at `{}`",
                told(expected, held),
                saga.state,
                saga.step
            ),
            told(order.state, order.held_state),
        );
    }
    let asked = matches!(
        saga.state,
        State::Forward | State::Backward | State::Cancelling
    );
    let age = facts.read_at - saga.updated_at;
    if asked && age > OVERDUE {
        findings.add(
            &SAGA_OVERDUE,
            one_of(&["an answer", "another attempt", "STUCK"]),
            format_args!(
                "{} at `{}`, silent since {}",
                saga.state, saga.step, saga.updated_at
            ),
        );
    }
}

/// What the order must be, and from where it is to be cancelled, as far as that follows from the saga.
fn expected(saga: &Saga) -> Option<(OrderState, Option<OrderState>)> {
    let cancelling = saga.cancelling();
    let undoing = match cancelling {
        true => (CancelPending, None),
        false => (Pending, None),
    };
    match (saga.state, saga.purpose) {
        (State::Completed, _) => Some((Complete, None)),
        (State::RolledBack, _) => Some((if cancelling { Cancelled } else { Rejected }, None)),
        (State::Backward, _) | (State::Stuck, Some(Purpose::Undo)) => Some(undoing),
        (State::Cancelling, _) | (State::Stuck, Some(Purpose::Arbitrate)) => {
            Some((CancelPending, None))
        }
        (State::Forward | State::Waiting | State::Stuck, _) => {
            let (_, state) = STEPS[position(saga, &saga.step)?];
            match cancelling {
                true => Some((CancelPending, Some(state))),
                false => Some((state, None)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::rules::{Example, complete};
    use saga::Memory;

    #[test]
    fn the_steps_are_those_of_the_definitions() {
        let policy = saga::Policy::default();
        for definition in [
            order_service::saga::definition(policy).unwrap(),
            order_service::saga::version_1::definition(policy).unwrap(),
        ] {
            let names: Vec<&str> = definition.steps().iter().map(saga::Step::name).collect();
            assert_eq!(names, STEPS.map(|(name, _)| name));
            let known = Example::at("cook", State::Forward, Accepted);
            let mut saga = known.facts().saga.clone().unwrap();
            saga.version = definition.version();
            assert!(
                position(&saga, "cook").is_some(),
                "{}",
                definition.version()
            );
        }
        assert_eq!(
            order_service::saga::VERSION,
            2,
            "a new version: are its steps here?"
        );
    }

    #[test]
    fn an_order_is_where_its_saga_says() {
        complete().wrong("order-follows-saga", |facts| {
            facts.order.as_mut().unwrap().state = Pickedup;
        });
        Example::at("cooked", State::Waiting, Preparing).right();
        Example::at("cooked", State::Waiting, Ready).finds("order-follows-saga");
        Example::at("create ticket", State::Backward, Pending).right();
        Example::at("create ticket", State::Backward, Rejected).finds("order-follows-saga");
    }

    #[test]
    fn a_cancellation_shows_and_remembers_where_the_order_was() {
        let locked = |held| {
            Example::at("cook", State::Forward, CancelPending).and(|facts| {
                facts.order.as_mut().unwrap().held_state = Some(held);
                facts.saga.as_mut().unwrap().memory = Some(Memory {
                    cancelling: true,
                    ..Memory::default()
                });
            })
        };
        locked(Accepted).right();
        locked(Pending).finds("order-follows-saga");
    }

    #[test]
    fn a_saga_of_a_later_version_is_not_judged_by_its_steps() {
        Example::at("fly", State::Waiting, Accepted)
            .and(|facts| facts.saga.as_mut().unwrap().version = 3)
            .lacks("order-follows-saga");
    }

    #[test]
    fn an_answer_that_nobody_waits_for_any_more_is_found() {
        let old = |age: chrono::TimeDelta| {
            Example::at("cook", State::Forward, Accepted)
                .and(move |facts| facts.saga.as_mut().unwrap().updated_at = facts.read_at - age)
        };
        old(chrono::TimeDelta::minutes(59)).right();
        old(chrono::TimeDelta::minutes(61)).finds("saga-overdue");
    }
}

//! The client's ledger: what he asked for, what he was promised, and whether the end keeps it.

use std::collections::BTreeMap;

use contracts::{OrderId, OrderState};
use serde::Deserialize;
use visitor::violation::Violation;

use crate::intention::{Basket, Intention};
use crate::reading::Reading;

/// What cook and courier do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Action {
    Ready,
    PickUp,
    Complete,
}

/// What came of the requests for one thing.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Requests {
    /// Sent, whatever came of it.
    pub(crate) sent: u32,
    /// Answered with 2xx.
    pub(crate) granted: u32,
    /// Answered with 2xx, and it says that something changed.
    pub(crate) changed: u32,
    /// Answered with 409.
    pub(crate) refused: u32,
}

impl Requests {
    /// Those whose effect nobody knows: broken off, or answered with 5xx.
    const fn lost(self) -> u32 {
        self.sent - self.granted - self.refused
    }
}

/// The body of a 201.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Placed {
    pub(crate) order_id: OrderId,
}

/// One order as its client knows it.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) intention: Intention,
    /// The `Idempotency-Key`, and what was sent with it.
    pub(crate) key: String,
    pub(crate) body: String,
    /// The id, and the whole first answer.
    pub(crate) placed: Option<(OrderId, String)>,
    pub(crate) cancel: Requests,
    pub(crate) actions: BTreeMap<Action, Requests>,
    pub(crate) reading: Reading,
    /// What was wrong at once.
    violations: Vec<Violation>,
}

/// How an order ended, as its owner and the view tell it.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    /// order-service's word: state and version. None: it does not know the order.
    pub(crate) owner: Option<(OrderState, i64)>,
    /// What the same key with the same body gets now.
    pub(crate) again: String,
}

impl Account {
    /// Nothing was asked for yet.
    pub(crate) fn new(intention: Intention, key: String, body: String) -> Self {
        Self {
            intention,
            key,
            body,
            placed: None,
            cancel: Requests::default(),
            actions: BTreeMap::new(),
            reading: Reading::default(),
            violations: Vec::new(),
        }
    }

    /// Notes a violation of this order.
    pub(crate) fn complain(&mut self, what: impl Into<String>) {
        let order = match &self.placed {
            Some((id, _)) => id.to_string(),
            None => format!("(key {})", self.key),
        };
        self.violations.push(Violation::of(order, what));
    }

    /// Takes the body of a 201.
    pub(crate) fn take(&mut self, body: String) {
        match &self.placed {
            Some((_, first)) if *first != body => {
                let what = format!("one key, two answers: {first} and {body}");
                self.complain(what);
            }
            Some(_) => {}
            None => match serde_json::from_str::<Placed>(&body) {
                Ok(placed) => self.placed = Some((placed.order_id, body)),
                Err(error) => self.complain(format!("a 201 that cannot be read ({error}): {body}")),
            },
        }
    }

    /// The requests for an action so far.
    pub(crate) fn action(&self, action: Action) -> Requests {
        self.actions.get(&action).copied().unwrap_or_default()
    }

    /// Everything that is wrong with this order, now that it should have ended.
    pub(crate) fn judge(mut self, ending: &Ending) -> Vec<Violation> {
        let Some((_, first)) = self.placed.clone() else {
            self.complain("no answer to POST /orders, long after everything was healed");
            return self.violations;
        };
        if ending.again != first {
            self.complain(format!(
                "the same key gets another answer: {first}, now {}",
                ending.again
            ));
        }
        match ending.owner {
            None => self.complain("answered with 201, and lost"),
            Some((state, version)) => {
                let shown = self
                    .reading
                    .state()
                    .map(|state| (state, self.reading.version()));
                if shown != Some((state, version)) {
                    self.complain(format!(
                        "order-service says {state:?} at version {version}, the view {shown:?}"
                    ));
                }
                if let Err(why) = self.permits(state) {
                    self.complain(why);
                }
            }
        }
        for (action, requests) in self.actions.clone() {
            if requests.changed > 1 {
                self.complain(format!("{action:?} changed it {} times", requests.changed));
            }
        }
        self.violations
    }

    /// Whether the story can have this end.
    fn permits(&self, end: OrderState) -> Result<(), String> {
        let cancel = self.cancel;
        let cancellable = cancel.granted + cancel.lost() > 0;
        match end {
            OrderState::Complete => self.permits_complete(),
            OrderState::Cancelled if !cancellable => {
                Err("CANCELLED, and nobody had asked for it".to_owned())
            }
            OrderState::Cancelled if self.action(Action::Ready).granted > 0 => {
                Err("CANCELLED, after the kitchen was told that it is ready and agreed".to_owned())
            }
            OrderState::Cancelled => Ok(()),
            OrderState::Rejected if self.intention.basket == Basket::Good => {
                Err("REJECTED, with nothing wrong with it".to_owned())
            }
            OrderState::Rejected => Ok(()),
            other => Err(format!("it did not end: {other:?}")),
        }
    }

    fn permits_complete(&self) -> Result<(), String> {
        if self.intention.basket != Basket::Good {
            return Err(format!(
                "COMPLETE, with a basket that is {:?}",
                self.intention.basket
            ));
        }
        for action in [Action::Ready, Action::PickUp, Action::Complete] {
            let requests = self.action(action);
            if requests.granted == 0 {
                return Err(format!("COMPLETE, and {action:?} was never agreed to"));
            }
            if requests.changed == 0 && requests.lost() == 0 {
                return Err(format!(
                    "COMPLETE, and no answer to {action:?} has changed it"
                ));
            }
            // A kitchen that has said «ready» does not take it back, and nobody cancels after that.
            if requests.refused > 0 {
                return Err(format!("COMPLETE, and {action:?} was refused"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use OrderState::{Cancelled, Complete, Preparing, Rejected};

    use super::*;
    use crate::intention::intention;
    use crate::reading::Sight;

    const BODY: &str =
        r#"{"orderId":"018f0000-0000-7000-8000-0000000000c1","state":"PENDING","version":1}"#;

    const DONE: Requests = Requests {
        sent: 1,
        granted: 1,
        changed: 1,
        refused: 0,
    };

    fn account(basket: Basket) -> Account {
        let intention = Intention {
            basket,
            ..intention(1, 1)
        };
        let mut account = Account::new(intention, "key".to_owned(), String::new());
        account.take(BODY.to_owned());
        account
    }

    /// A good one, of which everything was said once.
    fn delivered() -> Account {
        let mut account = account(Basket::Good);
        let all = [Action::Ready, Action::PickUp, Action::Complete];
        account.actions = all.map(|action| (action, DONE)).into();
        account
    }

    /// What is wrong when the order ends so, in the view too, and the key still gets its answer.
    fn judged(mut account: Account, end: OrderState) -> Vec<String> {
        let sight = Sight {
            version: 14,
            state: end,
        };
        account.reading.see(sight, 0, 0).unwrap();
        let ending = Ending {
            owner: Some((end, 14)),
            again: BODY.to_owned(),
        };
        let violations = account.judge(&ending).into_iter();
        violations.map(|violation| violation.what).collect()
    }

    #[test]
    fn a_delivered_order_is_complete() {
        assert_eq!(judged(delivered(), Complete), [""; 0]);
    }

    #[test]
    fn complete_needs_every_action_to_have_been_agreed_to() {
        for action in [Action::Ready, Action::PickUp, Action::Complete] {
            let mut account = delivered();
            account.actions.remove(&action);
            assert_eq!(judged(account, Complete).len(), 1, "{action:?}");
        }
    }

    #[test]
    fn an_action_whose_first_answer_was_lost_may_have_changed_nothing_later() {
        let mut account = delivered();
        let repeated = Requests {
            sent: 2,
            changed: 0,
            ..DONE
        };
        account.actions.insert(Action::Ready, repeated);
        assert_eq!(judged(account, Complete), [""; 0]);
    }

    #[test]
    fn an_action_that_changed_an_order_twice_is_a_violation() {
        let mut account = delivered();
        let twice = Requests {
            sent: 2,
            granted: 2,
            changed: 2,
            refused: 0,
        };
        account.actions.insert(Action::PickUp, twice);
        assert_eq!(judged(account, Complete).len(), 1);
    }

    #[test]
    fn only_who_asked_may_be_cancelled() {
        assert_eq!(judged(account(Basket::Good), Cancelled).len(), 1);
        let mut asked = account(Basket::Good);
        asked.cancel = DONE;
        assert_eq!(judged(asked, Cancelled), [""; 0]);
    }

    #[test]
    fn a_cancellation_that_was_refused_every_time_cannot_take_effect() {
        let mut refused = account(Basket::Good);
        refused.cancel = Requests {
            sent: 1,
            refused: 1,
            ..Requests::default()
        };
        assert_eq!(judged(refused.clone(), Cancelled).len(), 1);
        refused.cancel.sent = 2;
        assert_eq!(judged(refused, Cancelled), [""; 0], "one answer was lost");
    }

    #[test]
    fn what_the_kitchen_has_ready_is_not_cancelled() {
        let mut account = delivered();
        account.cancel = DONE;
        assert_eq!(judged(account.clone(), Cancelled).len(), 1);
        assert_eq!(judged(account, Complete), [""; 0]);
    }

    #[test]
    fn rejected_is_what_was_bad_and_nothing_else() {
        assert_eq!(judged(account(Basket::Declined), Rejected), [""; 0]);
        assert_eq!(judged(account(Basket::Unknown), Rejected), [""; 0]);
        assert_eq!(judged(account(Basket::Good), Rejected).len(), 1);
    }

    #[test]
    fn what_was_bad_cannot_be_complete() {
        let bad = Account {
            intention: account(Basket::Declined).intention,
            ..delivered()
        };
        assert_eq!(judged(bad, Complete).len(), 1);
    }

    #[test]
    fn an_order_that_waits_for_nobody_must_have_ended() {
        assert_eq!(judged(delivered(), Preparing).len(), 1);
    }

    #[test]
    fn a_lost_order_another_answer_and_another_view_are_violations() {
        let ending = Ending {
            owner: None,
            again: "other".to_owned(),
        };
        assert_eq!(delivered().judge(&ending).len(), 2);
        let ending = Ending {
            owner: Some((Complete, 14)),
            again: BODY.to_owned(),
        };
        assert_eq!(
            delivered().judge(&ending).len(),
            1,
            "the view shows nothing"
        );
    }

    #[test]
    fn two_answers_to_one_key_are_told_at_once() {
        let mut account = delivered();
        account.take(BODY.replace("c1", "c2"));
        assert_eq!(judged(account, Complete).len(), 1);
    }
}

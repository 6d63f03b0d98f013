//! One order and the people around it: a customer who orders and perhaps cancels, a cook, a courier. Whoever gets no answer
//! asks again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contracts::{Machine, OrderId, OrderState};
use futures_util::future::join_all;
use serde::Deserialize;
use tokio::time::sleep;
use visitor::client::{Answer, Client, DELIVERY, KITCHEN, ORDERS, Request, VIEW};

use crate::ledger::{Account, Action};
use crate::pulse::Pulse;
use crate::reading::{Reading, Sight};

/// One order's story, from the first request to its end as the view shows it.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) client: Client,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) account: Arc<Mutex<Account>>,
}

#[derive(Deserialize)]
struct Changed {
    changed: Vec<OrderId>,
}

impl Story {
    /// Lives until the order has ended in the view. May be dropped at any moment: what was noted, stays.
    pub(crate) async fn live(self) {
        let requests = if self.account().intention.impatient {
            2
        } else {
            1
        };
        let placed = join_all((0..requests).map(|_| self.place())).await;
        let Some(id) = placed.into_iter().flatten().next() else {
            return;
        };
        let cancels = self.account().intention.cancels.clone();
        let story = &self;
        let customers = join_all(cancels.into_iter().map(|moment| async move {
            sleep(moment).await;
            story.cancel(id).await;
        }));
        tokio::join!(customers, story.accompany(id));
    }

    pub(crate) fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Places the order. Nothing: it was refused, which is a violation.
    async fn place(&self) -> Option<OrderId> {
        let (key, body) = {
            let account = self.account();
            (account.key.clone(), account.body.clone())
        };
        let request = Request::keyed(ORDERS, "/orders", &body, &key);
        let placed = self.client.insist(&request, |answer| match answer {
            Some(Answer { status: 201, body }) => Some(Ok(body)),
            // 409: the first one with this key is still under way.
            None
            | Some(Answer {
                status: 409 | 500..,
                ..
            }) => None,
            Some(Answer { status, body }) => Some(Err(format!("{status} {body}"))),
        });
        match placed.await {
            Ok(body) => self.account().take(body),
            Err(refusal) => {
                let what = format!("POST /orders was refused: {refusal}");
                self.account().complain(what);
            }
        }
        self.account().placed.as_ref().map(|(id, _)| *id)
    }

    async fn cancel(&self, id: OrderId) {
        let path = format!("/orders/{id}/cancel");
        let request = Request::post(ORDERS, &path, "");
        let mut attempt = 0;
        loop {
            self.account().cancel.sent += 1;
            match self.client.send(attempt, &request).await {
                Some(Answer { status: 202, .. }) => {
                    self.account().cancel.granted += 1;
                    return;
                }
                Some(Answer { status: 409, .. }) => {
                    self.account().cancel.refused += 1;
                    return;
                }
                Some(Answer {
                    status: status @ ..500,
                    body,
                }) => {
                    let what = format!("POST {path}: {status} {body}");
                    self.account().complain(what);
                    return;
                }
                _ => self.client.before_retry(attempt).await,
            }
            attempt += 1;
        }
    }

    /// Follows the order in the view, and does what cook and courier do, until it has ended.
    async fn accompany(&self, id: OrderId) {
        let mut attempt = 0;
        loop {
            let floor = self.account().reading.version();
            let next = floor + 1;
            let path = format!("/orders/{id}?atLeast={next}");
            let answer = self.client.send(attempt, &Request::get(VIEW, &path)).await;
            let Some(state) = self.noted(answer, floor, next) else {
                self.client.before_retry(attempt).await;
                attempt += 1;
                continue;
            };
            attempt = 0;
            self.pulse.beat();
            if state.is_final() {
                return;
            }
            self.work(id, state).await;
        }
    }

    /// The state that an answer of the view tells, if it does.
    fn noted(&self, answer: Option<Answer>, floor: i64, at_least: i64) -> Option<OrderState> {
        let mut account = self.account();
        let seen = match answer? {
            Answer { status: 200, body } => match serde_json::from_str::<Sight>(&body) {
                Ok(sight) => account
                    .reading
                    .see(sight, floor, at_least)
                    .map(|()| Some(sight.state)),
                Err(error) => Err(format!(
                    "the view's answer cannot be read ({error}): {body}"
                )),
            },
            Answer { status: 404, .. } => Reading::miss(floor).map(|()| None),
            _ => Ok(None),
        };
        seen.unwrap_or_else(|what| {
            account.complain(what);
            None
        })
    }

    /// What somebody does when he sees the order in this state.
    async fn work(&self, id: OrderId, state: OrderState) {
        let (work, races, hurries) = {
            let intention = &self.account().intention;
            (intention.work, intention.races, intention.hurries)
        };
        let actions: &[Action] = match state {
            OrderState::Preparing => &[Action::Ready],
            OrderState::Ready if hurries => &[Action::PickUp, Action::Complete],
            OrderState::Ready => &[Action::PickUp],
            OrderState::Pickedup => &[Action::Complete],
            _ => return,
        };
        if self.account().action(actions[0]).granted > 0 {
            return;
        }
        sleep(work).await;
        for &action in actions {
            if races && action == Action::Ready {
                tokio::join!(self.act(id, action), self.cancel(id));
            } else {
                self.act(id, action).await;
            }
            if self.account().intention.repeats && self.account().action(action).granted > 0 {
                self.act(id, action).await;
            }
        }
    }

    /// Acts until it was agreed to or refused.
    async fn act(&self, id: OrderId, action: Action) {
        let (service, path) = match action {
            Action::Ready => (KITCHEN, "/kitchen/ready"),
            Action::PickUp => (DELIVERY, "/delivery/pickedup"),
            Action::Complete => (DELIVERY, "/delivery/complete"),
        };
        let body = format!(r#"{{"orderId":"{id}"}}"#);
        let request = Request::post(service, path, &body);
        let mut attempt = 0;
        loop {
            self.account().actions.entry(action).or_default().sent += 1;
            let answer = self.client.send(attempt, &request).await;
            let done = self.agreed(id, action, answer);
            if done {
                return;
            }
            self.client.before_retry(attempt).await;
            attempt += 1;
        }
    }

    /// Notes an answer to an action; tells whether it was the last word.
    fn agreed(&self, id: OrderId, action: Action, answer: Option<Answer>) -> bool {
        let mut account = self.account();
        let Some(Answer { status, body }) = answer else {
            return false;
        };
        let requests = account.actions.entry(action).or_default();
        match status {
            200 => {
                requests.granted += 1;
                match serde_json::from_str::<Changed>(&body) {
                    Ok(Changed { changed }) if changed.is_empty() => {}
                    Ok(Changed { changed }) if changed == [id] => requests.changed += 1,
                    _ => account.complain(format!("{action:?} answered {body}")),
                }
                true
            }
            409 => {
                requests.refused += 1;
                true
            }
            // It has not heard of the order yet: nothing was done.
            404 => {
                requests.sent -= 1;
                false
            }
            500.. => false,
            _ => {
                account.complain(format!("{action:?}: {status} {body}"));
                true
            }
        }
    }
}

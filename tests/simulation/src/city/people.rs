//! Customers, cooks, couriers and operators, over REST; and the watch over deadlines.

use actions::Error;
use contracts::{OrderId, OrderItem, OrderState, Quantity};
use delivery_service::http::{PICK_UP, Step};
use messaging::Outgoing;
use order_service::domain::{Items, NewOrder};
use saga::{Input, Intervention, Ordered, State, Verdict};
use uuid::Uuid;

use super::{ACTIVE, City, DISH, Event, RESTAURANT, SOLD_OUT, SUSPENDED, Thing, card};
use crate::{
    defect::Defect,
    plan::{Owner, When},
};

/// People try again after this, when they got no answer, in milliseconds.
const AGAIN: u64 = 300;
/// Who never hears of an order gives up after so many tries, which is long after everything has healed.
const TRIES: usize = 5_000;

impl City {
    /// When a path of a service can be called again; `None` when it can be.
    fn rest(&self, owner: Owner) -> Option<crate::Moment> {
        self.away(&[Thing::Service(owner), Thing::Postgres])
    }

    pub(super) fn place(&mut self, story: usize) -> Result<(), String> {
        if let Some(until) = self.rest(Owner::Orders) {
            self.agenda.at(until, Event::Place(story));
            return Ok(());
        }
        let told = self.plan.stories[story].clone();
        let customer_id = if told.customer_is_active {
            ACTIVE
        } else {
            SUSPENDED
        };
        let item = OrderItem {
            menu_item_id: if told.dish_is_available {
                DISH
            } else {
                SOLD_OUT
            },
            quantity: Quantity::ONE,
        };
        let new = NewOrder {
            customer_id,
            restaurant_id: RESTAURANT,
            payment_method_id: card(customer_id, told.card),
            items: Items::new(vec![item]).map_err(|error| error.to_string())?,
        };
        let mut stamp = self.ids.stamp(self.agenda.now());
        let placed = self.orders.place(new, told.version, &mut stamp);
        let (order, mut said) = placed.map_err(|error| error.to_string())?;
        self.note(|| format!("order {order} is placed, on version {}", told.version));
        self.placed.insert(order, story);
        let cancels = told.cancels.iter().map(|when| (when, Event::Cancel(order)));
        let sent_back = told
            .sent_back
            .iter()
            .map(|when| (when, Event::SendBack(order)));
        let refunds = told.refunds.iter();
        let refunds = refunds.map(|when| (when, Event::Refund(order, 0)));
        for (when, event) in cancels.chain(sent_back).chain(refunds) {
            match when {
                When::After(wait) => self.agenda.after(*wait, event),
                When::AtStep(step, wait) => {
                    let waiting = self.at_step.entry((order, step.clone())).or_default();
                    waiting.push((*wait, event));
                }
            }
        }
        let wait = self.hand(order);
        self.agenda.after(wait, Event::Cooked(order, 0));
        self.saga_moved(order, &mut said)?;
        self.committed(Owner::Orders, said)
    }

    /// Gives an input to the saga of an order, in a transaction of its own. Gives what it was to the saga.
    fn give(&mut self, order: OrderId, input: Input<'_>) -> Result<Option<Verdict>, String> {
        let mut stamp = self.ids.stamp(self.agenda.now());
        let given = self.orders.give(order, input, &mut stamp);
        let given = given.map_err(|fault| format!("the saga of {order}: {fault}"))?;
        let Some((verdict, mut said)) = given else {
            return Err(format!("order {order} was placed, and is gone"));
        };
        if self.has(Defect::ResentUnderANewId) && matches!(input, Input::Silence { .. }) {
            for outgoing in &mut said {
                outgoing.id = self.ids.fresh();
            }
        }
        self.note(|| format!("order {order}: {input:?} is {verdict:?}"));
        self.saga_moved(order, &mut said)?;
        self.committed(Owner::Orders, said)?;
        Ok(Some(verdict))
    }

    pub(super) fn cancel(&mut self, order: OrderId) -> Result<(), String> {
        if let Some(until) = self.rest(Owner::Orders) {
            self.agenda.at(until, Event::Cancel(order));
            return Ok(());
        }
        *self.cancels.entry(order).or_default() += 1;
        self.give(order, Input::Cancel).map(drop)
    }

    pub(super) fn send_back(&mut self, order: OrderId) -> Result<(), String> {
        self.intervene(order, Intervention::SendBack)
    }

    /// Who is too early with it asks again, unless the order comes to nothing.
    pub(super) fn refund(&mut self, order: OrderId, tries: usize) -> Result<(), String> {
        let again = Event::Refund(order, tries + 1);
        if let Some(until) = self.rest(Owner::Payments) {
            self.agenda.at(until, again);
            return Ok(());
        }
        self.refunds.entry(order).or_default();
        let mut stamp = self.ids.stamp(self.agenda.now());
        match self.payments.refund(order, &mut stamp) {
            // 404, or 409: nothing was taken yet.
            None | Some(Err(_)) => {
                if tries < TRIES && !self.is_over(order) {
                    self.agenda.after(AGAIN, again);
                }
            }
            Some(Ok(None)) => self.note(|| format!("order {order} is being refunded already")),
            Some(Ok(Some(said))) => {
                self.note(|| format!("order {order} is to be refunded"));
                *self.refunds.entry(order).or_default() += 1;
                self.committed(Owner::Payments, said)?;
                self.calls_opened(false);
            }
        }
        Ok(())
    }

    /// A stuck saga is tried again until it is not stuck any more.
    pub(super) fn retry(&mut self, order: OrderId) -> Result<(), String> {
        self.stuck.remove(&order);
        if self
            .orders
            .saga(order)
            .is_some_and(|saga| saga.state == State::Stuck)
        {
            self.intervene(order, Intervention::Retry)?;
        }
        Ok(())
    }

    fn intervene(&mut self, order: OrderId, intervention: Intervention) -> Result<(), String> {
        if let Some(until) = self.rest(Owner::Orders) {
            let event = match intervention {
                Intervention::SendBack => Event::SendBack(order),
                Intervention::Retry | Intervention::Skip => Event::Retry(order),
            };
            self.agenda.at(until, event);
            return Ok(());
        }
        let ordered = Ordered {
            by: "an operator".to_owned(),
            why: "somebody has called".to_owned(),
        };
        let step = self.orders.saga(order).map(|saga| saga.step.clone());
        let input = Input::Operator {
            intervention,
            step: &step.unwrap_or_default(),
            ordered: &ordered,
        };
        self.give(order, input).map(drop)
    }

    /// Somebody looks whether the patience with a command has run out: it is awaited still, by this attempt, and does not
    /// wait in the outbox.
    pub(super) fn silence(
        &mut self,
        order: OrderId,
        command: Uuid,
        attempt: u32,
    ) -> Result<(), String> {
        if let Some(until) = self.rest(Owner::Orders) {
            let event = Event::Silence {
                order,
                command,
                attempt,
            };
            self.agenda.at(until.after(1), event);
            return Ok(());
        }
        let saga = self.orders.saga(order);
        let awaited = saga.and_then(|saga| saga.awaited.as_ref());
        let overdue =
            awaited.is_some_and(|awaited| awaited.id == command && awaited.attempt == attempt);
        let node = self.node(Owner::Orders);
        let unsent = node.outbox.get(node.sent..).unwrap_or_default();
        let waits = unsent.iter().any(|row| row.id == command);
        if !overdue || (waits && !self.has(Defect::DeadlineFromDecision)) {
            return Ok(());
        }
        self.give(order, Input::Silence { command }).map(drop)
    }

    /// Whether nobody needs to do anything about an order any more.
    fn is_over(&self, order: OrderId) -> bool {
        let state = self.orders.order(order).map(|order| order.state);
        matches!(
            state,
            Some(OrderState::Complete | OrderState::Rejected | OrderState::Cancelled)
        )
    }

    pub(super) fn cooked(&mut self, order: OrderId, tries: usize) -> Result<(), String> {
        let again = Event::Cooked(order, tries + 1);
        if let Some(until) = self.rest(Owner::Kitchens) {
            self.agenda.at(until, again);
            return Ok(());
        }
        let mut stamp = self.ids.stamp(self.agenda.now());
        let Some(done) = self.kitchens.ready(order, &mut stamp) else {
            if tries < TRIES && !self.is_over(order) {
                self.agenda.after(AGAIN, again);
            }
            return Ok(());
        };
        if self.acted(Owner::Kitchens, done)? {
            let wait = self.hand(order);
            self.agenda.after(wait, Event::PickedUp(order, 0));
        }
        Ok(())
    }

    pub(super) fn courier(
        &mut self,
        step: Step,
        order: OrderId,
        tries: usize,
    ) -> Result<(), String> {
        let picks_up = step == PICK_UP;
        let again = match picks_up {
            true => Event::PickedUp(order, tries + 1),
            false => Event::Delivered(order, tries + 1),
        };
        if let Some(until) = self.rest(Owner::Deliveries) {
            self.agenda.at(until, again);
            return Ok(());
        }
        let mut stamp = self.ids.stamp(self.agenda.now());
        let Some(done) = self.deliveries.step(step, order, &mut stamp) else {
            if tries < TRIES {
                self.agenda.after(AGAIN, again);
            }
            return Ok(());
        };
        if self.acted(Owner::Deliveries, done)? && picks_up {
            let wait = self.hand(order);
            self.agenda.after(wait, Event::Delivered(order, 0));
        }
        Ok(())
    }

    fn hand(&mut self, order: OrderId) -> u64 {
        let story = self.placed.get(&order).copied().unwrap_or_default();
        let (quickest, slowest) = self.plan.stories[story].hands;
        self.dice.within(quickest..=slowest)
    }

    /// Commits what an action has said. Gives whether it was done, now or before.
    fn acted(
        &mut self,
        owner: Owner,
        done: Result<Option<Outgoing>, Error>,
    ) -> Result<bool, String> {
        match done {
            Ok(said) => {
                self.committed(owner, said.into_iter().collect())?;
                Ok(true)
            }
            // It was cancelled: 409.
            Err(Error::Illegal(_)) => Ok(false),
            Err(error) => Err(error.to_string()),
        }
    }
}

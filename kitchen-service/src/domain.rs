//! A kitchen's work on one order. Pure: ids and times come in as values.

use chrono::{DateTime, Utc};
use contracts::{
    Code, CookId, CookReply, CookState, Illegal, Kind, Machine, OrderId, OrderItem, Reason,
    RestaurantId,
};
use messaging::TraceParent;

/// A kitchen's work on one order, or the tombstone of work that will never be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cook {
    /// The order: there is one work on it, whatever is asked twice.
    pub order_id: OrderId,
    /// The id of the work itself.
    pub cook_id: CookId,
    /// In whose kitchen. A tombstone does not know.
    pub restaurant_id: Option<RestaurantId>,
    /// What to cook.
    pub items: Vec<OrderItem>,
    /// How far it is.
    pub state: CookState,
    /// Counts what was said about it, from 1. Every message says something of its own, also one
    /// that finds the state as it was.
    pub version: i64,
    /// The order's trace, as it came here: what happens in the kitchen goes on from there.
    pub trace: Option<TraceParent>,
    /// When it came here.
    pub created_at: DateTime<Utc>,
    /// When something was last said about it.
    pub updated_at: DateTime<Utc>,
}

/// Who and when: what a work begins with.
#[derive(Debug, Clone, Copy)]
pub struct Beginning {
    /// The id of the new work.
    pub cook_id: CookId,
    /// The trace that it belongs to.
    pub trace: Option<TraceParent>,
    /// Now.
    pub now: DateTime<Utc>,
}

impl Cook {
    /// Cooking begins.
    #[must_use]
    pub fn begin(order: contracts::Cook, at: Beginning) -> Self {
        let contracts::Cook {
            order_id,
            restaurant_id,
            items,
            ..
        } = order;
        let cook = Self::new(order_id, CookState::Preparing, at);
        Self {
            restaurant_id: Some(restaurant_id),
            items,
            ..cook
        }
    }

    /// A cancellation came before its order: when the order comes, it will not be cooked.
    #[must_use]
    pub const fn tombstone(order_id: OrderId, at: Beginning) -> Self {
        Self::new(order_id, CookState::Cancelled, at)
    }

    const fn new(order_id: OrderId, state: CookState, at: Beginning) -> Self {
        Self {
            order_id,
            cook_id: at.cook_id,
            restaurant_id: None,
            items: Vec::new(),
            state,
            version: 1,
            trace: at.trace,
            created_at: at.now,
            updated_at: at.now,
        }
    }

    /// The kitchen was asked to cook what it knows already: the order was cancelled before it came,
    /// or the question came again after everybody had forgotten its answer. It is answered again,
    /// and nothing is cooked twice.
    pub fn asked_to_cook(&mut self, now: DateTime<Utc>) {
        self.speak(now);
    }

    /// The kitchen was asked to stop. It does, unless the order is ready.
    pub fn asked_to_cancel(&mut self, now: DateTime<Utc>) {
        if let Ok(cancelled) = self.state.move_to(CookState::Cancelled) {
            self.state = cancelled;
        }
        self.speak(now);
    }

    /// The cook is done. Gives whether this is news.
    ///
    /// # Errors
    /// It was cancelled.
    pub fn finish(&mut self, now: DateTime<Utc>) -> Result<bool, Illegal> {
        if self.state.has_reached(CookState::Ready) {
            return Ok(false);
        }
        self.state = self.state.move_to(CookState::Ready)?;
        self.speak(now);
        Ok(true)
    }

    const fn speak(&mut self, now: DateTime<Utc>) {
        self.version += 1;
        self.updated_at = now;
    }

    /// How a request to cook is answered, now that it was heard. A work that is READY by now was
    /// begun, and that is what was asked; the body tells how far it has come.
    #[must_use]
    pub const fn answer_to_approval(&self) -> Kind {
        match self.state {
            CookState::Preparing | CookState::Ready => Kind::KitchenPreparing,
            CookState::Cancelled => Kind::KitchenCancelled,
        }
    }

    /// How a request to stop is answered, now that it was heard.
    #[must_use]
    pub const fn answer_to_cancellation(&self) -> Kind {
        match self.state {
            CookState::Cancelled => Kind::KitchenCancelled,
            CookState::Preparing | CookState::Ready => Kind::KitchenCancelRefused,
        }
    }

    /// What a message of this kind tells.
    #[must_use]
    pub fn tell(&self, kind: Kind) -> CookReply {
        let refused = kind == Kind::KitchenCancelRefused;
        CookReply {
            order_id: self.order_id,
            cook_id: self.cook_id,
            restaurant_id: self.restaurant_id,
            state: self.state,
            reason: refused.then(|| Reason::new(Code::ALREADY_READY, "The order is cooked.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const ORDER: OrderId = OrderId::new(Uuid::from_u128(1));

    fn beginning() -> Beginning {
        Beginning {
            cook_id: CookId::new(Uuid::from_u128(2)),
            trace: None,
            now: DateTime::UNIX_EPOCH,
        }
    }

    fn preparing() -> Cook {
        let order = contracts::Cook {
            order_id: ORDER,
            state: contracts::OrderState::Accepted,
            restaurant_id: RestaurantId::new(Uuid::from_u128(3)),
            items: Vec::new(),
        };
        Cook::begin(order, beginning())
    }

    #[test]
    fn a_work_begins_in_a_state_in_which_it_may_begin() {
        assert!(preparing().state.begin().is_ok());
        assert!(Cook::tombstone(ORDER, beginning()).state.begin().is_ok());
    }

    #[test]
    fn cooking_ends_once() {
        let mut cook = preparing();
        assert_eq!((cook.state, cook.version), (CookState::Preparing, 1));
        assert_eq!(cook.finish(DateTime::UNIX_EPOCH), Ok(true));
        assert_eq!(cook.finish(DateTime::UNIX_EPOCH), Ok(false));
        assert_eq!((cook.state, cook.version), (CookState::Ready, 2));
    }

    #[test]
    fn what_is_being_cooked_can_be_stopped() {
        let mut cook = preparing();
        cook.asked_to_cancel(DateTime::UNIX_EPOCH);
        assert_eq!(cook.answer_to_cancellation(), Kind::KitchenCancelled);
        let error = cook.finish(DateTime::UNIX_EPOCH).unwrap_err().to_string();
        assert_eq!(error, "kitchen cannot go from CANCELLED to READY");
    }

    #[test]
    fn what_is_ready_cannot_be_stopped() {
        let mut cook = preparing();
        cook.finish(DateTime::UNIX_EPOCH).unwrap();
        cook.asked_to_cancel(DateTime::UNIX_EPOCH);
        let kind = cook.answer_to_cancellation();
        assert_eq!(
            (kind, cook.state),
            (Kind::KitchenCancelRefused, CookState::Ready)
        );
        assert_eq!(cook.tell(kind).reason.unwrap().code, Code::ALREADY_READY);
        assert_eq!(cook.version, 3);
    }

    #[test]
    fn what_was_cancelled_before_it_came_is_not_cooked() {
        let mut cook = Cook::tombstone(ORDER, beginning());
        assert_eq!(cook.answer_to_cancellation(), Kind::KitchenCancelled);
        cook.asked_to_cook(DateTime::UNIX_EPOCH);
        assert_eq!(cook.answer_to_approval(), Kind::KitchenCancelled);
        assert_eq!((cook.state, cook.version), (CookState::Cancelled, 2));
    }
}

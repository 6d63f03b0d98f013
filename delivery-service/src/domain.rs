//! The way of one order to its customer. Pure: ids and times come in as values.

use chrono::{DateTime, Utc};
use contracts::{
    DeliveryId, DeliveryReply, DeliveryState, Illegal, Machine, OrderId, RestaurantId,
};
use messaging::TraceParent;

/// The way of one order to its customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The order: there is one delivery of it.
    pub order_id: OrderId,
    /// The id of the delivery itself.
    pub delivery_id: DeliveryId,
    /// Where to pick it up, where the kitchen said so.
    pub restaurant_id: Option<RestaurantId>,
    /// How far it is.
    pub state: DeliveryState,
    /// Counts its states, from 1. The first one is nobody's news: the kitchen has told it.
    pub version: i64,
    /// The order's trace, as it came here: what happens on the way goes on from there.
    pub trace: Option<TraceParent>,
    /// When it came here.
    pub created_at: DateTime<Utc>,
    /// When it took its present state.
    pub updated_at: DateTime<Utc>,
}

impl Delivery {
    /// An order is cooked, and waits for a courier.
    #[must_use]
    pub const fn begin(
        order_id: OrderId,
        delivery_id: DeliveryId,
        restaurant_id: Option<RestaurantId>,
        trace: Option<TraceParent>,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            order_id,
            delivery_id,
            restaurant_id,
            state: DeliveryState::Ready,
            version: 1,
            trace,
            created_at: now,
            updated_at: now,
        }
    }

    /// Takes the step to `milestone`. Gives whether this is news: it may have been taken before.
    ///
    /// # Errors
    /// The step before it was not taken.
    pub fn reach(&mut self, milestone: DeliveryState, now: DateTime<Utc>) -> Result<bool, Illegal> {
        if self.state.has_reached(milestone) {
            return Ok(false);
        }
        self.state = self.state.move_to(milestone)?;
        self.version += 1;
        self.updated_at = now;
        Ok(true)
    }

    /// What a message about it tells.
    #[must_use]
    pub const fn tell(&self) -> DeliveryReply {
        DeliveryReply {
            order_id: self.order_id,
            delivery_id: self.delivery_id,
            state: self.state,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn delivery() -> Delivery {
        let id = Uuid::from_u128(1);
        Delivery::begin(OrderId::new(id), DeliveryId::new(id), None, None, NOW)
    }

    #[test]
    fn a_delivery_begins_in_a_state_in_which_it_may_begin() {
        assert!(delivery().state.begin().is_ok());
    }

    #[test]
    fn each_step_is_taken_once() {
        let mut delivery = delivery();
        for (milestone, version) in [(DeliveryState::Pickedup, 2), (DeliveryState::Complete, 3)] {
            assert_eq!(delivery.reach(milestone, NOW), Ok(true));
            assert_eq!(delivery.reach(milestone, NOW), Ok(false));
            assert_eq!((delivery.state, delivery.version), (milestone, version));
        }
        let again = delivery.reach(DeliveryState::Pickedup, NOW);
        assert_eq!(again, Ok(false), "what is delivered was picked up");
    }

    #[test]
    fn what_was_not_picked_up_is_not_delivered() {
        let error = delivery().reach(DeliveryState::Complete, NOW).unwrap_err();
        assert_eq!(
            error.to_string(),
            "delivery cannot go from READY to COMPLETE"
        );
    }
}

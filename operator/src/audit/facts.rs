//! What all services say about one order: values, read from their rows, as far as the rules need them.

use chrono::{DateTime, Utc};
use contracts::{
    CookState, CustomerId, DeliveryState, Money, OrderId, OrderItem, OrderState, Party,
    PaymentMethodId, PaymentState, PricedItem, RestaurantId, TicketId, TicketState,
};
use order_view::domain::{self, Latest, OrderView};
use saga::{Memory, Purpose, State};
use serde::Deserialize;
use uuid::Uuid;

/// What all services say about one order, read within some milliseconds of each other: the order first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Facts {
    pub(crate) id: OrderId,
    /// When that was.
    pub(crate) read_at: DateTime<Utc>,
    /// Who was asked. What the others would say is not known, which is not the same as nothing.
    pub(crate) asked: Asked,
    pub(crate) order: Option<Order>,
    pub(crate) saga: Option<Saga>,
    pub(crate) history: Option<History>,
    pub(crate) verification: Option<Verification>,
    pub(crate) ticket: Option<Ticket>,
    pub(crate) payment: Option<Payment>,
    pub(crate) cook: Option<Cook>,
    pub(crate) delivery: Option<Delivery>,
    pub(crate) view: Option<OrderView>,
    /// What the gateway did under the order's id, in its order.
    pub(crate) ledger: Vec<Entry>,
    /// Rows that hold what no version of this program can read.
    pub(crate) unreadable: Vec<String>,
}

/// Who was asked about the order; its owner always is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) customers: bool,
    pub(crate) restaurants: bool,
    pub(crate) payments: bool,
    pub(crate) kitchens: bool,
    pub(crate) deliveries: bool,
    pub(crate) views: bool,
    pub(crate) gateway: bool,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Order {
    pub(crate) state: OrderState,
    pub(crate) held_state: Option<OrderState>,
    pub(crate) version: i64,
    pub(crate) customer_id: CustomerId,
    pub(crate) restaurant_id: RestaurantId,
    pub(crate) payment_method_id: PaymentMethodId,
    pub(crate) ticket_id: Option<TicketId>,
    pub(crate) total: Option<Money>,
    pub(crate) rejected_by: Option<Party>,
    pub(crate) items: Vec<OrderItem>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Saga {
    pub(crate) definition: String,
    pub(crate) version: u32,
    pub(crate) state: State,
    pub(crate) step: String,
    pub(crate) purpose: Option<Purpose>,
    pub(crate) memory: Option<Memory>,
    pub(crate) records: i64,
    pub(crate) updated_at: DateTime<Utc>,
}

/// The history of a saga, summed up.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct History {
    /// How many records it has.
    pub(crate) count: i64,
    /// The number of the last one.
    pub(crate) last: i64,
    /// What happened, each word once.
    pub(crate) what: Vec<String>,
    /// The steps that an operator had it go on from without an answer.
    pub(crate) skipped: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Verification {
    pub(crate) customer_id: CustomerId,
    /// `APPROVED` or `REJECTED`.
    pub(crate) state: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Ticket {
    pub(crate) ticket_id: TicketId,
    pub(crate) restaurant_id: RestaurantId,
    pub(crate) state: TicketState,
    pub(crate) version: i64,
    pub(crate) items: Vec<PricedItem>,
    pub(crate) total: Option<Money>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Payment {
    pub(crate) state: PaymentState,
    pub(crate) version: i64,
    pub(crate) amount: Option<Money>,
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) payment_method_id: Option<PaymentMethodId>,
    /// What the gateway calls the hold.
    pub(crate) authorisation: Option<String>,
    /// What the gateway is being asked: `AUTHORISE`, `CAPTURE`, `VOID` or `REFUND`.
    pub(crate) calling: Option<String>,
    /// An operator has ordered a refund.
    pub(crate) refund_ordered: bool,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Cook {
    pub(crate) restaurant_id: Option<RestaurantId>,
    pub(crate) state: CookState,
    pub(crate) version: i64,
    pub(crate) items: Vec<OrderItem>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) restaurant_id: Option<RestaurantId>,
    pub(crate) state: DeliveryState,
    pub(crate) version: i64,
}

/// One entry of the gateway's ledger.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    /// `HOLD`, `DECLINE`, `CHARGE`, `VOID` or `REFUND`.
    pub(crate) kind: String,
    pub(crate) authorisation_id: Uuid,
    pub(crate) amount: i64,
    pub(crate) currency: String,
}

/// A row of `order_views`, on its way to being a view.
#[derive(Debug, Deserialize)]
pub(crate) struct ViewRow {
    order_id: OrderId,
    facts: domain::Facts,
    order_version: i64,
    order: Option<domain::OrderTold>,
    ticket_version: i64,
    ticket: Option<domain::TicketTold>,
    payment_version: i64,
    payment: Option<domain::PaymentTold>,
    kitchen_version: i64,
    kitchen: Option<domain::KitchenTold>,
    delivery_version: i64,
    delivery: Option<domain::DeliveryTold>,
    as_of: DateTime<Utc>,
}

impl From<ViewRow> for OrderView {
    fn from(row: ViewRow) -> Self {
        fn latest<T>(version: i64, told: Option<T>) -> Latest<T> {
            told.map_or_else(Latest::default, |told| Latest::new(version, told))
        }
        Self {
            order_id: row.order_id,
            facts: row.facts,
            order: latest(row.order_version, row.order),
            ticket: latest(row.ticket_version, row.ticket),
            payment: latest(row.payment_version, row.payment),
            kitchen: latest(row.kitchen_version, row.kitchen),
            delivery: latest(row.delivery_version, row.delivery),
            as_of: row.as_of,
        }
    }
}

impl Facts {
    /// Nothing is known yet.
    pub(crate) const fn new(id: OrderId, asked: Asked, read_at: DateTime<Utc>) -> Self {
        Self {
            id,
            read_at,
            asked,
            order: None,
            saga: None,
            history: None,
            verification: None,
            ticket: None,
            payment: None,
            cook: None,
            delivery: None,
            view: None,
            ledger: Vec::new(),
            unreadable: Vec::new(),
        }
    }

    /// Whether nothing has changed, whenever it was read.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let other = Self {
            read_at: self.read_at,
            ..other.clone()
        };
        *self == other
    }

    /// The order, when its saga awaits nobody's answer: it has ended, or waits for a person. All that was asked of the
    /// participants was done before that.
    pub(crate) fn settled(&self) -> Option<&Order> {
        let saga = self.saga.as_ref()?;
        let settled = matches!(
            saga.state,
            State::Waiting | State::Completed | State::RolledBack
        );
        self.order.as_ref().filter(|_| settled)
    }

    /// What is under way about the order by its owners' own rows, if anything.
    pub(crate) fn under_way(&self) -> Option<String> {
        if let Some(saga) = &self.saga
            && saga.awaits()
        {
            return Some(format!("the saga is {} at `{}`", saga.state, saga.step));
        }
        let calling = self.payment.as_ref().and_then(|it| it.calling.as_ref());
        calling.map(|intent| format!("the gateway is being asked: {intent}"))
    }
}

impl Saga {
    /// Whether it awaits an answer, from a participant or, when it is stuck, from an operator.
    pub(crate) const fn awaits(&self) -> bool {
        matches!(
            self.state,
            State::Forward | State::Backward | State::Cancelling | State::Stuck
        )
    }

    /// Whether somebody has asked for it to be cancelled, and was not refused.
    pub(crate) fn cancelling(&self) -> bool {
        self.memory.as_ref().is_some_and(|memory| memory.cancelling)
    }
}

impl History {
    pub(crate) fn has(&self, what: saga::What) -> bool {
        self.what.iter().any(|word| word == what.as_str())
    }

    /// Whether an operator has answered for a kitchen that did not say whether the order may be cancelled. Whatever else is
    /// sent back was so before the kitchen was asked, or is never cancelled.
    pub(crate) fn is_kitchen_answered_for(&self) -> bool {
        self.has(saga::What::ArbiterAsked)
            && self.has(saga::What::SentBack)
            && !self.has(saga::What::CancelGranted)
    }
}

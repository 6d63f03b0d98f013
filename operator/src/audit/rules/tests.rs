//! Examples: orders about which everything is right, to be made wrong in one way each.

use chrono::{DateTime, Utc};
use contracts::{
    CookState, Currency, DeliveryState, Money,
    OrderState::{self, *},
    Party, PaymentState, PricedItem, Quantity, TicketState,
};
use order_view::domain::{
    DeliveryTold, Facts as ViewFacts, KitchenTold, Latest, OrderTold, OrderView, PaymentTold,
    TicketTold,
};
use saga::{Memory, State};
use uuid::Uuid;

use super::*;
use crate::audit::facts::{
    Asked, Cook, Delivery, Entry, History, Order, Payment, Saga, Ticket, Verification,
};

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// An order, in a test.
pub(crate) struct Example(Facts);

fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(number).into()
}

fn euros(cents: i64) -> Money {
    Money::new(cents, Currency::EUR).unwrap()
}

/// An order that was delivered and paid for.
pub(crate) fn complete() -> Example {
    Example::new(
        "complete ticket",
        State::Completed,
        Complete,
        &["COMPLETED"],
    )
}

impl Example {
    /// A delivered order, made different.
    pub(crate) fn of(change: impl FnOnce(&mut Facts)) -> Self {
        complete().and(change)
    }

    /// An order that was cancelled while it was cooked.
    pub(crate) fn cancelled() -> Self {
        let what = ["CANCEL_ASKED", "ROLLED_BACK"];
        Self::new("create ticket", State::RolledBack, Cancelled, &what)
    }

    /// An order whose card was declined.
    pub(crate) fn rejected() -> Self {
        let what = ["REFUSED", "ROLLED_BACK"];
        Self::new("create ticket", State::RolledBack, Rejected, &what)
    }

    /// An order on its way.
    pub(crate) fn at(step: &str, saga: State, order: OrderState) -> Self {
        Self::new(step, saga, order, &[])
    }

    fn new(step: &str, state: State, order: OrderState, what: &[&str]) -> Self {
        let mut facts = Facts::new(
            id(1),
            Asked {
                customers: true,
                restaurants: true,
                payments: true,
                kitchens: true,
                deliveries: true,
                views: true,
                gateway: true,
            },
            NOW,
        );
        let priced = PricedItem {
            menu_item_id: id(6),
            name: "Pizza".to_owned(),
            quantity: Quantity::new(2).unwrap(),
            unit_price: euros(625),
            line_total: euros(1250),
        };
        let items = vec![contracts::OrderItem {
            menu_item_id: id(6),
            quantity: Quantity::new(2).unwrap(),
        }];
        facts.order = Some(Order {
            state: order,
            held_state: None,
            version: 9,
            customer_id: id(2),
            restaurant_id: id(3),
            payment_method_id: id(4),
            ticket_id: Some(id(5)),
            total: Some(euros(1250)),
            rejected_by: (order == Rejected).then_some(Party::Payment),
            items: items.clone(),
        });
        facts.saga = Some(Saga {
            definition: "order".to_owned(),
            version: 2,
            state,
            step: step.to_owned(),
            purpose: None,
            memory: (order == Cancelled).then(|| Memory {
                cancelling: true,
                ..Memory::default()
            }),
            records: 20,
            updated_at: NOW,
        });
        facts.history = Some(History {
            count: 20,
            last: 20,
            what: what.iter().map(|&what| what.to_owned()).collect(),
            skipped: None,
        });
        facts.verification = Some(Verification {
            customer_id: id(2),
            state: "APPROVED".to_owned(),
        });
        facts.ticket = Some(Ticket {
            ticket_id: id(5),
            restaurant_id: id(3),
            state: match order {
                CancelPending => TicketState::Pending,
                other => other.as_str().parse().unwrap(),
            },
            version: 6,
            items: vec![priced],
            total: Some(euros(1250)),
        });
        let (payment, kinds): (_, &[&str]) = match order {
            Rejected => (PaymentState::Declined, &["DECLINE"]),
            Cancelled => (PaymentState::Voided, &["HOLD", "VOID"]),
            Ready | Pickedup | Complete => (PaymentState::Captured, &["HOLD", "CHARGE"]),
            _ => (PaymentState::Authorised, &["HOLD"]),
        };
        facts.payment = Some(Payment {
            state: payment,
            version: 3,
            amount: Some(euros(1250)),
            customer_id: Some(id(2)),
            payment_method_id: Some(id(4)),
            authorisation: (order != Rejected).then(|| Uuid::from_u128(7).to_string()),
            calling: None,
            refund_ordered: false,
        });
        let entry = |kind: &&str| Entry {
            kind: (*kind).to_owned(),
            authorisation_id: id(7),
            amount: 1250,
            currency: "EUR".to_owned(),
        };
        facts.ledger = kinds.iter().map(entry).collect();
        let cooked = matches!(order, Ready | Pickedup | Complete);
        facts.cook = (order != Rejected).then(|| Cook {
            restaurant_id: Some(id(3)),
            state: match order {
                Cancelled => CookState::Cancelled,
                _ if cooked => CookState::Ready,
                _ => CookState::Preparing,
            },
            version: 2,
            items,
        });
        facts.delivery = cooked.then(|| Delivery {
            restaurant_id: Some(id(3)),
            state: match order {
                Pickedup => DeliveryState::Pickedup,
                Complete => DeliveryState::Complete,
                _ => DeliveryState::Ready,
            },
            version: 1 + i64::from(order == Pickedup) + 2 * i64::from(order == Complete),
        });
        facts.view = Some(view(&facts));
        Self(facts)
    }

    pub(crate) const fn facts(&self) -> &Facts {
        &self.0
    }

    pub(crate) fn and(mut self, change: impl FnOnce(&mut Facts)) -> Self {
        change(&mut self.0);
        self
    }

    /// The names of the rules that find something.
    pub(crate) fn rules(&self) -> Vec<&'static str> {
        judge(&self.0)
            .iter()
            .map(|finding| finding.rule.name)
            .collect()
    }

    /// Nothing is found.
    #[track_caller]
    pub(crate) fn right(&self) {
        assert_eq!(judge(&self.0), []);
    }

    #[track_caller]
    pub(crate) fn finds(&self, rule: &str) {
        assert!(
            self.rules().contains(&rule),
            "{rule} is not in {:?}",
            self.rules()
        );
    }

    #[track_caller]
    pub(crate) fn lacks(&self, rule: &str) {
        assert!(!self.rules().contains(&rule), "{:?}", judge(&self.0));
    }

    /// It is right, and wrong after `change`.
    #[track_caller]
    pub(crate) fn wrong(&self, rule: &str, change: impl FnOnce(&mut Facts)) -> &Self {
        self.right();
        Self(self.0.clone()).and(change).finds(rule);
        self
    }

    /// It is right, and still right after `change`.
    #[track_caller]
    pub(crate) fn tolerates(&self, change: impl FnOnce(&mut Facts)) -> &Self {
        self.right();
        Self(self.0.clone()).and(change).right();
        self
    }
}

/// What everybody has said.
fn view(facts: &Facts) -> OrderView {
    let order = facts.order.as_ref().unwrap();
    let ticket = facts.ticket.as_ref().unwrap();
    let payment = facts.payment.as_ref().unwrap();
    let kitchen = facts.cook.as_ref().map(|cook| {
        let told = KitchenTold {
            cook_id: id(8),
            state: cook.state,
            at: NOW,
        };
        Latest::new(cook.version, told)
    });
    let delivery = facts
        .delivery
        .as_ref()
        .filter(|it| it.version > 1)
        .map(|delivery| {
            let told = DeliveryTold {
                delivery_id: id(9),
                state: delivery.state,
                at: NOW,
            };
            Latest::new(delivery.version, told)
        });
    OrderView {
        order_id: facts.id,
        facts: ViewFacts {
            customer_id: Some(id(2)),
            restaurant_id: Some(id(3)),
            items: Some(order.items.clone()),
            ticket_id: Some(id(5)),
            total: Some(euros(1250)),
            ..ViewFacts::default()
        },
        order: Latest::new(
            order.version,
            OrderTold {
                state: order.state,
                at: NOW,
                rejection: None,
            },
        ),
        ticket: Latest::new(
            ticket.version,
            TicketTold {
                state: ticket.state,
                at: NOW,
                reason: None,
            },
        ),
        payment: Latest::new(
            payment.version,
            PaymentTold {
                payment_id: id(10),
                state: payment.state,
                at: NOW,
                reason: None,
            },
        ),
        kitchen: kitchen.unwrap_or_default(),
        delivery: delivery.unwrap_or_default(),
        as_of: NOW,
    }
}

#[test]
fn orders_that_are_as_they_must_be_give_no_findings() {
    complete().right();
    Example::cancelled().right();
    Example::rejected().right();
    Example::at("cooked", State::Waiting, Preparing).right();
    Example::at("picked up", State::Waiting, Ready).right();
    Example::at("delivered", State::Waiting, Pickedup).right();
}

#[test]
fn rules_have_names_of_their_own_and_operators_are_told_what_they_mean() {
    let manual = include_str!("../../../../docs/operations.md");
    let names: Vec<&str> = ALL
        .iter()
        .copied()
        .flatten()
        .map(|rule| rule.name)
        .collect();
    for (index, name) in names.iter().enumerate() {
        assert!(!names[..index].contains(name), "{name} is there twice");
        assert!(
            manual.contains(&format!("`{name}`")),
            "docs/operations.md does not tell of {name}"
        );
    }
}

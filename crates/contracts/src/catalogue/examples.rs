//! One order as an example, in the words of everyone who speaks of it.

use chrono::DateTime;
use uuid::Uuid;

use crate::{
    AuthorisePayment, Code, Cook, CookId, CookReply, CookState, CreateTicket, Currency, CustomerId,
    CustomerReply, DeliveryId, DeliveryReply, DeliveryState, Kind, KitchenOrder, MenuItemId, Money,
    OrderChanged, OrderId, OrderItem, OrderState, Party, PaymentId, PaymentMethodId, PaymentOrder,
    PaymentReply, PaymentState, PricedItem, Quantity, Reason, Rejection, RestaurantId, TicketId,
    TicketOrder, TicketReply, TicketState, VerificationState, VerifyCustomer,
};

/// A body that can show itself.
pub(super) trait Example {
    /// The body of an example of this kind.
    fn example(kind: Kind) -> Self;
}

const fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number)
}

const ORDER: OrderId = OrderId::new(id(1));
const CUSTOMER: CustomerId = CustomerId::new(id(2));
const RESTAURANT: RestaurantId = RestaurantId::new(id(3));
const DISH: MenuItemId = MenuItemId::new(id(4));
const METHOD: PaymentMethodId = PaymentMethodId::new(id(5));
const TICKET: TicketId = TicketId::new(id(6));
const PAYMENT: PaymentId = PaymentId::new(id(7));
const COOK: CookId = CookId::new(id(8));
const DELIVERY: DeliveryId = DeliveryId::new(id(9));

/// Two of the dish.
fn two() -> Quantity {
    Quantity::new(2).unwrap_or(Quantity::ONE)
}

fn euros(cents: u32) -> Money {
    Money::new(cents.into(), Currency::EUR).unwrap_or(Money::zero(Currency::EUR))
}

fn items() -> Vec<OrderItem> {
    vec![OrderItem {
        menu_item_id: DISH,
        quantity: two(),
    }]
}

/// The reason that goes with a refusal.
fn reason(kind: Kind) -> Option<Reason> {
    let (code, detail) = match kind {
        Kind::CustomerRejected => (Code::CUSTOMER_SUSPENDED, "The customer is suspended."),
        Kind::TicketRejected => (Code::ITEM_UNAVAILABLE, "Margherita is not to be had today."),
        Kind::PaymentRejected => (Code::CARD_DECLINED, "The issuer declined the card."),
        Kind::KitchenCancelRefused => (Code::ALREADY_READY, "The order is cooked."),
        _ => return None,
    };
    Some(Reason::new(code, detail))
}

/// The order's state while this is said.
fn order_state(kind: Kind) -> OrderState {
    match kind {
        Kind::OrderPreparing => OrderState::Accepted,
        Kind::OrderReady => OrderState::Preparing,
        Kind::OrderPickedup => OrderState::Ready,
        Kind::OrderComplete => OrderState::Pickedup,
        Kind::OrderCancelled | Kind::OrderCancelRequested => OrderState::CancelPending,
        _ => OrderState::Pending,
    }
}

impl Example for VerifyCustomer {
    fn example(kind: Kind) -> Self {
        Self {
            order_id: ORDER,
            state: order_state(kind),
            customer_id: CUSTOMER,
            restaurant_id: RESTAURANT,
            items: items(),
            created_at: DateTime::from_timestamp_nanos(1_780_000_000_123_456_000),
        }
    }
}

impl Example for OrderChanged {
    fn example(_: Kind) -> Self {
        let rejection = reason(Kind::PaymentRejected).map(|reason| Rejection {
            by: Party::Payment,
            reason,
        });
        Self {
            order_id: ORDER,
            state: OrderState::Rejected,
            customer_id: CUSTOMER,
            restaurant_id: RESTAURANT,
            rejection,
            total: Some(euros(2500)),
        }
    }
}

impl Example for CreateTicket {
    fn example(kind: Kind) -> Self {
        Self {
            order_id: ORDER,
            state: order_state(kind),
            customer_id: CUSTOMER,
            restaurant_id: RESTAURANT,
            items: items(),
        }
    }
}

impl Example for TicketOrder {
    fn example(kind: Kind) -> Self {
        Self {
            order_id: ORDER,
            state: order_state(kind),
        }
    }
}

impl Example for AuthorisePayment {
    fn example(kind: Kind) -> Self {
        Self {
            order_id: ORDER,
            state: order_state(kind),
            customer_id: CUSTOMER,
            payment_method_id: METHOD,
            amount: euros(2500),
        }
    }
}

impl Example for PaymentOrder {
    fn example(kind: Kind) -> Self {
        Self {
            order_id: ORDER,
            state: order_state(kind),
        }
    }
}

impl Example for Cook {
    fn example(_: Kind) -> Self {
        Self {
            order_id: ORDER,
            state: OrderState::Accepted,
            restaurant_id: RESTAURANT,
            items: items(),
        }
    }
}

impl Example for KitchenOrder {
    fn example(kind: Kind) -> Self {
        Self {
            order_id: ORDER,
            state: order_state(kind),
        }
    }
}

impl Example for CustomerReply {
    fn example(kind: Kind) -> Self {
        let state = match kind {
            Kind::CustomerRejected => VerificationState::Rejected,
            _ => VerificationState::Approved,
        };
        Self {
            order_id: ORDER,
            customer_id: CUSTOMER,
            state,
            reason: reason(kind),
        }
    }
}

impl Example for TicketReply {
    fn example(kind: Kind) -> Self {
        let state = match kind {
            Kind::TicketRejected => TicketState::Rejected,
            Kind::TicketApproved => TicketState::Accepted,
            Kind::TicketPreparing => TicketState::Preparing,
            Kind::TicketReady => TicketState::Ready,
            Kind::TicketPickedup => TicketState::Pickedup,
            Kind::TicketComplete => TicketState::Complete,
            Kind::TicketCancelled => TicketState::Cancelled,
            _ => TicketState::Pending,
        };
        let line = PricedItem {
            menu_item_id: DISH,
            name: "Margherita".to_owned(),
            quantity: two(),
            unit_price: euros(1250),
            line_total: euros(2500),
        };
        let created = kind == Kind::TicketCreated;
        Self {
            order_id: ORDER,
            ticket_id: TICKET,
            restaurant_id: RESTAURANT,
            state,
            total: created.then(|| euros(2500)),
            items: created.then(|| vec![line]),
            reason: reason(kind),
        }
    }
}

impl Example for PaymentReply {
    fn example(kind: Kind) -> Self {
        let state = match kind {
            Kind::PaymentRejected => PaymentState::Declined,
            Kind::PaymentCaptured => PaymentState::Captured,
            Kind::PaymentVoided => PaymentState::Voided,
            Kind::PaymentRefunded => PaymentState::Refunded,
            _ => PaymentState::Authorised,
        };
        Self {
            order_id: ORDER,
            payment_id: PAYMENT,
            state,
            amount: Some(euros(2500)),
            reason: reason(kind),
        }
    }
}

impl Example for CookReply {
    fn example(kind: Kind) -> Self {
        let state = match kind {
            Kind::KitchenPreparing => CookState::Preparing,
            Kind::KitchenCancelled => CookState::Cancelled,
            _ => CookState::Ready,
        };
        let restaurant_id = Some(RESTAURANT);
        Self {
            order_id: ORDER,
            cook_id: COOK,
            restaurant_id,
            state,
            reason: reason(kind),
        }
    }
}

impl Example for DeliveryReply {
    fn example(kind: Kind) -> Self {
        let state = match kind {
            Kind::DeliveryComplete => DeliveryState::Complete,
            _ => DeliveryState::Pickedup,
        };
        Self {
            order_id: ORDER,
            delivery_id: DELIVERY,
            state,
        }
    }
}

//! An order's life: check the customer, get a ticket, hold the money, cook, take the money, deliver.

mod process;
pub mod version_1;

use contracts::{Illegal, Kind::*, OrderState, Topic::*};
use saga::{Definition, Invalid, Policy, ask, saga, say, try_ask, until};

use crate::domain::Order;

/// A changed definition gets a new version; orders that are under way finish on the one that they began with.
pub const VERSION: u32 = 2;

/// The definition, read from top to bottom: what is asked of whom, what grants and what refuses it, what undoes it,
/// what the order becomes then, and whom that is told.
///
/// # Errors
/// Never: a test builds it.
#[rustfmt::skip]
pub fn definition(patience: Policy) -> Result<Definition<Order>, Invalid> {
    saga("order", VERSION)
        .patience(patience)

        .step("verify customer", ask(OrderCustomer, OrderCreated, Order::verify_customer)
            .granted_by(CustomerApproved)
            .refused_with(CustomerRejected, Order::refused_by_customer))

        .step("create ticket", ask(OrderTicket, OrderCreated, Order::create_ticket)
            .granted_with(TicketCreated, Order::learn_ticket)
            .refused_with(TicketRejected, Order::refused_by_restaurant))
            .undone_by(ask(OrderTicket, OrderRejected, Order::tell_ticket)
                .granted_by(TicketRejected))
            .cancelled_by(ask(OrderTicket, OrderCancelled, Order::tell_ticket)
                .granted_by(TicketCancelled))

        // No way back once the money is held, but a cancellation: whatever follows must succeed in the end.
        .pivot("authorise payment", try_ask(OrderPayment, OrderCreated, Order::authorise_payment)
            .granted_by(PaymentApproved)
            .refused_with(PaymentRejected, Order::refused_by_payment))
            .undone_by(ask(OrderPayment, OrderRejected, Order::tell_payment)
                .granted_by(PaymentVoided))
            .cancelled_by(ask(OrderPayment, OrderCancelled, Order::tell_payment)
                .granted_by(PaymentVoided))

        .step("approve ticket", ask(OrderTicket, OrderApproved, Order::tell_ticket)
            .granted_by(TicketApproved))
            .then(becomes(OrderState::Accepted))

        .step("cook", ask(OrderKitchen, OrderApproved, Order::cook)
            .granted_by(KitchenPreparing))

        .step("prepare ticket", ask(OrderTicket, OrderPreparing, Order::tell_ticket)
            .granted_by(TicketPreparing))
            .then(becomes(OrderState::Preparing))
            .announce(say(OrderCustomer, OrderChanged, Order::changed))

        .wait("cooked", KitchenReady)

        .step("capture payment", ask(OrderPayment, OrderReady, Order::tell_payment)
            .granted_by(PaymentCaptured))

        .step("ready ticket", ask(OrderTicket, OrderReady, Order::tell_ticket)
            .granted_by(TicketReady))
            .then(becomes(OrderState::Ready))
            .announce(say(OrderCustomer, OrderChanged, Order::changed))

        .wait("picked up", DeliveryPickedup)

        .step("pick up ticket", ask(OrderTicket, OrderPickedup, Order::tell_ticket)
            .granted_by(TicketPickedup))
            .then(becomes(OrderState::Pickedup))
            .announce(say(OrderCustomer, OrderChanged, Order::changed))

        .wait("delivered", DeliveryComplete)

        .step("complete ticket", ask(OrderTicket, OrderComplete, Order::tell_ticket)
            .granted_by(TicketComplete))
            .then(becomes(OrderState::Complete))
            .announce(say(OrderCustomer, OrderChanged, Order::changed))

        .when_rolled_back(Order::reject, say(OrderCustomer, OrderChanged, Order::changed))

        // Whoever ordered may think better of it, until the food is ready: what is cooked, the kitchen knows.
        .cancellable(until("cooked")
            .decided_by("cook", ask(OrderKitchen, OrderCancelRequested, Order::ask_kitchen_to_stop)
                .granted_by(KitchenCancelled)
                .refused_by(KitchenCancelRefused))
            .locked(Order::ask_to_cancel)
            .released(Order::carry_on)
            .ended(Order::cancel)
            .announce(say(OrderCustomer, OrderChanged, Order::changed)))
        .end()
}

/// The order takes this state.
fn becomes(state: OrderState) -> impl Fn(&mut Order) -> Result<(), Illegal> {
    move |order| order.advance_to(state)
}

//! What the services say to each other, and nothing else: the messages on the five topics, the ids
//! and the money in them, and the states of every aggregate with the ways from one to the next.
//!
//! Everything here is a pure value. There is no clock, no randomness and no I/O in this crate, so
//! the services, the view and the tests can all share it without sharing anything that can fail.
//!
//! - [`catalogue`] lists every message: its topic, its kind, its JSON Schema and an example. The
//!   schemas are pinned in `docs/schemas`, and a test compares them with the code.
//! - [`Machine`] is the table of a state machine; from it come the checks on the write side, the
//!   diagrams in `docs/states.md` and the exhaustive tests.
//!
//! # How a message changes
//!
//! A new optional field is no breaking change: consumers ignore fields that they do not know.
//! Everything else is one, and gets a new body type with a schema version of its own.

mod body;
mod catalogue;
mod cook;
mod delivery;
mod ids;
mod kinds;
mod machine;
mod money;
mod order;
mod payment;
mod quantity;
mod reason;
mod ticket;
mod topics;
mod words;

pub use body::{
    AuthorisePayment, Body, Cook, CookReply, CreateTicket, CustomerReply, DeliveryReply,
    KitchenOrder, OrderChanged, OrderItem, PaymentOrder, PaymentReply, PricedItem, Rejection,
    TicketOrder, TicketReply, VerificationState, VerifyCustomer,
};
pub use catalogue::{Entry, catalogue, is_known};
pub use cook::CookState;
pub use delivery::DeliveryState;
pub use ids::{
    CookId, CourierId, CustomerId, DeliveryId, MenuItemId, OrderId, PaymentId, PaymentMethodId,
    RestaurantId, TicketId,
};
pub use kinds::Kind;
pub use machine::{Illegal, Machine};
pub use money::{Currency, Money, MoneyError};
pub use order::OrderState;
pub use payment::PaymentState;
pub use quantity::{Quantity, QuantityError};
pub use reason::{Code, Party, Reason};
pub use ticket::TicketState;
pub use topics::Topic;
pub use words::UnknownWord;

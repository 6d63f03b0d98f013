//! The payment gateway as this service sees it: what it can be asked, and what it answers.

mod http;

use contracts::{Money, OrderId, Reason};
use futures_util::future::BoxFuture;
use messaging::TraceParent;

pub use http::Client;

use crate::domain::{Card, Secret};

/// What a question to the gateway gives, sooner or later.
pub type Asked<'a, T> = BoxFuture<'a, Result<T, Failure>>;

/// A payment gateway.
///
/// Every question but the first names a key. Asked again with the same key, the gateway does nothing a second time and
/// gives the answer that it gave before: so a question whose answer was lost is simply asked again.
pub trait Gateway: Send + Sync + 'static {
    /// Exchanges a card for a token.
    fn tokenise<'a>(&'a self, card: &'a Card) -> Asked<'a, Tokenised>;

    /// Holds an amount.
    fn authorise<'a>(&'a self, key: &'a Key, hold: &'a Hold) -> Asked<'a, Authorised>;

    /// Takes what is held as `authorisation`.
    fn capture<'a>(&'a self, key: &'a Key, authorisation: &'a str) -> Asked<'a, ()>;

    /// Lets go what is held as `authorisation`.
    fn void<'a>(&'a self, key: &'a Key, authorisation: &'a str) -> Asked<'a, ()>;

    /// Gives back what was taken from `authorisation`.
    fn refund<'a>(&'a self, key: &'a Key, authorisation: &'a str) -> Asked<'a, ()>;
}

/// What makes a question the same question when it is asked again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The idempotency key.
    pub text: String,
    /// The trace of the order.
    pub trace: Option<TraceParent>,
}

/// What is to be held.
#[derive(Debug, Clone)]
pub struct Hold {
    /// On which card.
    pub token: Secret,
    /// How much.
    pub amount: Money,
    /// What for: the gateway's ledger can be searched by it.
    pub reference: OrderId,
}

/// What became of a card.
#[derive(Debug)]
pub enum Tokenised {
    /// The gateway keeps it, and this stands for it.
    Token {
        /// The token.
        token: Secret,
        /// The brand, in the gateway's words.
        brand: String,
        /// The last four digits.
        last4: String,
    },
    /// The gateway does not take this card, because of this field of it.
    Refused(&'static str),
}

/// What became of a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorised {
    /// The amount is held, under this name.
    Approved(String),
    /// The amount is not held.
    Declined(Reason),
}

/// Why a question has no answer yet. Whether it had an effect is unknown: it has to be asked again, with the same key.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The gateway is not there, too busy or too slow.
    #[error("the gateway does not answer: {0}")]
    Away(String),
    /// The gateway answers, and not what was asked. People have to look at this.
    #[error("the gateway gives no usable answer: {0}")]
    Unusable(String),
}

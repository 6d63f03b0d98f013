//! The order as the data of its saga: how its messages are numbered, written, checked and read.

use contracts::{
    Body, CookReply, CustomerReply, DeliveryReply, Kind, OrderId, PaymentReply, TicketReply,
};
use saga::Process;
use serde::{Serialize, de::DeserializeOwned};

use crate::domain::Order;

impl Process for Order {
    fn next_version(&mut self) -> i64 {
        self.version += 1;
        self.version
    }

    fn check(&self, kind: &str, body: &str) -> Result<(), String> {
        let named = order_named_in(kind, body)?;
        match named == self.id {
            true => Ok(()),
            false => Err(format!("orderId is {named}, and the key is {}", self.id)),
        }
    }

    fn sent_back(&mut self) {
        self.refused_by_operator();
    }

    fn read<B: DeserializeOwned>(body: &str) -> Result<B, String> {
        serde_json::from_str(body).map_err(|error| error.to_string())
    }

    fn write<B: Serialize>(body: &B) -> Result<String, String> {
        serde_json::to_string(body).map_err(|error| error.to_string())
    }
}

/// Reads the whole body as what its kind promises, and gives the order that it speaks of.
fn order_named_in(kind: &str, body: &str) -> Result<OrderId, String> {
    let kind: Kind = kind
        .parse()
        .map_err(|unknown: contracts::UnknownWord| unknown.to_string())?;
    let readers = [
        reader::<CustomerReply>,
        reader::<TicketReply>,
        reader::<PaymentReply>,
        reader::<CookReply>,
        reader::<DeliveryReply>,
    ];
    let reader = readers.into_iter().find_map(|reader| reader(kind));
    reader.ok_or_else(|| format!("{kind} is no reply"))?(body)
}

/// How the order's id is found in a body.
type Reader = fn(&str) -> Result<OrderId, String>;

/// How bodies of this kind are read, if `B` is what they are.
fn reader<B: Body>(kind: Kind) -> Option<Reader> {
    let read: Reader = |body| Order::read::<B>(body).map(|body| body.order_id());
    B::KINDS.contains(&kind).then_some(read)
}

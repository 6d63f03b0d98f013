//! Joins [`contracts`], which knows what is said, to [`messaging`], which knows how it travels: so
//! that a body can only be written to its own topic and about its own order, and is read as
//! strictly.

use contracts::{Body, Kind, is_known};
use messaging::{Fault, Interest, Message, Outgoing, Stamp};

/// Which messages are for a handler that handles `kinds`. The others that the catalogue lists are
/// for somebody else; what it does not list is a dead letter.
#[must_use]
pub fn interest(topic: &str, kind: &str, kinds: &[Kind]) -> Interest {
    if !is_known(topic, kind) {
        return Interest::Unknown;
    }
    match kinds.iter().any(|handled| handled.as_str() == kind) {
        true => Interest::Handle,
        false => Interest::Ignore,
    }
}

/// The kind of a message.
///
/// # Errors
/// The catalogue has no such kind.
pub fn kind(message: &Message) -> Result<Kind, Fault> {
    message
        .kind
        .parse()
        .map_err(|error| Fault::new(format!("{error}")))
}

/// Reads the body of a message.
///
/// # Errors
/// It is no `B`, a `B` has no business on this topic or in this kind of message, or it speaks of
/// another order than the message's key.
pub fn read<B: Body>(message: &Message) -> Result<B, Fault> {
    if message.topic != B::TOPIC.as_str() || !B::KINDS.contains(&kind(message)?) {
        let Message { kind, topic, .. } = message;
        return Err(Fault::new(format!(
            "{kind} on {topic} has no body {}",
            B::SCHEMA
        )));
    }
    let body: B = message.decode()?;
    let order = body.order_id();
    if order.uuid() != message.key {
        let key = message.key;
        return Err(Fault::new(format!(
            "orderId is {order}, but the message's key is {key}"
        )));
    }
    Ok(body)
}

/// A message with this body, spoken by an aggregate at `version`.
///
/// # Errors
/// The body has no business in this kind of message, or cannot be written as JSON.
pub fn write<B: Body>(
    stamp: &mut Stamp,
    kind: Kind,
    version: i64,
    body: &B,
) -> Result<Outgoing, Fault> {
    if !B::KINDS.contains(&kind) {
        return Err(Fault::new(format!("{kind} has no body {}", B::SCHEMA)));
    }
    let key = body.order_id().uuid();
    Outgoing::new(stamp, B::TOPIC.as_str(), kind.as_str(), key, version, body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::{KitchenOrder, OrderId, OrderState, TicketOrder};

    fn message(kind: &str, key: OrderId, body: &str) -> Message {
        Message {
            id: ambient::new_id(),
            kind: kind.to_owned(),
            source: "/test".to_owned(),
            key: key.uuid(),
            time: ambient::now(),
            sequence: 1,
            causation: None,
            trace: None,
            topic: "order-kitchen".to_owned(),
            partition: 0,
            offset: 0,
            body: body.to_owned(),
        }
    }

    fn cancel() -> KitchenOrder {
        let order_id = OrderId::new(ambient::new_id());
        KitchenOrder {
            order_id,
            state: OrderState::CancelPending,
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let body = cancel();
        let kind = Kind::OrderCancelRequested;
        let written = write(&mut Stamp::live(), kind, 3, &body).unwrap();
        assert_eq!(
            (written.topic.as_str(), written.sequence),
            ("order-kitchen", 3)
        );
        assert_eq!(written.key, body.order_id.uuid());
        let message = message(&written.kind, body.order_id, &written.body);
        assert_eq!(read::<KitchenOrder>(&message).unwrap(), body);
    }

    #[test]
    fn a_body_is_written_into_its_own_kinds_of_messages_only() {
        let fault = write(&mut Stamp::live(), Kind::OrderReady, 1, &cancel()).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "ORDER_READY has no body kitchen-order.v1"
        );
    }

    #[test]
    fn a_body_is_not_read_from_another_topic_or_about_another_order() {
        let body = cancel();
        let text = format!(
            r#"{{"orderId":"{}","state":"CANCEL_PENDING"}}"#,
            body.order_id
        );
        let right = message("ORDER_CANCEL_REQUESTED", body.order_id, &text);
        assert!(read::<TicketOrder>(&right).is_err());
        let foreign = message("ORDER_CANCEL_REQUESTED", cancel().order_id, &text);
        let fault = read::<KitchenOrder>(&foreign).unwrap_err().to_string();
        assert!(fault.starts_with("orderId is"), "{fault}");
    }

    #[test]
    fn what_the_catalogue_does_not_list_is_a_dead_letter() {
        let kinds = [Kind::KitchenReady];
        assert_eq!(
            interest("order-reply", "KITCHEN_READY", &kinds),
            Interest::Handle
        );
        assert_eq!(
            interest("order-reply", "TICKET_READY", &kinds),
            Interest::Ignore
        );
        assert_eq!(
            interest("order-ticket", "KITCHEN_READY", &kinds),
            Interest::Unknown
        );
        assert_eq!(
            interest("order-reply", "NONSENSE", &kinds),
            Interest::Unknown
        );
    }
}

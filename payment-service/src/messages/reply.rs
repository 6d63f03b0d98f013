//! What is said on `order-reply`.

use contracts::PaymentReply;
use messaging::{Fault, Outgoing, Stamp};

use crate::domain::{Answer, Payment};

/// The message that an answer is: always the same for the same answer.
///
/// # Errors
/// The answer is none that a payment gives.
pub fn write(payment: &Payment, answer: &Answer) -> Result<Outgoing, Fault> {
    let body = PaymentReply {
        order_id: payment.order_id,
        payment_id: payment.payment_id,
        state: answer.state,
        amount: payment.terms.map(|terms| terms.amount),
        reason: answer.reason.clone(),
    };
    let id = answer.id;
    let mut stamp = Stamp::new(answer.at, move || id);
    let reply = protocol::write(&mut stamp, answer.kind, answer.version, &body)?;
    let traced = reply.traced(answer.command.trace);
    Ok(Outgoing {
        causation: Some(answer.command.id),
        ..traced
    })
}

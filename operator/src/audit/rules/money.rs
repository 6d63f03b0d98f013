//! Money is where the order says: authorised = captured + voided + still held, the right amount, and nothing of it taken
//! for an order that is off.

use contracts::{Money, OrderState::*, PaymentState};

use super::{Findings, one_of, steps, word};
use crate::audit::{
    facts::{Facts, Order, Payment},
    finding::{Holds, Rule, Subject},
};

const AMOUNTS_AGREE: Rule = Rule {
    name: "amounts-agree",
    about: Subject::Gateway,
    holds: Holds::Always,
    next: "the ticket's total is the price; if the gateway has taken another amount, refund or charge the difference there",
};

const PAYMENT_MATCHES: Rule = Rule {
    name: "payment-matches",
    about: Subject::Payment,
    holds: Holds::Always,
    next: "compare the saga's history, GET /payments?orderId= and the gateway's ledger; money that is held or taken for an order that is off must be let go at the gateway or refunded (POST /payments/{id}/refund)",
};

const CAPTURED_EARLY: Rule = Rule {
    name: "captured-early",
    about: Subject::Payment,
    holds: Holds::Always,
    next: "money was taken before the dish was ready: find out who told payment-service (order-payment, ORDER_READY)",
};

const PAYMENT_WHOLE: Rule = Rule {
    name: "payment-whole",
    about: Subject::Payment,
    holds: Holds::Always,
    next: "what was authorised must be captured, voided or held: somebody changed a row by hand; the gateway's ledger has what was done",
};

const REFUND_ORDERED: Rule = Rule {
    name: "refund-ordered",
    about: Subject::Payment,
    holds: Holds::Always,
    next: "money went back and nobody is on record who wanted it: look for REFUND in the logs of payment-service",
};

pub(super) const RULES: &[&Rule] = &[
    &AMOUNTS_AGREE,
    &PAYMENT_MATCHES,
    &CAPTURED_EARLY,
    &PAYMENT_WHOLE,
    &REFUND_ORDERED,
];

pub(super) fn judge(findings: &mut Findings<'_>) {
    let facts = findings.facts;
    amounts(findings, facts);
    if !facts.asked.payments {
        return;
    }
    if let Some(order) = facts.settled() {
        matches(findings, facts, order);
    }
    if let Some(payment) = &facts.payment {
        early(findings, facts, payment);
        whole(findings, payment);
    }
}

fn amounts(findings: &mut Findings<'_>, facts: &Facts) {
    let ticket = facts.ticket.as_ref();
    let total = facts.order.as_ref().and_then(|order| order.total);
    let price = ticket.and_then(|ticket| ticket.total);
    let charged = facts.payment.as_ref().and_then(|payment| payment.amount);
    let mut equal = |what: &str, one: Option<Money>, other_what: &str, other: Option<Money>| {
        if let Some((one, other)) = one.zip(other) {
            findings.expect(
                one == other,
                &AMOUNTS_AGREE,
                format_args!("{other_what}: {other}"),
                format_args!("{what}: {one}"),
            );
        }
    };
    equal("the order's total", total, "the ticket's total", price);
    equal("the payment", charged, "the order's total", total.or(price));
    let lines = ticket
        .filter(|ticket| ticket.total.is_some())
        .and_then(|ticket| {
            let lines = ticket.items.iter().map(|item| item.line_total);
            lines
                .map(Ok)
                .reduce(|sum, line| sum?.plus(line?))
                .and_then(Result::ok)
        });
    equal("the ticket's total", price, "the sum of its lines", lines);
    let taken = charged.or(total);
    for entry in &facts.ledger {
        if let Some(agreed) = taken {
            findings.expect(
                (entry.amount, entry.currency.as_str())
                    == (agreed.amount(), agreed.currency().as_str()),
                &AMOUNTS_AGREE,
                format_args!("the payment: {agreed}"),
                format_args!(
                    "{} at the gateway: {} {}",
                    entry.kind, entry.amount, entry.currency
                ),
            );
        }
    }
}

fn matches(findings: &mut Findings<'_>, facts: &Facts, order: &Order) {
    let allowed: &[PaymentState] = match order.state {
        Preparing => &[PaymentState::Authorised],
        Ready | Pickedup | Complete => &[PaymentState::Captured, PaymentState::Refunded],
        Rejected | Cancelled => &[PaymentState::Declined, PaymentState::Voided],
        Pending | Accepted | CancelPending => return,
    };
    let off = matches!(order.state, Rejected | Cancelled);
    let found = facts.payment.as_ref().map(|payment| payment.state);
    findings.expect(
        found.map_or(off, |state| allowed.contains(&state)),
        &PAYMENT_MATCHES,
        format_args!("{}, since the order is {}", one_of(allowed), order.state),
        word(found),
    );
}

fn early(findings: &mut Findings<'_>, facts: &Facts, payment: &Payment) {
    let taken = matches!(
        payment.state,
        PaymentState::Captured | PaymentState::Refunded
    );
    let Some(saga) = facts.saga.as_ref().filter(|_| taken) else {
        return;
    };
    let at = steps::position(saga, &saga.step);
    let due = steps::position(saga, "capture payment");
    if at.zip(due).is_some_and(|(at, due)| at < due) {
        findings.add(
            &CAPTURED_EARLY,
            "nothing taken before the dish is ready",
            format_args!("{} while the order is at `{}`", payment.state, saga.step),
        );
    }
}

fn whole(findings: &mut Findings<'_>, payment: &Payment) {
    // A void that came before its authorisation has left a payment of nothing; any other voided one was held once.
    let held_once = match payment.state {
        PaymentState::Authorised | PaymentState::Captured | PaymentState::Refunded => true,
        PaymentState::Authorising | PaymentState::Declined => false,
        PaymentState::Voided => payment.amount.is_some(),
    };
    findings.expect(
        held_once == payment.authorisation.is_some(),
        &PAYMENT_WHOLE,
        match held_once {
            true => "the gateway's name of the hold",
            false => "no hold",
        },
        format_args!(
            "{} with hold {}",
            payment.state,
            word(payment.authorisation.as_ref())
        ),
    );
    findings.expect(
        payment.state != PaymentState::Refunded || payment.refund_ordered,
        &REFUND_ORDERED,
        "an operator's order to refund, with who and why",
        "REFUNDED, and nobody ordered it",
    );
}

#[cfg(test)]
mod tests {
    use contracts::{Currency, OrderState};
    use saga::State;

    use super::*;
    use crate::audit::rules::{Example, complete};

    fn other() -> Option<Money> {
        Some(Money::new(1, Currency::EUR).unwrap())
    }

    #[test]
    fn order_ticket_payment_and_gateway_mean_one_amount() {
        complete()
            .wrong("amounts-agree", |facts| {
                facts.order.as_mut().unwrap().total = other();
            })
            .wrong("amounts-agree", |facts| {
                facts.ticket.as_mut().unwrap().total = other();
            })
            .wrong("amounts-agree", |facts| {
                facts.payment.as_mut().unwrap().amount = other();
            })
            .wrong("amounts-agree", |facts| facts.ledger[1].amount = 1)
            .wrong("amounts-agree", |facts| {
                facts.ledger[1].currency = "USD".to_owned();
            });
    }

    #[test]
    fn a_payment_is_where_the_order_says() {
        let set = |state| move |facts: &mut Facts| facts.payment.as_mut().unwrap().state = state;
        complete()
            .wrong("payment-matches", |facts| facts.payment = None)
            .wrong("payment-matches", set(PaymentState::Authorised));
        Example::at("cooked", State::Waiting, OrderState::Preparing)
            .wrong("payment-matches", set(PaymentState::Captured));
        for held in [
            PaymentState::Authorised,
            PaymentState::Captured,
            PaymentState::Refunded,
        ] {
            Example::cancelled().wrong("payment-matches", set(held));
            Example::rejected().wrong("payment-matches", set(held));
        }
    }

    #[test]
    fn nothing_is_taken_before_the_dish_is_ready() {
        Example::at("prepare ticket", State::Forward, OrderState::Accepted)
            .and(|facts| facts.payment.as_mut().unwrap().state = PaymentState::Captured)
            .finds("captured-early");
        Example::at("capture payment", State::Forward, OrderState::Preparing)
            .and(|facts| facts.payment.as_mut().unwrap().state = PaymentState::Captured)
            .lacks("captured-early");
    }

    #[test]
    fn what_was_authorised_has_a_hold_and_nothing_else_has() {
        complete().wrong("payment-whole", |facts| {
            facts.payment.as_mut().unwrap().authorisation = None;
        });
        Example::rejected().wrong("payment-whole", |facts| {
            facts.payment.as_mut().unwrap().authorisation = Some("hold".to_owned());
        });
        Example::cancelled().tolerates(|facts| {
            let payment = facts.payment.as_mut().unwrap();
            (payment.amount, payment.authorisation) = (None, None);
            facts.ledger.clear();
        });
    }

    #[test]
    fn a_refund_has_somebody_who_ordered_it() {
        let refunded = |ordered| {
            move |facts: &mut Facts| {
                let payment = facts.payment.as_mut().unwrap();
                (payment.state, payment.refund_ordered) = (PaymentState::Refunded, ordered);
                let refund = crate::audit::facts::Entry {
                    kind: "REFUND".to_owned(),
                    ..facts.ledger[1].clone()
                };
                facts.ledger.push(refund);
                facts.asked.views = false;
            }
        };
        complete().wrong("refund-ordered", refunded(false));
        complete().tolerates(refunded(true));
    }
}

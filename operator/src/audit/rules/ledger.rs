//! The gateway's ledger: nobody is held or charged twice, and payment-service knows of every entry.

use contracts::PaymentState;

use super::Findings;
use crate::audit::{
    facts::Payment,
    finding::{Holds, Rule, Subject},
};

const HELD_TWICE: Rule = Rule {
    name: "held-twice",
    about: Subject::Gateway,
    holds: Holds::Always,
    next: "let the second hold go at the gateway, and find out how it came to be: its idempotency key is in the ledger",
};

const CHARGED_TWICE: Rule = Rule {
    name: "charged-twice",
    about: Subject::Gateway,
    holds: Holds::Always,
    next: "give the second charge back at the gateway, and find out how it came to be: its idempotency key is in the ledger",
};

const LEDGER_LEGAL: Rule = Rule {
    name: "ledger-legal",
    about: Subject::Gateway,
    holds: Holds::Always,
    next: "GET /v1/ledger?reference= of the gateway has the entries: ask the gateway how they came to be",
};

const LEDGER_MATCHES: Rule = Rule {
    name: "ledger-matches",
    about: Subject::Gateway,
    holds: Holds::Always,
    next: "compare GET /payments?orderId= with the gateway's ledger: the gateway has the last word on money",
};

pub(super) const RULES: &[&Rule] = &[&HELD_TWICE, &CHARGED_TWICE, &LEDGER_LEGAL, &LEDGER_MATCHES];

pub(super) fn judge(findings: &mut Findings<'_>) {
    let facts = findings.facts;
    if !facts.asked.gateway {
        return;
    }
    let kinds: Vec<&str> = facts
        .ledger
        .iter()
        .map(|entry| entry.kind.as_str())
        .collect();
    let times = |kind| kinds.iter().filter(|it| **it == kind).count();
    let of_one_hold = facts
        .ledger
        .iter()
        .all(|entry| entry.authorisation_id == facts.ledger[0].authorisation_id);
    let found = kinds.join(", ");
    if times("HOLD") > 1 {
        findings.add(&HELD_TWICE, "one HOLD", &found);
    }
    if times("CHARGE") > 1 {
        findings.add(&CHARGED_TWICE, "one CHARGE", &found);
    }
    let legal = matches!(
        kinds.as_slice(),
        [] | ["DECLINE"] | ["HOLD"] | ["HOLD", "VOID" | "CHARGE"] | ["HOLD", "CHARGE", "REFUND"]
    );
    if !legal || !of_one_hold {
        if times("HOLD").max(times("CHARGE")) <= 1 {
            findings.add(
                &LEDGER_LEGAL,
                "DECLINE, or a HOLD and what follows of it: VOID, or CHARGE and REFUND",
                &found,
            );
        }
        return;
    }
    if !facts.asked.payments {
        return;
    }
    let expected = expected(facts.payment.as_ref());
    findings.expect(
        expected.contains(&kinds.as_slice()),
        &LEDGER_MATCHES,
        told(facts.payment.as_ref(), expected),
        if found.is_empty() { "nothing" } else { &found },
    );
    if let (Some(entry), Some(hold)) = (
        facts.ledger.first().filter(|entry| entry.kind == "HOLD"),
        facts
            .payment
            .as_ref()
            .and_then(|it| it.authorisation.as_ref()),
    ) {
        findings.expect(
            *hold == entry.authorisation_id.to_string(),
            &LEDGER_MATCHES,
            format_args!("the hold that payment-service knows, {hold}"),
            entry.authorisation_id,
        );
    }
}

/// What the ledger may hold of a payment. While a call is open, the gateway may have done it already.
fn expected(payment: Option<&Payment>) -> &'static [&'static [&'static str]] {
    const NONE: &[&str] = &[];
    const DECLINED: &[&str] = &["DECLINE"];
    const HELD: &[&str] = &["HOLD"];
    const CHARGED: &[&str] = &["HOLD", "CHARGE"];
    const VOIDED: &[&str] = &["HOLD", "VOID"];
    const REFUNDED: &[&str] = &["HOLD", "CHARGE", "REFUND"];
    let Some(payment) = payment else {
        return &[NONE];
    };
    match (payment.state, payment.calling.as_deref()) {
        (PaymentState::Authorising, _) => &[NONE, HELD, DECLINED],
        (PaymentState::Authorised, None) => &[HELD],
        (PaymentState::Authorised, Some("VOID")) => &[HELD, VOIDED],
        (PaymentState::Authorised, Some(_)) => &[HELD, CHARGED],
        (PaymentState::Captured, None) => &[CHARGED],
        (PaymentState::Captured, Some(_)) => &[CHARGED, REFUNDED],
        (PaymentState::Refunded, _) => &[REFUNDED],
        // What is refused without asking the gateway is in no ledger.
        (PaymentState::Declined, _) => &[DECLINED, NONE],
        (PaymentState::Voided, _) if payment.authorisation.is_some() => &[VOIDED],
        (PaymentState::Voided, _) => &[NONE],
    }
}

fn told(payment: Option<&Payment>, expected: &[&[&str]]) -> String {
    let sequences: Vec<String> = expected
        .iter()
        .map(|kinds| match kinds {
            [] => "nothing".to_owned(),
            kinds => kinds.join(", "),
        })
        .collect();
    let payment = payment.map_or_else(
        || "there is no payment".to_owned(),
        |payment| format!("the payment is {}", payment.state),
    );
    format!("{}, since {payment}", sequences.join(" or "))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::audit::{
        facts::{Entry, Facts},
        rules::{Example, complete},
    };

    fn again(facts: &mut Facts, kind: &str) {
        let entry = Entry {
            kind: kind.to_owned(),
            ..facts.ledger[0].clone()
        };
        facts.ledger.push(entry);
    }

    #[test]
    fn nobody_is_held_or_charged_twice() {
        complete()
            .wrong("charged-twice", |facts| again(facts, "CHARGE"))
            .wrong("held-twice", |facts| {
                again(facts, "HOLD");
                facts.ledger[2].authorisation_id = Uuid::from_u128(99);
            });
    }

    #[test]
    fn entries_follow_each_other_as_they_may() {
        complete()
            .wrong("ledger-legal", |facts| again(facts, "VOID"))
            .wrong("ledger-legal", |facts| facts.ledger.reverse())
            .wrong("ledger-legal", |facts| {
                facts.ledger[1].authorisation_id = Uuid::from_u128(99);
            });
    }

    #[test]
    fn payment_service_knows_of_every_entry_and_the_gateway_of_every_payment() {
        complete()
            .wrong("ledger-matches", |facts| facts.ledger.clear())
            .wrong("ledger-matches", |facts| facts.ledger.truncate(1))
            .wrong("ledger-matches", |facts| {
                facts.payment.as_mut().unwrap().authorisation = Some("another".to_owned());
            })
            .tolerates(|facts| {
                facts.ledger.clear();
                facts.asked.gateway = false;
            });
        Example::cancelled().wrong("ledger-matches", |facts| facts.ledger.truncate(1));
    }

    #[test]
    fn while_a_call_is_open_the_gateway_may_have_done_it() {
        let calling = |state, intent: &str| {
            let intent = intent.to_owned();
            complete().and(move |facts| {
                let payment = facts.payment.as_mut().unwrap();
                (payment.state, payment.calling) = (state, Some(intent));
            })
        };
        calling(PaymentState::Authorised, "CAPTURE").lacks("ledger-matches");
        calling(PaymentState::Authorised, "VOID").finds("ledger-matches");
        calling(PaymentState::Captured, "REFUND").lacks("ledger-matches");
    }
}

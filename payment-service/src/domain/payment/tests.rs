use contracts::{Currency, OrderState};

use super::*;
use crate::domain::{Expiry, Secret};

const ORDER: OrderId = OrderId::new(Uuid::from_u128(1));
const CUSTOMER: CustomerId = CustomerId::new(Uuid::from_u128(2));
const METHOD: PaymentMethodId = PaymentMethodId::new(Uuid::from_u128(3));

fn stamp() -> Stamp {
    let mut last = 1_000;
    Stamp::new(DateTime::UNIX_EPOCH, move || {
        last += 1;
        Uuid::from_u128(last)
    })
}

fn command(id: u128, intent: Intent) -> Command {
    Command {
        id: Uuid::from_u128(id),
        intent,
        trace: None,
    }
}

fn order() -> AuthorisePayment {
    AuthorisePayment {
        order_id: ORDER,
        state: OrderState::Pending,
        customer_id: CUSTOMER,
        payment_method_id: METHOD,
        amount: Money::new(2500, Currency::EUR).unwrap(),
    }
}

fn method() -> Method {
    Method {
        id: METHOD,
        customer_id: CUSTOMER,
        token: Secret::new("tok".to_owned()),
        brand: "VISA".to_owned(),
        last4: "4242".to_owned(),
        expiry: Expiry {
            year: 1970,
            month: 1,
        },
    }
}

fn authorising() -> Payment {
    let command = command(10, Intent::Authorise);
    let (payment, said) =
        Payment::authorise(&order(), Some(&method()), command, &mut stamp()).unwrap();
    assert!(said.is_empty());
    payment
}

fn held() -> Outcome {
    Outcome::Held("auth-1".to_owned())
}

fn refused() -> Outcome {
    Outcome::Refused(Reason::new(Code::CARD_DECLINED, "No."))
}

fn settle(payment: &mut Payment, outcome: Outcome) -> Vec<Kind> {
    let call = payment.call.unwrap();
    let said = payment.settle(call.id, outcome, &mut stamp()).unwrap();
    said.iter().map(|answer| answer.kind).collect()
}

fn obey(payment: &mut Payment, id: u128, intent: Intent) -> Vec<Kind> {
    let said = payment.obey(command(id, intent), &mut stamp()).unwrap();
    said.iter().map(|answer| answer.kind).collect()
}

fn authorised() -> Payment {
    let mut payment = authorising();
    assert_eq!(settle(&mut payment, held()), [Kind::PaymentApproved]);
    payment
}

#[test]
fn an_order_is_paid_by_one_hold_and_one_capture() {
    let mut payment = authorised();
    assert_eq!(
        (payment.state, payment.version),
        (PaymentState::Authorised, 2)
    );
    assert_eq!(obey(&mut payment, 11, Intent::Capture), []);
    assert_eq!(settle(&mut payment, Outcome::Done), [Kind::PaymentCaptured]);
    assert_eq!(
        (payment.state, payment.call),
        (PaymentState::Captured, None)
    );
}

#[test]
fn a_void_that_comes_before_the_answer_waits_for_it() {
    let mut payment = authorising();
    assert_eq!(obey(&mut payment, 11, Intent::Void), []);
    assert_eq!(payment.call.unwrap().intent, Intent::Authorise);
    assert_eq!(settle(&mut payment, held()), [Kind::PaymentApproved]);
    assert_eq!(payment.call.unwrap().intent, Intent::Void);
    assert_eq!(settle(&mut payment, Outcome::Done), [Kind::PaymentVoided]);
    assert_eq!(payment.state, PaymentState::Voided);
}

#[test]
fn what_was_declined_needs_no_call_to_be_voided() {
    let mut payment = authorising();
    obey(&mut payment, 11, Intent::Void);
    let said = settle(&mut payment, refused());
    assert_eq!(said, [Kind::PaymentRejected, Kind::PaymentVoided]);
    assert_eq!(
        (payment.state, payment.call),
        (PaymentState::Declined, None)
    );
}

#[test]
fn a_tombstone_refuses_the_authorisation_that_comes_late() {
    let void = command(11, Intent::Void);
    let (mut payment, said) = Payment::tombstone(ORDER, void, &mut stamp()).unwrap();
    assert_eq!(said[0].kind, Kind::PaymentVoided);
    let said = payment
        .obey(command(10, Intent::Authorise), &mut stamp())
        .unwrap();
    assert_eq!(said[0].kind, Kind::PaymentRejected);
    assert_eq!(said[0].state, PaymentState::Voided);
    assert_eq!(said[0].reason.as_ref().unwrap().code, Code::PAYMENT_VOIDED);
    assert_eq!(payment.call, None);
}

#[test]
fn what_needs_no_gateway_is_refused_at_once() {
    let foreign = Method {
        customer_id: CustomerId::new(Uuid::from_u128(99)),
        ..method()
    };
    let expired = Method {
        expiry: Expiry {
            year: 1969,
            month: 12,
        },
        ..method()
    };
    for (method, code) in [
        (None, Code::PAYMENT_METHOD_UNKNOWN),
        (Some(foreign), Code::PAYMENT_METHOD_FOREIGN),
        (Some(expired), Code::CARD_EXPIRED),
    ] {
        let authorise = command(10, Intent::Authorise);
        let begun = Payment::authorise(&order(), method.as_ref(), authorise, &mut stamp());
        let (payment, said) = begun.unwrap();
        assert_eq!(
            (payment.state, payment.call),
            (PaymentState::Declined, None)
        );
        assert_eq!(said[0].kind, Kind::PaymentRejected);
        assert_eq!(said[0].reason.as_ref().unwrap().code, code);
    }
}

#[test]
fn a_command_that_comes_again_gets_the_same_answer_and_is_not_taken_twice() {
    let mut payment = authorising();
    assert_eq!(obey(&mut payment, 10, Intent::Authorise), []);
    assert!(payment.waiting.is_empty());
    settle(&mut payment, held());
    let before = payment.clone();
    let again = payment.obey(command(10, Intent::Authorise), &mut stamp());
    assert_eq!(again.unwrap(), before.answers);
    assert_eq!(payment, before);
}

#[test]
fn the_same_wish_with_another_id_is_answered_without_doing_it_twice() {
    let mut payment = authorising();
    assert_eq!(obey(&mut payment, 20, Intent::Authorise), []);
    let said = settle(&mut payment, held());
    assert_eq!(said, [Kind::PaymentApproved, Kind::PaymentApproved]);
    assert_eq!(obey(&mut payment, 11, Intent::Capture), []);
    assert_eq!(obey(&mut payment, 12, Intent::Capture), []);
    let said = settle(&mut payment, Outcome::Done);
    assert_eq!(said, [Kind::PaymentCaptured, Kind::PaymentCaptured]);
    assert_eq!(
        obey(&mut payment, 13, Intent::Capture),
        [Kind::PaymentCaptured]
    );
    assert_eq!(payment.call, None);
    let versions: Vec<_> = payment
        .answers
        .iter()
        .map(|answer| answer.version)
        .collect();
    assert_eq!(versions, [2, 3, 4, 5, 6]);
}

#[test]
fn an_answer_counts_once_and_for_its_own_call_only() {
    let mut payment = authorised();
    let late = payment.settle(Uuid::from_u128(10), held(), &mut stamp());
    assert_eq!(late, Err(Unsettled::NotOpen));
    obey(&mut payment, 11, Intent::Capture);
    let before = payment.clone();
    let wrong = payment.settle(Uuid::from_u128(11), refused(), &mut stamp());
    assert_eq!(wrong, Err(Unsettled::Mismatch(Intent::Capture)));
    assert_eq!(payment, before);
}

#[test]
fn what_is_taken_or_about_to_be_is_not_voided_and_the_other_way_round() {
    let refuse = |payment: &Payment, intent| {
        let mut payment = payment.clone();
        let error = payment.obey(command(77, intent), &mut stamp()).unwrap_err();
        (error.from, error.to)
    };
    let mut capturing = authorised();
    obey(&mut capturing, 11, Intent::Capture);
    assert_eq!(refuse(&capturing, Intent::Void), ("CAPTURED", "VOIDED"));
    let mut voiding = authorised();
    obey(&mut voiding, 11, Intent::Void);
    assert_eq!(refuse(&voiding, Intent::Capture), ("VOIDED", "CAPTURED"));
    assert_eq!(
        refuse(&authorising(), Intent::Capture),
        ("AUTHORISING", "CAPTURED")
    );
}

#[test]
fn what_was_taken_is_given_back_once() {
    let mut payment = authorising();
    let mut stamp = stamp();
    payment
        .settle(Uuid::from_u128(10), held(), &mut stamp)
        .unwrap();
    let refused = payment
        .clone()
        .refund(command(11, Intent::Refund), &mut stamp);
    assert!(refused.is_err(), "nothing was taken yet");
    payment
        .obey(command(12, Intent::Capture), &mut stamp)
        .unwrap();
    let opened = payment.refund(command(13, Intent::Refund), &mut stamp);
    assert_eq!(opened, Ok(Some(Vec::new())), "it waits for the charge");
    assert_eq!(
        payment.refund(command(14, Intent::Refund), &mut stamp),
        Ok(None)
    );
    payment
        .settle(Uuid::from_u128(12), Outcome::Done, &mut stamp)
        .unwrap();
    assert_eq!(payment.state, PaymentState::Captured);
    let said = payment.settle(Uuid::from_u128(13), Outcome::Done, &mut stamp);
    assert_eq!(said.unwrap()[0].kind, Kind::PaymentRefunded);
    assert_eq!(payment.state, PaymentState::Refunded);
    assert_eq!(
        payment.refund(command(15, Intent::Refund), &mut stamp),
        Ok(None)
    );
}

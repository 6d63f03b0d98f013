//! Who may order, whatever is asked twice or late.

use contracts::CustomerId;
use serde_json::json;
use testing::message;

use crate::support::{Customers, verify};

#[tokio::test]
async fn an_active_customer_is_approved() {
    let customers = Customers::open().await;
    let question = verify(customers.register().await);
    customers.hear([&question]).await;

    let [answer] = &customers.told(&question).await[..] else {
        panic!("one answer")
    };
    assert_eq!(
        (answer.topic.as_str(), answer.kind.as_str()),
        ("order-reply", "CUSTOMER_APPROVED")
    );
    assert_eq!((answer.sequence, answer.causation), (1, Some(question.id)));
    assert_eq!(answer.json()["state"], "APPROVED");
}

#[tokio::test]
async fn a_suspended_or_unknown_customer_is_rejected_with_the_reason() {
    let customers = Customers::open().await;
    let suspended = customers.register().await;
    customers.decide("suspend", suspended).await;
    let questions = [
        verify(suspended),
        verify(CustomerId::new(ambient::new_id())),
    ];
    customers.hear(&questions).await;

    for (question, code) in questions
        .iter()
        .zip(["CUSTOMER_SUSPENDED", "CUSTOMER_UNKNOWN"])
    {
        let answer = customers.told(question).await.pop().unwrap();
        assert_eq!(answer.kind, "CUSTOMER_REJECTED");
        assert_eq!(answer.json()["state"], "REJECTED");
        assert_eq!(answer.json()["reason"]["code"], code);
    }
}

#[tokio::test]
async fn a_question_that_comes_again_gets_the_same_message() {
    let customers = Customers::open().await;
    let question = verify(customers.register().await);
    customers.hear([&question, &question]).await;
    customers.hear([&question]).await;

    let answers = customers.told(&question).await;
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn a_verdict_stays_also_when_the_customer_changed_and_the_inbox_forgot() {
    let customers = Customers::open().await;
    let customer = customers.register().await;
    let (approved, rejected) = (verify(customer), verify(customer));
    customers.hear([&approved]).await;
    customers.decide("suspend", customer).await;
    customers.hear([&rejected]).await;
    customers.decide("resume", customer).await;
    customers.forget_the_inbox().await;
    customers.hear([&approved, &rejected]).await;

    for (question, kind) in [
        (&approved, "CUSTOMER_APPROVED"),
        (&rejected, "CUSTOMER_REJECTED"),
    ] {
        let [first, again] = &customers.told(question).await[..] else {
            panic!("two answers")
        };
        assert_eq!(first.kind, kind);
        assert_eq!(
            (&first.kind, first.sequence, &first.body),
            (&again.kind, again.sequence, &again.body)
        );
    }
}

#[tokio::test]
async fn what_is_for_the_view_is_ignored_and_nonsense_is_parked() {
    let customers = Customers::open().await;
    let question = verify(customers.register().await);
    let tell = |kind: &str| message("order-customer", kind, ambient::new_id(), &json!({}));
    let batch = [
        tell("ORDER_CHANGED"),
        tell("ORDER_ON_FIRE"),
        tell("ORDER_CREATED"),
        question,
    ];
    let report = customers.hear(&batch).await;
    assert_eq!((report.handled, report.parked), (1, 2));
}

#[tokio::test]
async fn a_question_about_an_order_whose_verdict_was_removed_is_not_answered_anew() {
    let mut customers = Customers::open().await;
    let question = verify(customers.register().await);
    customers.hear([&question]).await;
    assert_eq!(customers.age().await, 1);
    customers.forget_the_inbox().await;
    let report = customers.hear([&question]).await;
    assert_eq!((report.handled, report.aged), (0, 1));
    assert_eq!(customers.told(&question).await.len(), 1);
}

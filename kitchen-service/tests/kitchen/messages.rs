//! What the kitchen answers, whatever comes twice, late or out of order.

use crate::support::{Kitchen, approved, cancel_requested, new_order, told};
use messaging::TraceParent;

#[tokio::test]
async fn an_approved_order_is_cooked_and_answered() {
    let (kitchen, order) = (Kitchen::open().await, new_order());
    let mut command = approved(order);
    command.trace = Some(TraceParent::new_root());
    kitchen.hear([&command]).await;

    let [reply] = &kitchen.outbox(order).await[..] else {
        panic!("one answer")
    };
    assert_eq!(
        (reply.topic.as_str(), reply.kind.as_str()),
        ("order-reply", "KITCHEN_PREPARING")
    );
    assert_eq!((reply.sequence, reply.causation), (1, Some(command.id)));
    let sent: TraceParent = reply.traceparent.as_deref().unwrap().parse().unwrap();
    assert_eq!(
        Some(sent.trace_id()),
        command.trace.map(TraceParent::trace_id)
    );
}

#[tokio::test]
async fn a_command_that_comes_again_is_answered_with_the_same_message() {
    let (kitchen, order) = (Kitchen::open().await, new_order());
    let command = approved(order);
    kitchen.hear([&command, &command]).await;
    kitchen.mark_ready(order).await;
    kitchen.hear([&command]).await;

    let told = kitchen.outbox(order).await;
    let answers: Vec<_> = told
        .iter()
        .filter(|told| told.causation == Some(command.id))
        .collect();
    assert_eq!(
        answers.len(),
        2,
        "the repetition within a batch needs no answer of its own"
    );
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn a_command_that_comes_again_after_everybody_forgot_it_is_answered_and_not_cooked_twice() {
    let (kitchen, order) = (Kitchen::open().await, new_order());
    let command = approved(order);
    kitchen.hear([&command]).await;
    kitchen.mark_ready(order).await;
    kitchen.forget_the_inbox().await;
    kitchen.hear([&command]).await;

    let expected = [
        told("KITCHEN_PREPARING", 1, "PREPARING"),
        told("KITCHEN_READY", 2, "READY"),
        told("KITCHEN_PREPARING", 3, "READY"),
    ];
    assert_eq!(kitchen.told(order).await, expected);
    let (_, listed) = kitchen.client.get("/kitchen/cooks").await;
    assert_eq!(listed["cooks"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn several_messages_of_one_order_in_a_batch_follow_each_other() {
    let (kitchen, order, other) = (Kitchen::open().await, new_order(), new_order());
    let batch = [approved(order), approved(other), cancel_requested(order)];
    let report = kitchen.hear(&batch).await;

    assert_eq!((report.handled, report.parked), (3, 0));
    let expected = [
        told("KITCHEN_PREPARING", 1, "PREPARING"),
        told("KITCHEN_CANCELLED", 2, "CANCELLED"),
    ];
    assert_eq!(kitchen.told(order).await, expected);
    assert_eq!(
        kitchen.told(other).await,
        [told("KITCHEN_PREPARING", 1, "PREPARING")]
    );
}

#[tokio::test]
async fn an_order_that_was_cancelled_before_it_came_is_never_cooked() {
    let (kitchen, order) = (Kitchen::open().await, new_order());
    kitchen.hear([&cancel_requested(order)]).await;
    kitchen.forget_the_inbox().await;
    kitchen.hear([&approved(order)]).await;

    let expected = [
        told("KITCHEN_CANCELLED", 1, "CANCELLED"),
        told("KITCHEN_CANCELLED", 2, "CANCELLED"),
    ];
    assert_eq!(kitchen.told(order).await, expected);
    let (status, problem) = kitchen.mark_ready(order).await;
    assert_eq!(status, 409);
    assert_eq!(
        problem["detail"],
        "kitchen cannot go from CANCELLED to READY"
    );
}

#[tokio::test]
async fn a_kitchen_that_was_away_for_long_reads_order_and_cancellation_and_cooks_nothing() {
    let (kitchen, order) = (Kitchen::open().await, new_order());
    kitchen
        .hear([&approved(order), &cancel_requested(order)])
        .await;
    let (status, problem) = kitchen.mark_ready(order).await;
    assert_eq!(status, 409, "{problem}");
    let (_, listed) = kitchen.client.get("/kitchen/cooks?state=PREPARING").await;
    assert_eq!(listed["cooks"].as_array().map(Vec::len), Some(0));
}

#[tokio::test]
async fn what_is_ready_is_not_cancelled() {
    let (kitchen, order) = (Kitchen::open().await, new_order());
    kitchen.hear([&approved(order)]).await;
    kitchen.mark_ready(order).await;
    kitchen.hear([&cancel_requested(order)]).await;

    let last = kitchen.outbox(order).await.pop().unwrap();
    assert_eq!(
        (last.kind.as_str(), last.sequence),
        ("KITCHEN_CANCEL_REFUSED", 3)
    );
    assert_eq!(last.json()["state"], "READY");
    assert_eq!(last.json()["reason"]["code"], "ALREADY_READY");
}

#[tokio::test]
async fn what_cannot_be_understood_is_parked_and_holds_back_only_its_own_order() {
    let (kitchen, order, other) = (Kitchen::open().await, new_order(), new_order());
    let mut unknown = approved(order);
    unknown.kind = "ORDER_ON_FIRE".to_owned();
    let mut foreign = approved(other);
    foreign.key = new_order().uuid();
    let batch = [unknown, foreign, cancel_requested(order), approved(other)];
    let report = kitchen.hear(&batch).await;

    assert_eq!((report.handled, report.parked), (1, 3));
    assert_eq!(
        kitchen.told(other).await,
        [told("KITCHEN_PREPARING", 1, "PREPARING")]
    );
}

#[tokio::test]
async fn an_aged_order_is_not_cooked_a_second_time() {
    let (mut kitchen, order) = (Kitchen::open().await, new_order());
    let cook = approved(order);
    kitchen.hear([&cook]).await;
    assert_eq!(kitchen.age().await, 0, "it is still being cooked");
    assert_eq!(kitchen.mark_ready(order).await.0, 200);
    assert_eq!(kitchen.age().await, 1);
    kitchen.forget_the_inbox().await;
    let report = kitchen.hear([&cook]).await;
    assert_eq!((report.handled, report.aged), (0, 1));
    assert_eq!(kitchen.told(order).await.len(), 2);
    assert_eq!(kitchen.mark_ready(order).await.0, 404);
}

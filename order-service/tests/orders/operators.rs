//! What operators see of the sagas, and what they can do about them.

use std::time::Duration;

use serde_json::Value;

use crate::support::{Desk, answer};

/// Lets every attempt at the awaited command stay silent.
async fn long_silence(desk: &Desk) {
    let mut silence = desk.silence();
    let mut now = ambient::now();
    desk.publish().await;
    for _ in 0..700 {
        silence.look(now).await.unwrap();
        desk.publish().await;
        now += Duration::from_secs(1);
    }
}

async fn list(desk: &Desk, query: &str) -> Vec<Value> {
    let (status, page) = desk.get(&format!("/sagas{query}")).await;
    assert_eq!(status, 200, "{page}");
    page["sagas"].as_array().unwrap().clone()
}

#[tokio::test]
async fn sagas_are_listed_by_state_with_the_steps_that_are_ahead() {
    let desk = Desk::open().await;
    let waiting = desk.place_up_to("delivered").await;
    let running = desk.place().await;
    let complete = desk.place().await;
    desk.finish(complete).await;
    let ids = |sagas: Vec<Value>| -> Vec<Value> {
        sagas.iter().map(|saga| saga["orderId"].clone()).collect()
    };
    assert_eq!(
        ids(list(&desk, "").await),
        [waiting.to_string(), running.to_string()]
    );
    let found = list(&desk, "?state=WAITING").await;
    assert_eq!(
        found[0]["remaining"],
        serde_json::json!(["delivered", "complete ticket"])
    );
    assert_eq!(
        ids(list(&desk, "?state=COMPLETED").await),
        [complete.to_string()]
    );
    assert_eq!(list(&desk, "?olderThan=1h").await.len(), 0);
    assert_eq!(list(&desk, "?olderThan=0s").await.len(), 2);
}

#[tokio::test]
async fn the_list_has_pages() {
    let desk = Desk::open().await;
    for _ in 0..3 {
        desk.place().await;
    }
    let (_, first) = desk.get("/sagas?limit=2").await;
    assert_eq!(first["sagas"].as_array().unwrap().len(), 2);
    let next = first["next"].as_str().unwrap();
    let (_, second) = desk.get(&format!("/sagas?limit=2&cursor={next}")).await;
    assert_eq!(second["sagas"].as_array().unwrap().len(), 1);
    assert_eq!(second["next"], Value::Null);
}

#[tokio::test]
async fn a_query_that_makes_no_sense_names_its_parameter() {
    let desk = Desk::open().await;
    for (query, field) in [
        ("state=SLEEPING", "state"),
        ("olderThan=soon", "olderThan"),
        ("olderThan=200000y", "olderThan"),
        ("limit=0", "limit"),
        ("colour=red", "colour"),
    ] {
        let (status, problem) = desk.get(&format!("/sagas?{query}")).await;
        assert!((400..=422).contains(&status), "{query}: {status}");
        assert!(problem.to_string().contains(field), "{query}: {problem}");
    }
}

#[tokio::test]
async fn a_stuck_saga_is_retried_with_the_same_command_and_goes_on() {
    let desk = Desk::open().await;
    let order = desk.place_up_to("cook").await;
    let command = desk.said(order).await.pop().unwrap();
    long_silence(&desk).await;
    let stuck = list(&desk, "?state=STUCK").await;
    assert_eq!(stuck[0]["orderId"], order.to_string());
    assert_eq!(stuck[0]["remaining"][0], "cook");
    let (status, saga) = desk.step_in(order, "RETRY").await;
    assert_eq!((status, &saga["state"]), (200, &"FORWARD".into()));
    let again = desk.said(order).await.pop().unwrap();
    assert_eq!(
        (again.message_id, &again.body),
        (command.message_id, &command.body)
    );
    desk.finish(order).await;
    assert_eq!(desk.order(order).await["state"], "COMPLETE");
}

#[tokio::test]
async fn what_an_operator_did_is_kept_with_who_and_why() {
    let desk = Desk::open().await;
    let order = desk.place_up_to("cooked").await;
    let (status, saga) = desk.step_in(order, "SKIP").await;
    assert_eq!(status, 200);
    let steps = saga["steps"].as_array().unwrap();
    let cooked = steps.iter().find(|step| step["step"] == "cooked").unwrap();
    let record = &cooked["records"][0];
    assert_eq!(
        (&record["what"], &record["by"], &record["why"]),
        (
            &"SKIPPED".into(),
            &"ada".into(),
            &"the kitchen called".into()
        )
    );
}

#[tokio::test]
async fn a_saga_is_sent_back_until_the_kitchen_was_told() {
    let desk = Desk::open().await;
    for (step, end) in [
        ("authorise payment", "REJECTED"),
        ("approve ticket", "CANCELLED"),
    ] {
        let order = desk.place_up_to(step).await;
        assert_eq!(desk.step_in(order, "SEND_BACK").await.0, 200);
        desk.finish(order).await;
        assert_eq!(desk.order(order).await["state"], end);
    }
    let order = desk.place_up_to("cook").await;
    let (status, problem) = desk.step_in(order, "SEND_BACK").await;
    assert_eq!(status, 409);
    assert!(
        problem["detail"].as_str().unwrap().contains("kitchen"),
        "{problem}"
    );
}

#[tokio::test]
async fn an_intervention_names_the_step_who_and_why_and_a_known_action() {
    let desk = Desk::open().await;
    let order = desk.place().await;
    let path = format!("/sagas/{order}/interventions");
    for (body, field) in [
        (
            serde_json::json!({ "action": "RETRY", "step": "cook", "by": "", "why": "x" }),
            "by",
        ),
        (
            serde_json::json!({ "action": "RETRY", "step": "cook", "by": "ada" }),
            "why",
        ),
        (
            serde_json::json!({ "action": "PRAY", "step": "cook", "by": "ada", "why": "x" }),
            "action",
        ),
        (
            serde_json::json!({ "action": "SKIP", "by": "ada", "why": "x" }),
            "step",
        ),
        (
            serde_json::json!({ "action": "SKIP", "step": "", "by": "ada", "why": "x" }),
            "step",
        ),
    ] {
        let (status, problem) = desk.post(&path, &body).await;
        assert_eq!(
            (status, &problem["errors"][0]["field"]),
            (422, &field.into()),
            "{problem}"
        );
    }
    assert_eq!(
        desk.step_in_at(contracts::OrderId::new(ambient::new_id()), "cook", "RETRY")
            .await
            .0,
        404
    );
}

#[tokio::test]
async fn eight_skips_at_once_skip_one_step() {
    let desk = Desk::open().await;
    let order = desk.place_up_to("cook").await;
    long_silence(&desk).await;
    let skips = (0..8).map(|_| desk.step_in_at(order, "cook", "SKIP"));
    let answers = futures_util::future::join_all(skips).await;
    let (done, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|(status, _)| *status == 200);
    assert_eq!((done.len(), refused.len()), (1, 7));
    for (status, problem) in refused {
        let detail = problem["detail"].as_str().unwrap();
        assert_eq!(status, 409, "{problem}");
        assert!(
            detail.contains("`prepare ticket`") && detail.contains("`cook`"),
            "it names both steps: {detail}"
        );
    }
    let saga = desk.saga(order).await;
    assert_eq!(
        (&saga["step"], &saga["state"]),
        (&"prepare ticket".into(), &"FORWARD".into())
    );
}

#[tokio::test]
async fn at_another_step_than_was_seen_nothing_changes() {
    let desk = Desk::open().await;
    let order = desk.place_up_to("cooked").await;
    let before = (desk.saga(order).await, desk.said(order).await.len());
    for action in ["RETRY", "SKIP", "SEND_BACK"] {
        let (status, problem) = desk.step_in_at(order, "prepare ticket", action).await;
        assert_eq!(status, 409, "{problem}");
    }
    let after = (desk.saga(order).await, desk.said(order).await.len());
    assert_eq!(before, after);
}

#[tokio::test]
async fn what_is_under_way_in_time_cannot_be_skipped_and_the_payment_never() {
    let desk = Desk::open().await;
    for (step, hint) in [
        ("create ticket", "overdue"),
        ("authorise payment", "send it back, or retry"),
        ("approve ticket", "overdue"),
        ("capture payment", "overdue"),
    ] {
        let order = desk.place_up_to(step).await;
        let (status, problem) = desk.step_in(order, "SKIP").await;
        assert_eq!(status, 409, "{step}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(hint), "{step}: {detail}");
        assert_eq!(desk.saga(order).await["step"], step);
    }
}

#[tokio::test]
async fn the_customer_of_an_order_that_was_sent_back_does_not_read_of_silence() {
    let desk = Desk::open().await;
    let order = desk.place_up_to("authorise payment").await;
    desk.step_in(order, "SEND_BACK").await;
    desk.finish(order).await;
    let rejection = desk.order(order).await["rejection"].clone();
    assert_eq!(
        (&rejection["by"], &rejection["reason"]["code"]),
        (&"order".into(), &"SENT_BACK".into()),
        "{rejection}"
    );
}

#[tokio::test]
async fn an_operator_answers_for_a_kitchen_that_is_gone_and_the_hold_is_let_go() {
    let desk = Desk::open().await;
    let order = desk.place_up_to("cooked").await;
    desk.cancel(order).await;
    for action in ["SEND_BACK", "SKIP"] {
        let (status, problem) = desk.step_in(order, action).await;
        assert_eq!(status, 409, "the kitchen may answer yet: {problem}");
    }
    let question = desk.said(order).await.pop().unwrap();
    long_silence(&desk).await;
    let (status, problem) = desk.step_in(order, "SKIP").await;
    assert_eq!(status, 409);
    assert!(
        problem["detail"].as_str().unwrap().contains("send it back"),
        "{problem}"
    );
    let (status, saga) = desk.step_in(order, "SEND_BACK").await;
    assert_eq!((status, &saga["state"]), (200, &"BACKWARD".into()));
    desk.finish(order).await;
    assert_eq!(desk.order(order).await["state"], "CANCELLED");
    assert_eq!(
        desk.kinds(order)
            .await
            .iter()
            .rev()
            .skip(1)
            .take(2)
            .collect::<Vec<_>>(),
        [
            "order-ticket ORDER_CANCELLED",
            "order-payment ORDER_CANCELLED"
        ],
    );
    // What the kitchen says when it is back after all changes nothing here.
    for kind in ["KITCHEN_CANCEL_REFUSED", "KITCHEN_CANCELLED"] {
        let late = answer(order, kind, Some(question.message_id));
        desk.hear([&late]).await;
    }
    assert_eq!(desk.order(order).await["state"], "CANCELLED");
}

#[tokio::test]
async fn an_order_that_a_kitchen_never_took_is_cancelled_by_skipping_the_cook_first() {
    let desk = Desk::open().await;
    let order = desk.place_up_to("cook").await;
    long_silence(&desk).await;
    desk.cancel(order).await;
    assert_eq!(desk.step_in(order, "SEND_BACK").await.0, 409);
    assert_eq!(desk.step_in(order, "SKIP").await.0, 200);
    let asked = desk.kinds(order).await.pop().unwrap();
    assert_eq!(
        asked, "order-kitchen ORDER_CANCEL_REQUESTED",
        "it is behind the order in the kitchen's topic, however late the kitchen reads it"
    );
    long_silence(&desk).await;
    assert_eq!(desk.step_in(order, "SEND_BACK").await.0, 200);
    desk.finish(order).await;
    assert_eq!(desk.order(order).await["state"], "CANCELLED");
}

//! What operators see of the sagas, and what they can do about them.

use std::time::Duration;

use serde_json::Value;

use crate::support::Desk;

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
async fn an_intervention_names_who_and_why_and_a_known_action() {
    let desk = Desk::open().await;
    let order = desk.place().await;
    let path = format!("/sagas/{order}/interventions");
    for (body, field) in [
        (
            serde_json::json!({ "action": "RETRY", "by": "", "why": "x" }),
            "by",
        ),
        (serde_json::json!({ "action": "RETRY", "by": "ada" }), "why"),
        (
            serde_json::json!({ "action": "PRAY", "by": "ada", "why": "x" }),
            "action",
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
        desk.step_in(contracts::OrderId::new(ambient::new_id()), "RETRY")
            .await
            .0,
        404
    );
}

#[tokio::test]
async fn a_step_whose_answer_is_needed_later_cannot_be_skipped() {
    let desk = Desk::open().await;
    let order = desk.place_up_to("create ticket").await;
    let (status, _) = desk.step_in(order, "SKIP").await;
    assert_eq!(status, 409);
    assert_eq!(desk.saga(order).await["step"], "create ticket");
}

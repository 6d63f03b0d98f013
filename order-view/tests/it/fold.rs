//! Whatever the order, the repetitions and the batches: the same view.

use messaging::Message;
use order_view::{domain::OrderView, messages::news};
use proptest::{prelude::*, strategy::ValueTree};
use serde_json::{Value, json};

use crate::support::{Story, View};

/// The life of an order, in any order, with any repetitions. Everything is told at least once.
fn deliveries() -> impl Strategy<Value = (Vec<usize>, Vec<usize>)> {
    let count = Story::new().life().len();
    let repeated = prop::collection::vec(0..count, 0..count);
    repeated.prop_flat_map(move |repeated| {
        let all: Vec<usize> = (0..count).chain(repeated).collect();
        let cuts = prop::collection::vec(1..8_usize, all.len());
        (Just(all).prop_shuffle(), cuts)
    })
}

pub(crate) fn fold<'m>(messages: impl IntoIterator<Item = &'m Message>) -> Option<OrderView> {
    let mut view: Option<OrderView> = None;
    for message in messages {
        let news = news(message).expect("a message of the contract");
        match &mut view {
            Some(view) => view.fold(news),
            None => view = Some(OrderView::of(news)),
        }
    }
    view
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_make_the_same_view((told, _) in deliveries()) {
        let life = Story::new().life();
        let shuffled = fold(told.iter().map(|&index| &life[index]));
        prop_assert_eq!(shuffled, fold(&life));
    }

    #[test]
    fn no_version_ever_goes_back((told, _) in deliveries()) {
        let life = Story::new().life();
        let versions = |view: &OrderView| [
            view.order.version(), view.ticket.version(), view.payment.version(),
            view.kitchen.version(), view.delivery.version(),
        ];
        let mut before = [0; 5];
        for end in 1..=told.len() {
            let view = fold(told[..end].iter().map(|&index| &life[index])).expect("something was told");
            let now = versions(&view);
            prop_assert!(before.iter().zip(now).all(|(before, now)| *before <= now));
            before = now;
        }
    }
}

#[tokio::test]
async fn the_table_holds_the_same_whatever_came_when_and_in_which_batch() {
    let view = View::open().await;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..25 {
        let (told, cuts) = deliveries()
            .new_tree(&mut runner)
            .expect("a case")
            .current();
        let story = Story::new();
        let life = story.life();
        let mut left = told.as_slice();
        let mut version = 0;
        for cut in cuts {
            let (batch, rest) = left.split_at(cut.min(left.len()));
            view.hear(batch.iter().map(|&index| &life[index])).await;
            left = rest;
            let (status, now) = view.client.get(&format!("/orders/{}", story.order)).await;
            if status == 200 {
                let now = now["version"].as_i64().expect("a version");
                assert!(now >= version, "the view went back from {version} to {now}");
                version = now;
            }
        }
        let mut order = view.order(story.order).await;
        assert_eq!(
            order["asOf"],
            json!(life.iter().map(|message| message.time).max())
        );
        strip(&mut order);
        assert_eq!(order, complete(story));
    }
}

fn strip(order: &mut Value) {
    let all = order.as_object_mut().expect("an object");
    all.retain(|field, _| field != "asOf" && field != "updatedAt");
    for part in ["ticket", "payment", "kitchen", "delivery"] {
        order[part].as_object_mut().map(|part| part.remove("at"));
    }
}

fn complete(story: Story) -> Value {
    let money = |amount: i64| json!({ "amount": amount, "currency": "EUR" });
    let item = &story.life()[0].body;
    let item: Value = serde_json::from_str(item).expect("JSON");
    json!({
        "orderId": story.order,
        "state": "COMPLETE",
        "version": 14,
        "total": money(2500),
        "customerId": story.customer,
        "restaurantId": story.restaurant,
        "createdAt": "2026-01-02T03:04:05Z",
        "items": [{
            "menuItemId": item["items"][0]["menuItemId"], "quantity": 2, "name": "Soup",
            "unitPrice": money(1250), "lineTotal": money(2500),
        }],
        "ticket": { "ticketId": story.ticket, "state": "COMPLETE", "version": 6 },
        "payment": { "state": "CAPTURED", "version": 2 },
        "kitchen": { "state": "READY", "version": 2 },
        "delivery": { "state": "COMPLETE", "version": 3 },
    })
}

#[tokio::test]
async fn a_message_that_tells_nothing_new_writes_nothing() {
    let view = View::open().await;
    let story = Story::new();
    let life = story.life();
    view.hear(&life).await;
    let before = xmin(&view).await;
    view.hear(&life).await;
    assert_eq!(xmin(&view).await, before);
}

async fn xmin(view: &View) -> String {
    use sea_orm::{ConnectionTrait, DbBackend, Statement};
    let query = "SELECT xmin::text FROM order_views";
    let row = view
        .store
        .db()
        .query_one_raw(Statement::from_string(DbBackend::Postgres, query))
        .await;
    row.expect("the view can be read")
        .expect("one order")
        .try_get_by_index(0)
        .expect("a transaction id")
}

#[tokio::test]
async fn an_aged_order_does_not_come_back_and_one_that_is_under_way_is_told_on() {
    let (mut view, ended, open) = (View::open().await, Story::new(), Story::new());
    let (life, other) = (ended.life(), open.life());
    let (past, future) = other.split_at(10);
    view.hear(life.iter().chain(past)).await;
    assert_eq!(view.age().await, 1);
    let report = view.hear(life.iter().chain(future)).await;
    assert_eq!((report.handled, report.aged), (future.len(), life.len()));
    let (status, _) = view.client.get(&format!("/orders/{}", ended.order)).await;
    assert_eq!(status, 404);
    assert_eq!(view.order(open.order).await["state"], "COMPLETE");
}

//! Many orders at once, and one bad message among good ones.

use contracts::OrderId;
use messaging::Message;

use crate::support::{Desk, answer};

/// The approval of its customer, for each of the orders.
async fn approvals(desk: &Desk, orders: &[OrderId]) -> Vec<Message> {
    let mut approvals = Vec::new();
    for order in orders {
        let command = desk.said(*order).await.pop().unwrap().message_id;
        approvals.push(answer(*order, "CUSTOMER_APPROVED", Some(command)));
    }
    approvals
}

async fn place(desk: &Desk, count: usize) -> Vec<OrderId> {
    let mut orders = Vec::new();
    for _ in 0..count {
        orders.push(desk.place().await);
    }
    orders
}

#[tokio::test]
async fn a_batch_moves_all_of_its_orders() {
    let desk = Desk::open().await;
    let orders = place(&desk, 30).await;
    let approvals = approvals(&desk, &orders).await;
    assert_eq!(desk.hear(&approvals).await.handled, 30);
    assert_eq!(
        desk.count("SELECT count(*) FROM sagas WHERE step = 'create ticket'")
            .await,
        30
    );
    assert_eq!(
        desk.count("SELECT count(*) FROM orders WHERE version = 2")
            .await,
        30
    );
    assert_eq!(desk.count("SELECT count(*) FROM saga_history").await, 90);
    assert_eq!(desk.count("SELECT count(*) FROM outbox").await, 60);
}

#[tokio::test]
async fn a_broken_body_holds_back_its_own_order_only() {
    let desk = Desk::open().await;
    let orders = place(&desk, 3).await;
    let mut batch = approvals(&desk, &orders).await;
    batch[1].body = r#"{"orderId": 7}"#.to_owned();
    let report = desk.hear(&batch).await;
    assert_eq!((report.handled, report.parked), (2, 1));
    let steps = [
        desk.saga(orders[0]).await,
        desk.saga(orders[1]).await,
        desk.saga(orders[2]).await,
    ];
    let steps = steps.map(|saga| saga["step"].as_str().unwrap().to_owned());
    assert_eq!(steps, ["create ticket", "verify customer", "create ticket"]);
    assert_eq!(desk.count("SELECT count(*) FROM parked").await, 1);
}

#[tokio::test]
async fn a_body_that_speaks_of_another_order_is_a_dead_letter() {
    let desk = Desk::open().await;
    let orders = place(&desk, 2).await;
    let mut batch = approvals(&desk, &orders).await;
    batch[0].body = batch[1].body.clone();
    let report = desk.hear(&batch).await;
    assert_eq!((report.handled, report.parked), (1, 1));
    assert_eq!(desk.saga(orders[0]).await["step"], "verify customer");
}

#[tokio::test]
async fn an_answer_that_the_step_does_not_know_is_a_dead_letter() {
    let desk = Desk::open().await;
    let order = desk.place().await;
    let command = desk.said(order).await.pop().unwrap().message_id;
    let odd = answer(order, "PAYMENT_APPROVED", Some(command));
    assert_eq!(desk.hear([&odd]).await.parked, 1);
    assert_eq!(desk.saga(order).await["step"], "verify customer");
    let reason =
        "SELECT count(*) FROM parked WHERE reason LIKE '%PAYMENT_APPROVED is none that it knows%'";
    assert_eq!(desk.count(reason).await, 1);
}

#[tokio::test]
async fn a_reply_about_an_order_that_is_not_known_here_is_dropped() {
    let desk = Desk::open().await;
    let stranger = answer(OrderId::new(ambient::new_id()), "CUSTOMER_APPROVED", None);
    let report = desk.hear([&stranger]).await;
    assert_eq!((report.handled, report.parked), (1, 0));
    assert_eq!(desk.count("SELECT count(*) FROM sagas").await, 0);
    assert_eq!(desk.count("SELECT count(*) FROM outbox").await, 0);
}

#[tokio::test]
async fn a_kind_that_no_contract_knows_is_a_dead_letter() {
    let desk = Desk::open().await;
    let order = desk.place().await;
    let odd = Message {
        kind: "PIGEON_LANDED".to_owned(),
        ..answer(order, "KITCHEN_READY", None)
    };
    assert_eq!(desk.hear([&odd]).await.parked, 1);
}

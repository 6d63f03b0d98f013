//! Participants that do not answer.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::support::Desk;

/// Looks once a second, as the service does, and lets the relay publish before each look.
struct Clock {
    silence: saga_postgres::Silence<order_service::domain::Order>,
    now: DateTime<Utc>,
}

impl Clock {
    async fn start(desk: &Desk) -> Self {
        desk.publish().await;
        let (silence, now) = (desk.silence(), ambient::now());
        Self { silence, now }
    }

    /// Gives how many sagas felt that nobody answers.
    async fn pass(&mut self, desk: &Desk, seconds: u32) -> usize {
        let mut felt = 0;
        for _ in 0..seconds {
            felt += self.silence.look(self.now).await.unwrap();
            desk.publish().await;
            self.now += Duration::from_secs(1);
        }
        felt
    }
}

#[tokio::test]
async fn a_silent_participant_is_asked_again_with_the_same_bytes() {
    let desk = Desk::open().await;
    let order = desk.place().await;
    let mut clock = Clock::start(&desk).await;
    assert_eq!(clock.pass(&desk, 9).await, 0);
    assert_eq!(clock.pass(&desk, 5).await, 1);
    let said = desk.said(order).await;
    assert_eq!(said.len(), 2);
    assert_eq!(said[0].message_id, said[1].message_id);
    assert_eq!(
        (&said[0].body, &said[0].traceparent),
        (&said[1].body, &said[1].traceparent)
    );
    assert_eq!(desk.saga(order).await["awaiting"]["attempt"], 2);
}

#[tokio::test]
async fn each_attempt_may_take_longer_and_past_the_last_the_saga_goes_back() {
    let desk = Desk::open().await;
    let order = desk.place_up_to("authorise payment").await;
    let mut clock = Clock::start(&desk).await;
    let mut felt = Vec::new();
    for second in 0..205 {
        if clock.pass(&desk, 1).await > 0 {
            felt.push(second);
        }
    }
    let gaps: Vec<i32> = felt.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(felt.len(), 5, "{felt:?}");
    for (gap, patience) in gaps.iter().zip([20, 40, 60, 60]) {
        assert!((patience..=patience + 3).contains(gap), "{gaps:?}");
    }
    assert_eq!(desk.said(order).await.pop().unwrap().kind, "ORDER_REJECTED");
    assert_eq!(desk.said(order).await.pop().unwrap().topic, "order-payment");
    desk.finish(order).await;
    let order = desk.order(order).await;
    assert_eq!(
        (&order["state"], &order["rejection"]["reason"]["code"]),
        (&"REJECTED".into(), &"NO_ANSWER".into())
    );
}

#[tokio::test]
async fn behind_the_pivot_a_silent_participant_leaves_the_saga_stuck() {
    let desk = Desk::open().await;
    let order = desk.place_up_to("capture payment").await;
    let mut clock = Clock::start(&desk).await;
    assert_eq!(clock.pass(&desk, 600).await, 5);
    assert_eq!(desk.saga(order).await["state"], "STUCK");
    desk.answer(order, "PAYMENT_CAPTURED").await;
    desk.finish(order).await;
    assert_eq!(desk.order(order).await["state"], "COMPLETE");
}

/// A broker that is away for an hour must not lead to a mass rollback when it is back.
#[tokio::test]
async fn the_clock_stands_still_while_a_command_waits_in_the_outbox() {
    let desk = Desk::open().await;
    let mut clock = Clock::start(&desk).await;
    let order = desk.place().await;
    clock.now = ambient::now() + Duration::from_secs(2);
    for _ in 0..3_600 {
        assert_eq!(clock.silence.look(clock.now).await.unwrap(), 0);
        clock.now += Duration::from_secs(1);
    }
    assert_eq!(desk.saga(order).await["awaiting"]["attempt"], 1);
    desk.publish().await;
    assert_eq!(clock.pass(&desk, 9).await, 0);
    assert_eq!(clock.pass(&desk, 5).await, 1);
}

/// The relay has gone on, and left a hole where somebody had not committed.
#[tokio::test]
async fn a_command_in_a_hole_of_the_relay_is_not_published() {
    let desk = Desk::open().await;
    let mut clock = Clock::start(&desk).await;
    let order = desk.place().await;
    desk.publish().await;
    desk.execute("UPDATE relay.shard SET holes = int8multirange(int8range(position, position + 1)) WHERE position > 0").await;
    clock.now = ambient::now() + Duration::from_secs(2);
    for _ in 0..30 {
        assert_eq!(clock.silence.look(clock.now).await.unwrap(), 0);
        clock.now += Duration::from_secs(1);
    }
    assert_eq!(desk.saga(order).await["awaiting"]["attempt"], 1);
}

#[tokio::test]
async fn a_step_that_waits_for_a_person_has_no_deadline() {
    let desk = Desk::open().await;
    for step in ["cooked", "picked up", "delivered"] {
        desk.place_up_to(step).await;
    }
    let mut clock = Clock::start(&desk).await;
    assert_eq!(clock.pass(&desk, 1_000).await, 0);
}

#[tokio::test]
async fn a_kitchen_that_does_not_decide_is_asked_again_and_then_the_saga_is_stuck() {
    let desk = Desk::open().await;
    let order = desk.place_up_to("cooked").await;
    desk.cancel(order).await;
    let mut clock = Clock::start(&desk).await;
    assert_eq!(clock.pass(&desk, 600).await, 5);
    assert_eq!(desk.saga(order).await["state"], "STUCK");
    desk.answer(order, "KITCHEN_CANCELLED").await;
    desk.finish(order).await;
    assert_eq!(desk.order(order).await["state"], "CANCELLED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_instances_share_the_work_and_none_is_done_twice() {
    let desk = Desk::open().await;
    let mut orders = Vec::new();
    for _ in 0..50 {
        orders.push(desk.place().await);
    }
    let (mut one, mut two) = (Clock::start(&desk).await, Clock::start(&desk).await);
    let mut felt = 0;
    for _ in 0..15 {
        let (first, second) = tokio::join!(one.pass(&desk, 1), two.pass(&desk, 1));
        felt += first + second;
    }
    assert_eq!(felt, 50);
    for order in orders {
        assert_eq!(desk.said(order).await.len(), 2);
    }
}

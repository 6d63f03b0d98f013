//! SIGKILL, lost answers and two workers: nobody is charged twice, and nothing is left behind.

use std::{sync::Arc, time::Duration};

use contracts::PaymentState;
use testing::{eventually, outbox};
use tokio::sync::Semaphore;

use crate::{
    scene::{Scene, authorise, capture, new_order, next_year, void},
    scripted::{Scripted, Twist},
};

#[tokio::test]
async fn a_crash_before_the_call_is_made_good_by_the_restart() {
    let (mut scene, gateway) = (Scene::new().await, Scripted::twisted([]));
    // The restarted instance does not wait until its own claim lapses.
    scene.patience = Duration::from_secs(600);
    let method = scene.method("tok_good", next_year()).await;
    let order = new_order();
    let hold = authorise(order, scene.customer, method);
    let before = scene.instance_that_only_commits(0, gateway.clone());
    before.handle(&[&hold]).await;
    before.kill();
    assert!(gateway.asked().is_empty());
    let _after = scene.instance(0, gateway.clone());
    assert_eq!(scene.answer(&hold).await.kind, "PAYMENT_APPROVED");
    assert_eq!(gateway.ledger(order), ["HOLD"]);
}

#[tokio::test]
async fn a_crash_between_the_call_and_its_answer_holds_once() {
    for twist in [Twist::Never, Twist::Unheard] {
        let (mut scene, gateway) = (Scene::new().await, Scripted::twisted([twist]));
        scene.patience = Duration::from_secs(600);
        let method = scene.method("tok_good", next_year()).await;
        let order = new_order();
        let hold = authorise(order, scene.customer, method);
        let before = scene.instance(0, gateway.clone());
        before.handle(&[&hold]).await;
        eventually("the call", async || gateway.asked().first().cloned()).await;
        before.kill();
        let _after = scene.instance(0, gateway.clone());
        assert_eq!(scene.answer(&hold).await.kind, "PAYMENT_APPROVED");
        assert_eq!(gateway.ledger(order), ["HOLD"]);
        let key = format!("{order}-authorise");
        assert_eq!(gateway.asked(), [key.clone(), key]);
    }
}

#[tokio::test]
async fn another_instance_takes_over_what_a_dead_one_has_claimed() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted([Twist::Never]));
    let method = scene.method("tok_good", next_year()).await;
    let order = new_order();
    let hold = authorise(order, scene.customer, method);
    let dead = scene.instance(0, gateway.clone());
    let _alive = scene.instance(1, gateway.clone());
    dead.handle(&[&hold]).await;
    eventually("the call", async || gateway.asked().first().cloned()).await;
    dead.kill();
    assert_eq!(scene.answer(&hold).await.kind, "PAYMENT_APPROVED");
    assert_eq!(gateway.ledger(order), ["HOLD"]);
}

#[tokio::test]
async fn a_capture_whose_answer_is_lost_is_asked_again_with_the_same_key() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted([]));
    let service = scene.instance(0, gateway.clone());
    let method = scene.method("tok_good", next_year()).await;
    let order = new_order();
    let hold = authorise(order, scene.customer, method);
    service.handle(&[&hold]).await;
    scene.settled(order, PaymentState::Authorised).await;
    service.kill();

    let gateway = Scripted::twisted([Twist::Lost, Twist::Away, Twist::Never]);
    let service = scene.instance(0, gateway.clone());
    let take = capture(order);
    service.handle(&[&take]).await;
    assert_eq!(scene.answer(&take).await.kind, "PAYMENT_CAPTURED");
    assert_eq!(gateway.ledger(order), ["CHARGE"]);
    assert_eq!(gateway.asked(), vec![format!("{order}-capture"); 4]);
}

#[tokio::test]
async fn a_gateway_that_is_away_keeps_the_payment_authorising_and_is_waited_for() {
    let away = std::iter::repeat_n(Twist::Away, 6);
    let (scene, gateway) = (Scene::new().await, Scripted::twisted(away));
    let service = scene.instance(0, gateway.clone());
    let method = scene.method("tok_good", next_year()).await;
    let commands: Vec<_> = (0..5)
        .map(|_| authorise(new_order(), scene.customer, method))
        .collect();
    let batch: Vec<_> = commands.iter().collect();
    service.handle(&batch).await;
    eventually("some calls in vain", async || {
        (gateway.asked().len() >= 5).then_some(())
    })
    .await;
    let payment = scene.payment(commands[0].key.into()).await.unwrap();
    assert_eq!(payment.state, PaymentState::Authorising);
    for command in &commands {
        assert_eq!(scene.answer(command).await.kind, "PAYMENT_APPROVED");
        assert_eq!(gateway.ledger(command.key), ["HOLD"]);
    }
}

#[tokio::test]
async fn a_void_during_an_authorisation_whose_answer_is_lost_lets_the_hold_go() {
    for crash in [false, true] {
        let twists = [Twist::Never, Twist::Lost];
        let (scene, gateway) = (Scene::new().await, Scripted::twisted(twists));
        let mut service = scene.instance(0, gateway.clone());
        let method = scene.method("tok_good", next_year()).await;
        let order = new_order();
        let (hold, let_go) = (authorise(order, scene.customer, method), void(order));
        service.handle(&[&hold]).await;
        eventually("the call", async || gateway.asked().first().cloned()).await;
        service.handle(&[&let_go]).await;
        if crash {
            service.kill();
            service = scene.instance(0, gateway.clone());
        }
        assert_eq!(scene.answer(&let_go).await.kind, "PAYMENT_VOIDED");
        assert_eq!(scene.answer(&hold).await.kind, "PAYMENT_APPROVED");
        scene.settled(order, PaymentState::Voided).await;
        assert_eq!(gateway.ledger(order), ["HOLD", "VOID"]);
        service.kill();
    }
}

#[tokio::test]
async fn void_and_authorisation_in_one_batch_leave_nothing_held() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted([]));
    let service = scene.instance(0, gateway.clone());
    let method = scene.method("tok_good", next_year()).await;
    let order = new_order();
    let (hold, let_go) = (authorise(order, scene.customer, method), void(order));
    service.handle(&[&hold, &let_go, &hold]).await;
    assert_eq!(scene.answer(&let_go).await.kind, "PAYMENT_VOIDED");
    assert_eq!(gateway.ledger(order), ["HOLD", "VOID"]);
    service.handle(&[&let_go]).await;
    let answers = scene.answers(&let_go, 2).await;
    assert_eq!(answers[0], answers[1]);
}

/// The answer of a worker that stood still comes when another one has brought it already.
#[tokio::test]
async fn an_answer_that_somebody_else_has_committed_changes_nothing() {
    let gate = Arc::new(Semaphore::new(0));
    let slow = Scripted::twisted([Twist::Gated(gate.clone())]);
    let mut scene = Scene::new().await;
    scene.patience = Duration::from_secs(60);
    let method = scene.method("tok_good", next_year()).await;
    let order = new_order();
    let hold = authorise(order, scene.customer, method);
    let first = scene.instance(0, slow.clone());
    first.handle(&[&hold]).await;
    eventually("the call", async || slow.asked().first().cloned()).await;
    // As if the first had been stopped for so long that its claim lapsed.
    scene
        .execute("UPDATE payments SET claimed_until = '-infinity'")
        .await;
    let second = scene.instance(1, slow.clone());
    let approved = scene.answer(&hold).await;
    let take = capture(order);
    second.handle(&[&take]).await;
    gate.add_permits(1);
    let captured = scene.settled(order, PaymentState::Captured).await;
    // A worker commits its answers in their order: when the first has brought this one, the late one was dealt with.
    let another = authorise(new_order(), scene.customer, method);
    first.handle(&[&another]).await;
    scene.answer(&another).await;
    assert_eq!(scene.payment(order).await.unwrap(), captured);
    let told = outbox(scene.store.db()).await;
    let kinds: Vec<_> = told.iter().map(|told| told.kind.as_str()).collect();
    assert_eq!(
        kinds,
        ["PAYMENT_APPROVED", "PAYMENT_CAPTURED", "PAYMENT_APPROVED"]
    );
    assert_eq!(told[0], approved);
    assert_eq!(slow.ledger(order), ["HOLD", "CHARGE"]);
}

#[tokio::test]
async fn two_workers_share_what_is_left_behind_and_hold_once_each() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted([]));
    let method = scene.method("tok_good", next_year()).await;
    let commands: Vec<_> = (0..100)
        .map(|_| authorise(new_order(), scene.customer, method))
        .collect();
    let batch: Vec<_> = commands.iter().collect();
    let dead = scene.instance_that_only_commits(7, gateway.clone());
    dead.handle(&batch).await;
    scene
        .execute("UPDATE payments SET claimed_until = '-infinity'")
        .await;
    let _workers = [0, 1, 2].map(|slot| scene.instance(slot, gateway.clone()));
    for command in &commands {
        assert_eq!(scene.answer(command).await.kind, "PAYMENT_APPROVED");
        assert_eq!(gateway.ledger(command.key), ["HOLD"]);
    }
    assert_eq!(outbox(scene.store.db()).await.len(), commands.len());
}

//! An order's payment from its intent to its answers.

use contracts::PaymentState;
use messaging::TraceParent;
use payment_service::domain::Expiry;
use testing::outbox;

use crate::{
    scene::{Scene, authorise, capture, new_order, next_year, void},
    scripted::{DECLINED, Scripted},
};

#[tokio::test]
async fn an_order_is_authorised_and_captured_once() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted([]));
    let service = scene.instance(0, gateway.clone());
    let method = scene.method("tok_good", next_year()).await;
    let order = new_order();
    let hold = authorise(order, scene.customer, method);
    service.handle(&[&hold]).await;

    let approved = scene.answer(&hold).await;
    assert_eq!(approved.kind, "PAYMENT_APPROVED");
    assert_eq!(approved.topic, "order-reply");
    assert_eq!(approved.json()["state"], "AUTHORISED");
    assert_eq!(approved.json()["amount"]["amount"], 2500);
    let trace: TraceParent = approved.traceparent.unwrap().parse().unwrap();
    assert_eq!(trace.trace_id(), hold.trace.unwrap().trace_id());

    let take = capture(order);
    service.handle(&[&take]).await;
    let captured = scene.answer(&take).await;
    assert_eq!(captured.kind, "PAYMENT_CAPTURED");
    assert!(captured.sequence > approved.sequence);
    let payment = scene.settled(order, PaymentState::Captured).await;
    assert_eq!(payment.version, captured.sequence);
    assert_eq!(gateway.ledger(order), ["HOLD", "CHARGE"]);
    // Where an answer takes too long it is asked for again, with the same key.
    let mut asked = gateway.asked();
    asked.dedup();
    assert_eq!(
        asked,
        [format!("{order}-authorise"), format!("{order}-capture")]
    );
}

#[tokio::test]
async fn a_declined_card_rejects_the_payment_with_its_reason() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted([]));
    let service = scene.instance(0, gateway.clone());
    let method = scene.method(DECLINED, next_year()).await;
    let order = new_order();
    let hold = authorise(order, scene.customer, method);
    service.handle(&[&hold]).await;
    let rejected = scene.answer(&hold).await;
    assert_eq!(rejected.kind, "PAYMENT_REJECTED");
    assert_eq!(rejected.json()["state"], "DECLINED");
    assert_eq!(rejected.json()["reason"]["code"], "CARD_DECLINED");
}

#[tokio::test]
async fn what_needs_no_gateway_is_refused_without_asking_it() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted([]));
    let service = scene.instance(0, gateway.clone());
    let good = scene.method("tok_good", next_year()).await;
    let past = Expiry {
        year: 2020,
        month: 1,
    };
    let expired = scene.method("tok_good", past).await;
    let stranger = contracts::CustomerId::new(ambient::new_id());
    let unknown = contracts::PaymentMethodId::new(ambient::new_id());
    let cases = [
        (scene.customer, unknown, "PAYMENT_METHOD_UNKNOWN"),
        (stranger, good, "PAYMENT_METHOD_FOREIGN"),
        (scene.customer, expired, "CARD_EXPIRED"),
    ];
    let commands = cases.map(|(customer, method, _)| authorise(new_order(), customer, method));
    service.handle(&commands.each_ref()).await;
    for (command, (.., code)) in commands.iter().zip(cases) {
        let rejected = scene.answer(command).await;
        assert_eq!(rejected.kind, "PAYMENT_REJECTED");
        assert_eq!(rejected.json()["reason"]["code"], code);
        let payment = scene.payment(command.key.into()).await.unwrap();
        assert_eq!(payment.state, PaymentState::Declined);
    }
    assert!(gateway.asked().is_empty());
}

#[tokio::test]
async fn a_command_that_comes_again_is_answered_again_with_the_same_message() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted([]));
    let service = scene.instance(0, gateway.clone());
    let method = scene.method("tok_good", next_year()).await;
    let order = new_order();
    let hold = authorise(order, scene.customer, method);
    service.handle(&[&hold]).await;
    let first = scene.answer(&hold).await;

    let report = service.handle(&[&hold]).await;
    assert_eq!((report.handled, report.duplicates), (1, 0));
    assert_eq!(
        scene.answers(&hold, 2).await,
        [first.clone(), first.clone()]
    );

    // It is the payment that knows, and it does so for ever: nothing is kept in the inbox.
    assert_eq!(scene.count("inbox").await, 0);
    let take = capture(order);
    service.handle(&[&take]).await;
    scene.settled(order, PaymentState::Captured).await;
    let report = service.handle(&[&hold]).await;
    assert_eq!((report.handled, report.duplicates), (1, 0));
    assert_eq!(scene.answers(&hold, 3).await[2], first);
    assert_eq!(gateway.ledger(order), ["HOLD", "CHARGE"]);
}

#[tokio::test]
async fn an_authorised_payment_is_voided() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted([]));
    let service = scene.instance(0, gateway.clone());
    let method = scene.method("tok_good", next_year()).await;
    let order = new_order();
    let hold = authorise(order, scene.customer, method);
    service.handle(&[&hold]).await;
    scene.settled(order, PaymentState::Authorised).await;
    let let_go = void(order);
    service.handle(&[&let_go]).await;
    assert_eq!(scene.answer(&let_go).await.kind, "PAYMENT_VOIDED");
    assert_eq!(gateway.ledger(order), ["HOLD", "VOID"]);
}

#[tokio::test]
async fn an_authorisation_that_comes_after_its_void_is_refused() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted([]));
    let service = scene.instance(0, gateway.clone());
    let method = scene.method("tok_good", next_year()).await;
    let order = new_order();
    let (let_go, hold) = (void(order), authorise(order, scene.customer, method));
    service.handle(&[&let_go]).await;
    let voided = scene.answer(&let_go).await;
    assert_eq!(voided.kind, "PAYMENT_VOIDED");
    assert!(voided.json().get("amount").is_none());
    service.handle(&[&hold, &let_go]).await;
    let rejected = scene.answer(&hold).await;
    assert_eq!(rejected.kind, "PAYMENT_REJECTED");
    assert_eq!(rejected.json()["state"], "VOIDED");
    assert_eq!(rejected.json()["reason"]["code"], "PAYMENT_VOIDED");
    assert_eq!(scene.answers(&let_go, 2).await[1], voided);
    assert!(gateway.asked().is_empty());
}

#[tokio::test]
async fn a_whole_batch_of_orders_is_one_intent_each_and_one_answer_each() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted([]));
    let service = scene.instance(0, gateway.clone());
    let method = scene.method("tok_good", next_year()).await;
    let commands: Vec<_> = (0..200)
        .map(|_| authorise(new_order(), scene.customer, method))
        .collect();
    let batch: Vec<_> = commands.iter().collect();
    service.handle(&batch).await;
    for command in &commands {
        assert_eq!(scene.answer(command).await.kind, "PAYMENT_APPROVED");
        assert_eq!(gateway.ledger(command.key), ["HOLD"]);
    }
    assert_eq!(outbox(scene.store.db()).await.len(), commands.len());
}

#[tokio::test]
async fn what_cannot_be_is_parked_and_names_both_states() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted([]));
    let service = scene.instance(0, gateway.clone());
    let order = new_order();
    service.handle(&[&void(order)]).await;
    let report = service.handle(&[&capture(order)]).await;
    assert_eq!(report.parked, 1);
    let told = outbox(scene.store.db()).await;
    assert_eq!(told.last().unwrap().topic, "order-payment.dlq");
}

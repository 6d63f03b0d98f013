//! Batches on a real Postgres: what happens once, what is answered again, what is parked, and what goes on.

use crate::counter::{Counter, counted, counts};
use futures_util::FutureExt;
use messaging::{Fault, Incoming, Message, Outgoing, Policy, Processor, Raw, Report, Stamp, Store};
use sea_orm::{ConnectionTrait, DbErr};
use serde_json::json;
use testing::{Database, outbox, replies_to};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

async fn database() -> (Database, Store) {
    let mut migrations = messaging::migrations(1);
    migrations.push(Box::new(crate::counter::Table));
    let database = Database::migrated(migrations).await;
    let store = database.store().await;
    (database, store)
}

fn add(key: Uuid, amount: i64) -> Message {
    testing::message("numbers", "ADD", key, &json!({ "amount": amount }))
}

async fn process(store: &Store, batch: &[&Message]) -> Report {
    let batch = batch
        .iter()
        .map(|&message| message.clone().into())
        .collect();
    process_records(store, batch).await
}

async fn process_records(store: &Store, batch: Vec<Incoming>) -> Report {
    let processor = Processor::new(store.clone(), "counter", Counter).with_policy(Policy {
        pause: std::time::Duration::from_millis(1),
        ..Policy::default()
    });
    processor
        .process(batch, &CancellationToken::new())
        .await
        .expect("nothing stops it")
}

/// Why the only parked message failed.
async fn reason(store: &Store) -> String {
    let mut parked = crate::counter::parked(store).await;
    assert_eq!(parked.len(), 1);
    parked.remove(0).reason.expect("it was tried")
}

#[tokio::test]
async fn a_batch_is_handled_in_order_and_each_message_is_answered() {
    let (_database, store) = database().await;
    let key = ambient::new_id();
    let (first, second) = (add(key, 2), add(key, 5));
    let report = process(&store, &[&first, &second]).await;
    assert_eq!(
        report,
        Report {
            handled: 2,
            ..Report::default()
        }
    );
    let told = outbox(store.db()).await;
    let totals: Vec<_> = told
        .iter()
        .map(|told| told.json()["total"].clone())
        .collect();
    assert_eq!(totals, [json!(2), json!(7)]);
    assert_eq!(told[1].causation, Some(second.id));
}

#[tokio::test]
async fn a_duplicate_changes_nothing_and_is_answered_again_with_the_same_reply() {
    let (_database, store) = database().await;
    let message = add(ambient::new_id(), 2);
    process(&store, &[&message]).await;
    let report = process(&store, &[&message, &message]).await;
    assert_eq!(
        report,
        Report {
            duplicates: 2,
            ..Report::default()
        }
    );
    assert_eq!(counts(&store, message.key).await, 2);
    let replies = replies_to(store.db(), message.id).await;
    assert_eq!(replies.len(), 2);
    assert_eq!(replies[0], replies[1]);
}

#[tokio::test]
async fn a_duplicate_in_the_same_batch_has_one_effect() {
    let (_database, store) = database().await;
    let message = add(ambient::new_id(), 2);
    let report = process(&store, &[&message, &message]).await;
    assert_eq!(
        report,
        Report {
            handled: 1,
            duplicates: 1,
            parked: 0,
            aged: 0,
        }
    );
    assert_eq!(counts(&store, message.key).await, 2);
}

#[tokio::test]
async fn two_consumers_that_handle_the_same_message_at_once_have_one_effect() {
    let (_database, store) = database().await;
    let message = add(ambient::new_id(), 2);
    let batch = [&message];
    let both = futures_util::future::join_all((0..8).map(|_| process(&store, &batch)));
    let reports = both.await;
    assert_eq!(
        reports.iter().map(|report| report.handled).sum::<usize>(),
        1
    );
    assert_eq!(counts(&store, message.key).await, 2);
}

#[tokio::test]
async fn a_message_that_fails_is_parked_and_holds_back_only_its_own_key() {
    let (_database, store) = database().await;
    let (sick, well) = (ambient::new_id(), ambient::new_id());
    let poison = testing::message("numbers", "ADD", sick, &json!({ "amount": "many" }));
    let batch = [
        &add(sick, 1),
        &add(well, 1),
        &poison,
        &add(sick, 10),
        &add(well, 10),
    ];
    let report = process(&store, &batch).await;
    assert_eq!(
        report,
        Report {
            handled: 3,
            duplicates: 0,
            parked: 2,
            aged: 0,
        }
    );
    assert_eq!(
        (counts(&store, sick).await, counts(&store, well).await),
        (1, 11)
    );

    let later = process(&store, &[&add(sick, 100), &add(well, 100)]).await;
    assert_eq!(
        later,
        Report {
            handled: 1,
            duplicates: 0,
            parked: 1,
            aged: 0,
        }
    );
    let parked = crate::counter::parked(&store).await;
    assert_eq!(parked.len(), 3);
    let reason = parked[0].reason.as_deref().expect("it was tried");
    assert!(reason.contains("invalid type"), "{reason}");
    assert_eq!(parked[0].attempts, 3);
    for behind in &parked {
        assert_eq!(behind.line, sick.to_string());
    }
    for behind in &parked[1..] {
        assert_eq!((behind.attempts, &behind.reason), (0, &None));
    }
}

#[tokio::test]
async fn a_parked_message_is_copied_to_the_dead_letter_topic_naming_its_consumer() {
    let (_database, store) = database().await;
    let poison = testing::message("numbers", "ADD", ambient::new_id(), &json!({}));
    process(&store, &[&poison, &add(poison.key, 1)]).await;
    let told = outbox(store.db()).await;
    let [copy] = told.as_slice() else {
        panic!("one copy, none for those behind: {told:?}")
    };
    assert_eq!(
        (copy.topic.as_str(), copy.key, copy.body.as_str()),
        ("numbers.dlq", poison.key, poison.body.as_str())
    );
    let headers = crate::counter::headers_of(&store, copy.message_id).await;
    assert_eq!(headers["dlq_consumer"], "counter");
    assert_eq!(headers["dlq_message_id"], poison.id.to_string());
}

#[tokio::test]
async fn a_message_of_an_unknown_type_is_a_dead_letter_and_one_for_others_is_ignored() {
    let (_database, store) = database().await;
    let unknown = testing::message("numbers", "DIVIDE", ambient::new_id(), &json!({}));
    let foreign = testing::message("numbers", "PRINT", ambient::new_id(), &json!({}));
    let report = process(&store, &[&unknown, &foreign]).await;
    assert_eq!(
        report,
        Report {
            parked: 1,
            ..Report::default()
        }
    );
    assert!(reason(&store).await.contains("DIVIDE"));
}

#[tokio::test]
async fn a_record_that_is_no_message_is_a_dead_letter_with_its_bytes_kept() {
    let (_database, store) = database().await;
    let raw = Raw {
        topic: "numbers".into(),
        partition: 0,
        offset: 7,
        key: None,
        headers: vec![],
        payload: vec![0xff, 0x00, 0x01],
        at: None,
    };
    let report = process_records(&store, vec![raw.into(), add(ambient::new_id(), 1).into()]).await;
    assert_eq!(
        report,
        Report {
            handled: 1,
            duplicates: 0,
            parked: 1,
            aged: 0,
        }
    );
    assert_eq!(
        crate::counter::parked(&store).await[0].payload,
        [0xff, 0x00, 0x01]
    );
}

#[tokio::test]
async fn a_record_that_is_parked_and_comes_again_is_neither_parked_nor_copied_again() {
    let (_database, store) = database().await;
    let no_message = |offset, key: Option<&str>| Raw {
        topic: "numbers".into(),
        partition: 0,
        offset,
        key: key.map(str::to_owned),
        headers: vec![],
        payload: vec![],
        at: None,
    };
    let poison = testing::message("numbers", "ADD", ambient::new_id(), &json!({}));
    let records = || {
        let broken = [
            no_message(1, None),
            no_message(2, Some("")),
            no_message(3, Some("soup")),
        ];
        let good = [&poison, &add(poison.key, 1)].map(|message| message.clone().into());
        broken
            .into_iter()
            .map(Incoming::from)
            .chain(good)
            .collect::<Vec<_>>()
    };
    let records = records();
    let first = process_records(&store, records.clone()).await;
    assert_eq!((first.parked, first.duplicates), (5, 0));
    let again = process_records(&store, records).await;
    assert_eq!((again.parked, again.duplicates), (0, 5));
    assert_eq!(crate::counter::parked(&store).await.len(), 5);
    assert_eq!(
        outbox(store.db()).await.len(),
        4,
        "one copy of each that failed"
    );
}

#[tokio::test]
async fn a_handler_that_panics_parks_the_message_and_goes_on() {
    let (_database, store) = database().await;
    let bomb = testing::message("numbers", "EXPLODE", ambient::new_id(), &json!({}));
    let report = process(&store, &[&bomb, &add(ambient::new_id(), 1)]).await;
    assert_eq!(
        report,
        Report {
            handled: 1,
            duplicates: 0,
            parked: 1,
            aged: 0,
        }
    );
    assert!(reason(&store).await.contains("boom"));
}

#[tokio::test]
async fn a_message_that_the_database_refuses_is_parked_and_its_batch_goes_on() {
    let (_database, store) = database().await;
    let refused = add(ambient::new_id(), -1);
    let batch: Vec<_> = (0..9).map(|_| add(ambient::new_id(), 1)).collect();
    let mut batch: Vec<&Message> = batch.iter().collect();
    batch.insert(4, &refused);
    assert_eq!(
        process(&store, &batch).await,
        Report {
            handled: 9,
            duplicates: 0,
            parked: 1,
            aged: 0,
        }
    );
    assert_eq!(counts(&store, refused.key).await, 0);
}

#[tokio::test]
async fn the_outbox_keeps_the_order_of_commits_per_key_under_contention() {
    let (_database, store) = database().await;
    let key = ambient::new_id();
    process(&store, &[&add(key, 1)]).await;
    let tasks = (0..40).map(|_| {
        let store = store.clone();
        async move { process(&store, &[&add(key, 1)]).await }
    });
    futures_util::future::join_all(tasks).await;
    let totals: Vec<_> = outbox(store.db())
        .await
        .iter()
        .map(|told| told.json()["total"].as_i64())
        .collect();
    assert_eq!(totals, (1..=41).map(Some).collect::<Vec<_>>());
    counted(&store, key, 41).await;
}

#[tokio::test]
async fn state_and_message_commit_together_or_not_at_all() {
    let (_database, store) = database().await;
    let failed = store.transact(|work| {
        async move {
            work.db()
                .execute_unprepared("INSERT INTO counter VALUES (gen_random_uuid(), 1)")
                .await?;
            let message = Outgoing::new(
                &mut Stamp::live(),
                "numbers",
                "TOTAL",
                ambient::new_id(),
                1,
                &1,
            );
            work.publish(message.map_err(|fault: Fault| DbErr::Custom(fault.to_string()))?);
            Err::<(), _>(DbErr::Custom("changed my mind".into()))
        }
        .boxed()
    });
    assert!(failed.await.is_err());
    assert!(outbox(store.db()).await.is_empty());
    assert_eq!(crate::counter::rows(&store).await, 0);
}

#[tokio::test]
async fn a_caller_that_goes_away_cancels_no_transaction() {
    let (_database, store) = database().await;
    let key = ambient::new_id();
    for _ in 0..50 {
        let adding = store.transact(move |work| {
            async move { work.db().execute_unprepared(&format!(
                "INSERT INTO counter VALUES ('{key}', 1) ON CONFLICT (key) DO UPDATE SET total = counter.total + 1")).await }
            .boxed()
        });
        // Polled once, then dropped: as when a client disconnects.
        let _ = adding.now_or_never();
    }
    counted(&store, key, 50).await;
}

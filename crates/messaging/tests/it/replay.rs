//! Replays: what was parked has its effect once, in its order, and the key flows again.

use messaging::{Incoming, Message, Raw, Replays, parking::Filter};
use sea_orm::ConnectionTrait;
use serde_json::json;
use testing::{outbox, replies_to};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::logbook::{Desk, note, of};

/// The messages, parked: the first has failed, the others wait behind it.
async fn park(desk: &Desk, key: Uuid, count: usize) -> Vec<Message> {
    let notes: Vec<Message> = (0..count).map(|_| note(key)).collect();
    desk.breaks(key, "out of ink");
    let report = desk.process(&notes.iter().collect::<Vec<_>>()).await;
    assert_eq!((report.handled, report.parked), (0, count));
    notes
}

fn offsets(notes: &[Message]) -> Vec<i64> {
    notes.iter().map(|note| note.offset).collect()
}

const fn replayed(replayed: usize) -> Replays {
    Replays {
        replayed,
        failed: 0,
    }
}

#[tokio::test]
async fn a_replayed_message_has_its_effect_and_its_reply_once() {
    let desk = Desk::new().await;
    let key = ambient::new_id();
    let notes = park(&desk, key, 1).await;
    desk.mends(key);
    assert_eq!(desk.replay().await, replayed(0), "nobody has asked for it");
    assert_eq!(desk.request(&[key]).await, 1);
    assert_eq!(desk.request(&[key]).await, 0, "once is enough");
    assert_eq!(desk.replay().await, replayed(1));
    assert_eq!(desk.replay().await, replayed(0));
    assert_eq!(desk.written(key).await, offsets(&notes));
    assert_eq!(
        replies_to(desk.store.db(), notes[0].id).await.len(),
        2,
        "a copy, and the reply"
    );

    // It is remembered like every other message: it comes again, and is answered again, with the same reply.
    let again = desk.process(&[&notes[0]]).await;
    assert_eq!((again.handled, again.duplicates), (0, 1));
    assert_eq!(desk.written(key).await, offsets(&notes));
    let replies = replies_to(desk.store.db(), notes[0].id).await;
    assert_eq!(replies[1], replies[2]);
}

#[tokio::test]
async fn messages_behind_it_follow_in_their_order_and_the_key_flows_again() {
    let desk = Desk::new().await;
    let (key, before) = (ambient::new_id(), ambient::new_id());
    let mut notes = park(&desk, key, 3).await;
    park(&desk, before, 2).await;
    notes.extend([note(key), note(key)]);
    assert_eq!(desk.process(&[&notes[3], &notes[4]]).await.parked, 2);
    desk.mends(key);
    desk.request(&[key]).await;
    assert_eq!(desk.replay().await, replayed(5));
    notes.push(note(key));
    assert_eq!(desk.process(&[&notes[5]]).await.handled, 1);
    assert_eq!(desk.written(key).await, offsets(&notes));
    assert_eq!(desk.letters(&of(key)).await, []);
    assert_eq!(
        desk.letters(&of(before)).await.len(),
        2,
        "nobody has asked for these"
    );
    assert_eq!(desk.actions(key).await, ["REPLAYED"; 5]);
}

#[tokio::test]
async fn a_message_that_fails_again_stays_with_its_new_reason_and_the_rest_waits_on() {
    let desk = Desk::new().await;
    let key = ambient::new_id();
    let notes = park(&desk, key, 2).await;
    desk.breaks(key, "out of paper");
    desk.request(&[key]).await;
    let failed = Replays {
        replayed: 0,
        failed: 1,
    };
    assert_eq!(desk.replay().await, failed);
    assert_eq!(desk.replay().await, replayed(0), "the request is done with");
    let letters = desk.letters(&of(key)).await;
    assert_eq!(letters.len(), 2);
    assert_eq!(letters[0].reason.as_deref(), Some("out of paper"));
    assert_eq!((letters[0].attempts, letters[0].place), (6, 1));
    assert_eq!((letters[1].reason.as_deref(), letters[1].place), (None, 2));
    assert_eq!(letters[0].replay_requested_at, None);
    let deeds = desk.deeds(&of(key)).await;
    assert_eq!(deeds.len(), 1);
    assert_eq!(
        (deeds[0].action.as_str(), deeds[0].attempts),
        ("FAILED_AGAIN", 6)
    );
    assert_eq!(deeds[0].reason.as_deref(), Some("out of paper"));
    assert_eq!(
        (deeds[0].requested_by.as_str(), deeds[0].why.as_str()),
        ("ann", "mended")
    );

    desk.mends(key);
    desk.request(&[key]).await;
    assert_eq!(desk.replay().await, replayed(2));
    assert_eq!(desk.written(key).await, offsets(&notes));
}

#[tokio::test]
async fn whoever_fails_for_the_first_time_in_a_replay_is_announced_then_and_only_then() {
    let desk = Desk::new().await;
    let key = ambient::new_id();
    park(&desk, key, 1).await;
    let unknown = testing::message("notes", "SING", key, &json!({}));
    assert_eq!(desk.process(&[&unknown]).await.parked, 1);
    assert_eq!(copies(&desk).await, 1);
    desk.mends(key);
    for _ in 0..2 {
        desk.request(&[key]).await;
        assert_eq!(desk.replay().await.failed, 1);
        assert_eq!(copies(&desk).await, 2);
    }
    let letters = desk.letters(&of(key)).await;
    let reason = letters[0].reason.as_deref().expect("it was tried");
    assert!(reason.contains("SING"), "{reason}");
}

#[tokio::test]
async fn a_reason_that_postgres_could_not_store_and_kafka_not_carry_is_made_to_fit() {
    let desk = Desk::new().await;
    let key = ambient::new_id();
    let note = note(key);
    for told in ["first", "again"] {
        desk.breaks(key, &format!("{told} \0 {}", "x".repeat(3_000_000)));
        desk.process(&[&note]).await;
        desk.replay().await;
        let reason = desk.letters(&of(key)).await.remove(0).reason;
        let reason = reason.expect("it was tried");
        assert!(
            reason.starts_with(&format!("{told} \u{fffd} xxx")),
            "{reason:.100}"
        );
        assert!(reason.len() < 3_000);
        desk.request(&[key]).await;
    }
    assert_eq!(copies(&desk).await, 1);
}

async fn copies(desk: &Desk) -> usize {
    let told = outbox(desk.store.db()).await;
    told.iter().filter(|told| told.topic == "notes.dlq").count()
}

#[tokio::test]
async fn a_record_without_a_key_stands_alone_and_can_be_replayed() {
    let desk = Desk::new().await;
    let raw = |offset, payload: &[u8]| Raw {
        topic: "notes".into(),
        partition: 0,
        offset,
        key: None,
        headers: vec![("some".into(), "header".into())],
        payload: payload.to_vec(),
        at: None,
    };
    let records = [raw(-1, b"\xff"), raw(-2, b"{}")].map(Incoming::from);
    assert_eq!(desk.process_records(records.to_vec()).await.parked, 2);
    let letters = desk.letters(&Filter::default()).await;
    assert_eq!((letters[0].place, letters[1].place), (1, 1));
    let asked = Filter {
        id: Some(letters[1].id),
        ..Filter::default()
    };
    let request = crate::logbook::request("let us see");
    let lines = messaging::parking::request_replay(desk.store.db(), &asked, &request).await;
    assert_eq!(lines.expect("the line can be marked"), 1);
    assert_eq!(
        desk.replay().await.failed,
        1,
        "it is no message, and never will be"
    );
    let letters = desk.letters(&asked).await;
    assert_eq!(letters[0].attempts, 4);
    let reason = letters[0].reason.as_deref().expect("it was tried");
    assert!(reason.contains("no key"), "{reason}");
}

#[tokio::test]
async fn what_the_handler_has_learnt_to_ignore_leaves_without_an_effect() {
    let desk = Desk::new().await;
    let key = ambient::new_id();
    park(&desk, key, 1).await;
    let foreign = testing::message("notes", "PRINT", key, &json!({}));
    let insert = format!(
        "INSERT INTO parked (id, consumer, topic, partition, \"offset\", key, headers, payload, attempts, parked_at) \
         SELECT gen_random_uuid(), consumer, topic, partition, \"offset\" + 1, key, \
                headers || '{{\"ce_type\": \"PRINT\", \"ce_id\": \"{}\"}}', payload, 1, parked_at FROM parked",
        foreign.id
    );
    let inserted = desk.store.db().execute_unprepared(&insert).await;
    inserted.expect("an earlier version can have parked it");
    desk.mends(key);
    desk.request(&[key]).await;
    assert_eq!(desk.replay().await, replayed(2));
    assert_eq!(desk.written(key).await.len(), 1);
}

#[tokio::test]
async fn instances_that_replay_at_once_do_it_once() {
    let desk = Desk::new().await;
    let keys: Vec<Uuid> = (0..20).map(|_| ambient::new_id()).collect();
    let mut parked = Vec::new();
    for key in &keys {
        parked.push(park(&desk, *key, 5).await);
    }
    let (mended, broken) = keys.split_at(15);
    for key in mended {
        desk.mends(*key);
    }
    desk.request(&keys).await;
    let both = (0..4).map(|_| desk.replay());
    let mut all = Replays::default();
    for replays in futures_util::future::join_all(both).await {
        all += replays;
    }
    all += desk.replay().await;
    assert_eq!((all.replayed, all.failed), (75, 5));
    for (key, notes) in keys.iter().zip(&parked).take(mended.len()) {
        assert_eq!(desk.written(*key).await, offsets(notes));
        assert_eq!(desk.actions(*key).await, ["REPLAYED"; 5]);
    }
    for key in broken {
        assert!(desk.written(*key).await.is_empty());
        assert_eq!(desk.actions(*key).await, ["FAILED_AGAIN"]);
        assert_eq!(desk.letters(&of(*key)).await[0].attempts, 6);
    }
}

#[tokio::test]
async fn a_replay_that_is_told_to_stop_leaves_the_rest_asked_for() {
    let desk = Desk::new().await;
    let key = ambient::new_id();
    park(&desk, key, 3).await;
    desk.mends(key);
    desk.request(&[key]).await;
    let stopped = CancellationToken::new();
    stopped.cancel();
    let replays = desk.instance().replay(&stopped).await;
    assert_eq!(replays, Ok(replayed(0)));
    assert_eq!(desk.replay().await, replayed(3));
}

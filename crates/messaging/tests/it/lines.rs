//! What an operator sees, and what becomes of a database from before there were lines.

use messaging::{
    Processor,
    parking::{self, Filter, Tables},
};
use sea_orm::ConnectionTrait;
use sea_orm_migration::SchemaManager;
use testing::Database;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    counter::Counter,
    logbook::{CONSUMER, Desk, note, of},
};

#[tokio::test]
async fn messages_are_listed_line_by_line_and_can_be_asked_for_by_consumer_key_and_id() {
    let desk = Desk::new().await;
    let (one, other) = (ambient::new_id(), ambient::new_id());
    desk.breaks(one, "out of ink");
    desk.breaks(other, "out of paper");
    let notes = [note(one), note(other), note(one)];
    for note in &notes {
        desk.process(&[note]).await;
    }
    let listed = async |filter: &Filter| -> Vec<(i64, i64)> {
        let letters = desk.letters(filter).await;
        letters
            .iter()
            .map(|letter| (letter.offset, letter.place))
            .collect()
    };
    let [a, b, c] = [0, 1, 2].map(|index: usize| notes[index].offset);
    let all = Filter::default();
    assert_eq!(listed(&all).await, [(a, 1), (c, 2), (b, 1)]);
    assert_eq!(listed(&of(one)).await, [(a, 1), (c, 2)]);
    let last = desk.letters(&all).await[1].id;
    let by_id = Filter {
        id: Some(last),
        ..all.clone()
    };
    assert_eq!(listed(&by_id).await, [(c, 2)]);
    let consumer = |name: &str| Filter {
        consumer: Some(name.to_owned()),
        ..Filter::default()
    };
    assert_eq!(listed(&consumer(CONSUMER)).await.len(), 3);
    assert_eq!(listed(&consumer("somebody else")).await, []);

    // A line by any of its messages.
    let lines = parking::lines(desk.store.db(), &by_id).await;
    let lines = lines.expect("the lines can be read");
    assert_eq!((lines.len(), lines[0].messages), (1, 2));
    assert_eq!(lines[0].first, Some(desk.letters(&all).await[0].id));
    assert_eq!(parking::count(desk.store.db(), &all).await, Ok(3));
    let outstanding = async || {
        let outstanding = parking::outstanding(desk.store.db(), &all).await;
        outstanding.expect("the lines can be read")
    };
    assert_eq!(outstanding().await, 0);
    desk.request(&[other]).await;
    assert_eq!(outstanding().await, 1);
    let asked = &desk.letters(&of(other)).await[0];
    assert_eq!(asked.replay_requested_by.as_deref(), Some("ann"));
    assert_eq!(asked.replay_reason.as_deref(), Some("mended"));
}

#[tokio::test]
async fn a_line_whose_messages_somebody_deleted_by_hand_is_removed_by_a_replay() {
    let desk = Desk::new().await;
    let key = ambient::new_id();
    desk.breaks(key, "out of ink");
    desk.process(&[&note(key)]).await;
    desk.mends(key);
    let deleted = desk.store.db().execute_unprepared("DELETE FROM parked");
    deleted.await.expect("Postgres lets them");
    assert_eq!(desk.process(&[&note(key)]).await.parked, 1);
    let deleted = desk.store.db().execute_unprepared("DELETE FROM parked");
    deleted.await.expect("Postgres lets them");
    desk.request(&[key]).await;
    assert_eq!(desk.replay().await, messaging::Replays::default());
    assert_eq!(desk.process(&[&note(key)]).await.handled, 1);
}

/// Rows as the version before lines wrote them.
const BEFORE: &str = "\
INSERT INTO parked (id, consumer, topic, partition, \"offset\", key, message_id, kind, headers, payload, reason, attempts, waits_behind, parked_at)
SELECT id, 'counter', 'numbers', 0, offs, NULLIF(key, ''), message_id, 'ADD',
       jsonb_build_object('ce_id', message_id, 'ce_type', 'ADD', 'ce_source', '/test', 'ce_time', '2026-01-01T00:00:00Z', 'ce_sequence', '1'),
       convert_to('{\"amount\": 1}', 'UTF8'), reason, attempts, behind, '2026-01-01T00:00:00Z'
FROM (VALUES ('019b0000-0000-7000-8000-000000000002'::uuid, 7, '019a0000-0000-7000-8000-000000000000', '019b0000-0000-7000-8000-00000000000a'::uuid, 'boom', 3, NULL::uuid),
             ('019b0000-0000-7000-8000-000000000001', 8, '019a0000-0000-7000-8000-000000000000', '019b0000-0000-7000-8000-00000000000b', 'waits behind it', 0, '019b0000-0000-7000-8000-000000000002'),
             ('019b0000-0000-7000-8000-000000000003', 9, '', '019b0000-0000-7000-8000-00000000000c', 'the record has no key', 1, NULL))
     AS row (id, offs, key, message_id, reason, attempts, behind)";

#[tokio::test]
async fn what_was_parked_before_there_were_lines_stands_in_them_and_can_be_replayed() {
    let database = Database::new().await;
    let db = database.connect(8).await;
    assert_eq!(parking::tables(&db).await, Ok(Tables::None));
    let manager = SchemaManager::new(&db);
    let mut migrations = messaging::migrations(1);
    migrations.push(Box::new(crate::counter::Table));
    let later = migrations.split_off(2);
    for migration in migrations {
        migration.up(&manager).await.expect("the version before");
    }
    assert_eq!(parking::tables(&db).await, Ok(Tables::Outdated));
    db.execute_unprepared(BEFORE)
        .await
        .expect("rows of the version before");
    for migration in later {
        migration.up(&manager).await.expect("this version");
    }
    assert_eq!(parking::tables(&db).await, Ok(Tables::Ready));

    let letters = parking::letters(&db, &Filter::default(), 10).await;
    let letters = letters.expect("the letters can be read");
    let seen: Vec<_> = letters
        .iter()
        .map(|letter| (letter.offset, letter.place, letter.reason.as_deref()))
        .collect();
    let expected = [
        (7, 1, Some("boom")),
        (8, 2, None),
        (9, 1, Some("the record has no key")),
    ];
    assert_eq!(seen, expected);

    let key = Uuid::from_u128(0x019a_0000_0000_7000_8000_0000_0000_0000);
    let store = database.store().await;
    let processor = Processor::new(store.clone(), "counter", Counter);
    let newcomer = testing::message("numbers", "ADD", key, &serde_json::json!({"amount": 1}));
    let process = async |message: &messaging::Message| {
        let batch = vec![message.clone().into()];
        let done = processor.process(batch, &CancellationToken::new()).await;
        done.expect("nothing stops it")
    };
    assert_eq!(process(&newcomer).await.parked, 1);
    let request = crate::logbook::request("mended");
    let asked = parking::request_replay(&db, &of(key), &request).await;
    assert_eq!(asked, Ok(1));
    let replays = processor.replay(&CancellationToken::new()).await;
    assert_eq!(replays.map(|replays| replays.replayed), Ok(3));
    assert_eq!(crate::counter::counts(&store, key).await, 3);
}

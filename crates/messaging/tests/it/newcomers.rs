//! Newcomers of a key whose line is being replayed: with real concurrency nobody overtakes, and nobody is left behind.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::{join, join_all};
use messaging::Message;
use sea_orm::ConnectionTrait;
use testing::eventually;
use uuid::Uuid;

use crate::logbook::{Desk, note, of, waiting_note};

/// Without the foreign key, which would make the transaction of a newcomer fail that joins a line that is gone: here the
/// locks alone have to keep it from that.
async fn desk() -> Desk {
    let desk = Desk::new().await;
    let dropped = desk
        .store
        .db()
        .execute_unprepared("ALTER TABLE parked DROP CONSTRAINT parked_stands_in_line");
    dropped.await.expect("it is there");
    desk
}

/// A line of these messages, whose cause is mended and whose replay is asked for.
async fn ask(desk: &Desk, key: Uuid, messages: &[&Message]) {
    desk.breaks(key, "out of ink");
    assert_eq!(desk.process(messages).await.parked, messages.len());
    desk.mends(key);
    assert_eq!(desk.request(&[key]).await, 1);
}

/// Waits until a transaction waits for a row that another one holds.
async fn somebody_waits(desk: &Desk) {
    eventually("a transaction that waits for another", async || {
        (desk.waiting().await > 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_that_meets_the_replay_of_the_last_message_is_handled_after_it() {
    let desk = desk().await;
    let key = ambient::new_id();
    let (parked, newcomer) = (waiting_note(key), note(key));
    ask(&desk, key, &[&parked]).await;
    let meeting = async {
        // The replay has taken the message, and stands at the gate.
        desk.stands_at_the_gate().await;
        let arriving = async { desk.process(&[&newcomer]).await };
        let opening = async {
            somebody_waits(&desk).await;
            let other = ambient::new_id();
            assert_eq!(
                desk.process(&[&note(other)]).await.handled,
                1,
                "other keys flow"
            );
            desk.logbook.gate.add_permits(1);
        };
        join(arriving, opening).await.0
    };
    let (replays, report) = join(desk.replay(), meeting).await;
    assert_eq!((replays.replayed, report.handled), (1, 1));
    assert_eq!(desk.written(key).await, [parked.offset, newcomer.offset]);
    assert_eq!(desk.letters(&of(key)).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_that_meets_the_replay_of_another_message_joins_the_line_and_is_replayed_too() {
    let desk = desk().await;
    let key = ambient::new_id();
    let (first, second, newcomer) = (waiting_note(key), note(key), note(key));
    ask(&desk, key, &[&first, &second]).await;
    let meeting = async {
        desk.stands_at_the_gate().await;
        let opening = async {
            somebody_waits(&desk).await;
            desk.logbook.gate.add_permits(1);
        };
        join(desk.process(&[&newcomer]), opening).await.0
    };
    let (replays, report) = join(desk.replay(), meeting).await;
    // Who gets the line next, the newcomer or the replay of the second message, is open; what comes of it is not.
    assert_eq!(replays.replayed + report.handled, 3);
    let offsets = [&first, &second, &newcomer].map(|note| note.offset);
    assert_eq!(desk.written(key).await, offsets);
    assert_eq!(desk.letters(&of(key)).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_waits_for_newcomers_that_are_joining_and_takes_them_along() {
    let desk = desk().await;
    let (key, slow) = (ambient::new_id(), ambient::new_id());
    let (parked, newcomer) = (note(key), note(key));
    ask(&desk, key, &[&parked]).await;
    // It joins the line, and then its batch stands at the gate because of another message.
    let other = waiting_note(slow);
    let batch = [&newcomer, &other];
    let meeting = async {
        desk.stands_at_the_gate().await;
        let opening = async {
            somebody_waits(&desk).await;
            desk.logbook.gate.add_permits(1);
        };
        join(desk.replay(), opening).await.0
    };
    let (report, replays) = join(desk.process(&batch), meeting).await;
    assert_eq!((report.parked, report.handled), (1, 1));
    assert_eq!(replays.replayed, 2);
    assert_eq!(desk.written(key).await, [parked.offset, newcomer.offset]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn newcomers_keep_their_order_however_often_they_meet_a_replay() {
    meet(&Desk::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn newcomers_keep_their_order_by_the_locks_alone() {
    meet(&desk().await).await;
}

/// Batches of one partition come one after the other, as Kafka delivers them; the replay goes on beside them, in two
/// instances. Lines are emptied again and again while the next message of their key is on its way.
async fn meet(desk: &Desk) {
    const ROUNDS: usize = 40;
    let keys: Vec<Uuid> = (0..4).map(|_| ambient::new_id()).collect();
    let well = ambient::new_id();
    let mut told: Vec<Message> = Vec::new();
    for round in 0..ROUNDS {
        // One more message of each key that fails, and so begins a line.
        let failing: Vec<Message> = keys.iter().map(|key| note(*key)).collect();
        for key in &keys {
            desk.breaks(*key, "out of ink");
        }
        let report = desk.process(&failing.iter().collect::<Vec<_>>()).await;
        assert_eq!(report.parked, keys.len());
        for key in &keys {
            desk.mends(*key);
        }
        assert_eq!(desk.request(&keys).await, keys.len() as u64);
        // Small batches, so that there are many, of different sizes, so that they meet at different moments.
        let newcomers: Vec<Message> = (0..5 + round % 7)
            .flat_map(|_| keys.iter().chain([&well]).map(|key| note(*key)))
            .collect();
        let delivering = async {
            for batch in newcomers.chunks(1 + round % 5) {
                desk.process(&batch.iter().collect::<Vec<_>>()).await;
            }
        };
        let delivered = AtomicBool::new(false);
        let replaying = async {
            while !delivered.load(Ordering::SeqCst) {
                join(desk.replay(), desk.replay()).await;
            }
        };
        join(replaying, async {
            delivering.await;
            delivered.store(true, Ordering::SeqCst);
        })
        .await;
        desk.replay().await;
        told.extend(failing);
        told.extend(newcomers);
    }
    for key in keys.iter().chain([&well]) {
        let said = told.iter().filter(|note| note.key == *key);
        let offsets: Vec<i64> = said.map(|note| note.offset).collect();
        assert_eq!(desk.written(*key).await, offsets);
        assert_eq!(desk.letters(&of(*key)).await, []);
    }
    let together: usize = join_all(keys.iter().map(|key| desk.actions(*key)))
        .await
        .iter()
        .map(Vec::len)
        .sum();
    assert!(together > 0, "no newcomer met a replay");
    assert!(together > ROUNDS * keys.len(), "some newcomers met a line");
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    let deadlocks: i64 = crate::counter::one(&desk.store, deadlocks).await;
    assert_eq!(deadlocks, 0);
}

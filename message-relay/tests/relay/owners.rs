//! One owner at a time, and what a former owner can still do.

use std::{sync::Arc, time::Duration};

use message_relay::{
    cursor::Cursor,
    flight::Flight,
    lease::{Lease, RENEW, Seen, TTL, look},
    reader::Reader,
    record::{Format, key},
    status::Role,
    wake::Wake,
};
use testing::eventually;
use tokio_util::sync::CancellationToken;

use crate::world::{Running, SOURCE, World};

impl Running {
    fn role(&self) -> Option<Role> {
        self.relay.board.shards().first().map(|shard| shard.role)
    }

    async fn becomes(&self, role: Role) {
        eventually(&format!("the role {role:?}"), async || {
            (self.role() == Some(role)).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_standby_takes_over_when_the_owner_dies_and_at_once_when_it_leaves() {
    let (world, key) = (World::new().await, ambient::new_id());
    let first = world.start("relay-0");
    first.becomes(Role::Owner).await;
    let second = world.start("relay-1");
    second.becomes(Role::Standby).await;
    assert_eq!(
        second.relay.board.shards()[0].owner.as_deref(),
        Some("relay-0")
    );
    world.publish(key, 1..50).await;
    world.drained().await;

    first.kill().await;
    let died = tokio::time::Instant::now();
    world.publish(key, 50..60).await;
    second.becomes(Role::Owner).await;
    assert!(died.elapsed() < TTL * 4, "{:?}", died.elapsed());
    world.drained().await;

    let third = world.start("relay-2");
    third.becomes(Role::Standby).await;
    second.stop().await;
    third.becomes(Role::Owner).await;
    world.publish(key, 60..70).await;
    world.drained().await;
    third.stop().await;
    assert_eq!(
        world.first_appearances().await[&key],
        (1..70).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_restarted_relay_does_not_wait_for_its_own_lease() {
    let world = World::new().await;
    let first = world.start("relay-0");
    first.becomes(Role::Owner).await;
    first.kill().await;
    let mut db = world.connection().await;
    assert!(!look(&mut db, 0, "relay-1").await.unwrap().free);
    assert!(
        Lease::acquire(&mut db, 0, "relay-1")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        Lease::acquire(&mut db, 0, "relay-0")
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn a_standby_looks_again_when_the_lease_ends() {
    let world = World::new().await;
    let mut db = world.connection().await;
    let (lease, _) = Lease::acquire(&mut db, 0, "relay-0")
        .await
        .unwrap()
        .unwrap();
    let seen = look(&mut db, 0, "relay-1").await.unwrap();
    assert!(seen.left <= TTL && !seen.free, "{seen:?}");
    assert_eq!(
        Seen {
            left: TTL,
            ..seen.clone()
        }
        .next_look(),
        RENEW
    );
    let nearly = Duration::from_millis(20);
    let looks = Seen {
        left: nearly,
        ..seen
    }
    .next_look();
    assert!(nearly < looks && looks < nearly * 2, "{looks:?}");

    lease.release(&mut db).await.unwrap();
    let seen = look(&mut db, 0, "relay-1").await.unwrap();
    assert!(seen.free && seen.left.is_zero(), "{seen:?}");
}

#[tokio::test]
async fn a_paused_owner_that_wakes_cannot_move_the_cursor_and_only_repeats() {
    let (world, key_) = (World::new().await, ambient::new_id());
    world.publish(key_, 1..11).await;

    // The old owner reads a batch, and then stands still.
    let (mut db, wake) = (world.connection().await, Arc::new(Wake::default()));
    let (lease, cursor) = Lease::acquire(&mut db, 0, "relay-0")
        .await
        .unwrap()
        .unwrap();
    let batch = Reader::new(0).read(&mut db, &cursor).await.unwrap();
    assert_eq!(batch.rows.len(), 10);

    // The new one takes over, and publishes more than the old one has read; the outbox is emptied behind it.
    let new = world.start("relay-1");
    new.becomes(Role::Owner).await;
    world.publish(key_, 11..21).await;
    world.drained().await;
    eventually("the outbox to be emptied", async || {
        (world.ask("SELECT count(*)::text FROM outbox").await == "0").then_some(())
    })
    .await;
    world.publish(key_, 21..31).await;
    world.drained().await;
    let before = world
        .ask("SELECT (epoch, position, holes)::text FROM relay.shard")
        .await;

    // The old one wakes: it sends what it has read, reads on, sends that too, and tries to move the cursor.
    let shutdown = CancellationToken::new();
    let (producer, _) = World::producer(world.kafka(), &shutdown);
    let (format, flight) = (
        Format::new(SOURCE, world.topics.prefix()),
        Flight::new(Arc::clone(&wake)),
    );
    let mut seen = cursor;
    let send = |rows: &[message_relay::reader::Row], seen: &mut Cursor| {
        for row in rows {
            let mut room = [0; 36];
            let (topic, headers) = (format.topic(row).unwrap(), format.headers(row).unwrap());
            producer
                .generation()
                .send(
                    &topic,
                    key(row, &mut room).unwrap(),
                    headers,
                    row.body().unwrap(),
                    &flight,
                )
                .unwrap();
            seen.see(row.id().unwrap());
        }
    };
    send(&batch.rows, &mut seen);
    let more = Reader::new(0).read(&mut db, &seen).await.unwrap();
    send(&more.rows, &mut seen);
    flight.complete();
    eventually("what the old owner sent to arrive", async || {
        flight.has_landed().then_some(())
    })
    .await;
    assert!(!lease.advance(&mut db, &seen).await.unwrap());
    assert_eq!(
        world
            .ask("SELECT (epoch, position, holes)::text FROM relay.shard")
            .await,
        before
    );

    world.publish(key_, 31..41).await;
    world.drained().await;
    assert!(
        world.published().await.len() > 40,
        "the old owner has repeated something"
    );
    assert_eq!(
        world.first_appearances().await[&key_],
        (1..41).collect::<Vec<_>>()
    );
    new.stop().await;
}

#[tokio::test]
async fn an_owner_whose_lease_was_taken_stands_by() {
    let world = World::new().await;
    let old = world.start("relay-0");
    old.becomes(Role::Owner).await;
    world
        .run("UPDATE relay.shard SET owner = 'relay-9', epoch = epoch + 1, expires_at = 'infinity'")
        .await;
    old.becomes(Role::Standby).await;
    world
        .run("UPDATE relay.shard SET expires_at = '-infinity'")
        .await;
    old.becomes(Role::Owner).await;
    old.stop().await;
}

#[tokio::test]
async fn a_database_that_goes_away_is_waited_for() {
    let (world, key) = (World::new().await, ambient::new_id());
    let relay = world.start("relay-0");
    relay.becomes(Role::Owner).await;
    for sequence in 1..6 {
        world.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'relay-0' AND datname = current_database()").await;
        world.publish(key, sequence..sequence + 1).await;
        world.drained().await;
    }
    relay.stop().await;
    assert_eq!(world.first_appearances().await[&key], [1, 2, 3, 4, 5]);
}

//! Nothing is lost and nothing overtakes, whenever the relay is killed.

use std::{collections::HashMap, sync::Arc, time::Duration};

use sea_orm::sqlx::{self};
use uuid::Uuid;

use crate::world::World;

/// Writers that publish as fast as they can, until told to stop; gives how far each key got.
async fn write(
    world: &Arc<World>,
    writers: usize,
    until: tokio_util::sync::CancellationToken,
) -> HashMap<Uuid, i64> {
    let writers = (0..writers).map(|_| {
        let (world, until) = (Arc::clone(world), until.clone());
        tokio::spawn(async move {
            let (key, mut sequence) = (ambient::new_id(), 0);
            while !until.is_cancelled() {
                world.publish(key, sequence..sequence + 3).await;
                sequence += 3;
            }
            (key, sequence)
        })
    });
    futures_util::future::join_all(writers)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect()
}

async fn assert_complete(world: &World, written: &HashMap<Uuid, i64>) {
    let order = world.first_appearances().await;
    for (key, count) in written {
        assert_eq!(order[key], (0..*count).collect::<Vec<_>>(), "{key}");
    }
}

#[tokio::test]
async fn a_relay_that_is_killed_again_and_again_loses_nothing_and_keeps_the_order() {
    let (world, until) = (
        Arc::new(World::new().await),
        tokio_util::sync::CancellationToken::new(),
    );
    let writing = tokio::spawn({
        let (world, until) = (Arc::clone(&world), until.clone());
        async move { write(&world, 6, until).await }
    });
    for round in 0..8 {
        let relay = world.start("relay-0");
        tokio::time::sleep(Duration::from_millis(60 + 35 * round)).await;
        relay.kill().await;
    }
    until.cancel();
    let written = writing.await.unwrap();
    let relay = world.start("relay-0");
    world.drained().await;
    relay.stop().await;
    assert_complete(&world, &written).await;
}

#[tokio::test]
async fn two_relays_that_take_the_lease_from_each_other_keep_the_order() {
    let (world, until) = (
        Arc::new(World::new().await),
        tokio_util::sync::CancellationToken::new(),
    );
    let writing = tokio::spawn({
        let (world, until) = (Arc::clone(&world), until.clone());
        async move { write(&world, 6, until).await }
    });
    let (first, second) = (world.start("relay-0"), world.start("relay-1"));
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(130)).await;
        // Whoever owns it is taken for dead while it is alive and has messages under way.
        world
            .run("UPDATE relay.shard SET owner = NULL, expires_at = '-infinity', epoch = epoch + 1")
            .await;
    }
    until.cancel();
    let written = writing.await.unwrap();
    world.drained().await;
    first.stop().await;
    second.stop().await;
    assert_complete(&world, &written).await;
}

#[tokio::test]
async fn a_backlog_larger_than_every_buffer_is_published_in_order() {
    let world = World::new().await;
    world
        .run(
            "INSERT INTO outbox (shard, id, message_id, key, sequence, occurred_at, topic, kind, body)
             SELECT 0, nextval('outbox_s0_id'), gen_random_uuid(), ('00000000-0000-7000-8000-' || lpad((n % 50)::text, 12, '0'))::uuid,
                    n / 50, now(), 'order-reply', 'TICKET_CREATED', CASE WHEN n % 1000 = 0 THEN repeat('x', 200000) ELSE '{}' END
             FROM generate_series(0, 29999) AS n",
        )
        .await;
    let relay = world.start("relay-0");
    world.drained().await;
    let largest = sqlx::query_scalar::<_, i64>("SELECT position FROM relay.shard");
    let position = largest
        .fetch_one(world.db().get_postgres_connection_pool())
        .await
        .unwrap();
    assert_eq!(position, 30_000);
    relay.stop().await;
    assert_eq!(world.published().await.len(), 30_000);
    assert!(
        world
            .first_appearances()
            .await
            .values()
            .all(|sequences| *sequences == (0..600).collect::<Vec<_>>())
    );
}

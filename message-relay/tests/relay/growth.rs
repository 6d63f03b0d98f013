//! The outbox does not grow, and nothing is truncated that was not published.

use std::{sync::Arc, time::Duration};

use testing::eventually;

use crate::world::{World, end};

impl World {
    async fn rows(&self) -> usize {
        self.ask("SELECT count(*)::text FROM outbox")
            .await
            .parse()
            .unwrap()
    }

    async fn is_emptied(&self) {
        eventually("the outbox to be emptied", async || {
            (self.rows().await == 0).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn an_outbox_that_is_quiet_is_empty() {
    let (world, key) = (World::new().await, ambient::new_id());
    let relay = world.start("relay-0");
    world.publish(key, 1..100).await;
    world.is_emptied().await;
    world.publish(key, 100..110).await;
    world.is_emptied().await;
    relay.stop().await;
    assert_eq!(
        world.first_appearances().await[&key],
        (1..110).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_leaf_is_emptied_as_soon_as_the_writers_have_moved_on_and_no_row_is_lost() {
    let world = Arc::new(World::new().await);
    let relay = world.start("relay-0");
    let writers = (0..6).map(|_| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let key = ambient::new_id();
            for round in 0..30 {
                world.publish(key, round * 5..round * 5 + 5).await;
                // Into the next leaf, as if 16,384 rows had been written.
                world
                    .run("SELECT setval('outbox_s0_id', nextval('outbox_s0_id') + 16384)")
                    .await;
            }
            key
        })
    });
    let keys = futures_util::future::join_all(writers).await;
    let current = world
        .ask("SELECT ((last_value >> 16) & 3)::text FROM outbox_s0_id")
        .await;
    world.drained().await;
    eventually("the leaves behind to be emptied", async || {
        let behind = format!("SELECT count(*)::text FROM outbox WHERE (id >> 16) & 3 <> {current}");
        (world.ask(&behind).await == "0").then_some(())
    })
    .await;
    relay.stop().await;
    let order = world.first_appearances().await;
    for key in keys {
        assert_eq!(order[&key.unwrap()], (0..150).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_row_that_is_still_to_come_is_not_truncated_with_its_neighbours() {
    let (world, late, key) = (World::new().await, ambient::new_id(), ambient::new_id());
    let relay = world.start("relay-0");
    let open = world.open(late, 1).await;
    world.publish(key, 1..10).await;
    world.drained().await;
    // Longer than an outbox must be quiet to be emptied.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(
        world.rows().await,
        9,
        "a writer is in the leaf: it is left alone"
    );
    end(open, "COMMIT").await;
    world.is_emptied().await;
    relay.stop().await;
    assert_eq!(world.first_appearances().await[&late], [1]);
}

#[tokio::test]
async fn emptying_a_leaf_never_makes_a_writer_wait_for_another_writer() {
    let (world, key) = (World::new().await, ambient::new_id());
    let relay = world.start("relay-0");
    let open = world.open(ambient::new_id(), 1).await;
    let began = tokio::time::Instant::now();
    let mut slowest = Duration::ZERO;
    let mut sequence = 0;
    while began.elapsed() < Duration::from_secs(4) {
        let before = tokio::time::Instant::now();
        world.publish(key, sequence..sequence + 1).await;
        slowest = slowest.max(before.elapsed());
        sequence += 1;
        // Quiet long enough for the relay to try, again and again.
        if sequence % 5 == 0 {
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
    }
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
    end(open, "ROLLBACK").await;
    relay.stop().await;
}

//! Ids are handed out before their transactions commit: what commits late is not skipped, and what never commits is
//! forgotten.

use sea_orm::sqlx::{self, Connection, PgConnection};
use testing::{Database, eventually};
use uuid::Uuid;

use crate::world::{World, end};

fn keys<const N: usize>() -> [Uuid; N] {
    std::array::from_fn(|_| ambient::new_id())
}

impl World {
    async fn published_is(&self, what: &str, expected: &[(Uuid, i64)]) {
        eventually(what, async || {
            (self.published().await.len() == expected.len()).then_some(())
        })
        .await;
        let (mut published, mut expected) = (self.published().await, expected.to_vec());
        published.sort_unstable();
        expected.sort_unstable();
        assert_eq!(published, expected);
    }

    async fn holes_are(&self, expected: &str) {
        eventually(&format!("the holes to be {expected}"), async || {
            (self.holes().await == expected).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_row_that_commits_late_holds_nothing_back_and_is_published() {
    let (world, [late, early]) = (World::new().await, keys());
    let relay = world.start("relay-0");
    let open = world.open(late, 1).await;
    world.publish(early, 1..3).await;
    world
        .published_is("the rows behind the gap", &[(early, 1), (early, 2)])
        .await;
    world.holes_are("{[1,2)}").await;
    end(open, "COMMIT").await;
    world
        .published_is("the late row", &[(late, 1), (early, 1), (early, 2)])
        .await;
    world.holes_are("{}").await;
    relay.stop().await;
}

#[tokio::test]
async fn a_row_that_was_rolled_back_is_forgotten() {
    let (world, [gone, key]) = (World::new().await, keys());
    let relay = world.start("relay-0");
    let open = world.open(gone, 1).await;
    world.publish(key, 1..2).await;
    world.holes_are("{[1,2)}").await;
    end(open, "ROLLBACK").await;
    world.holes_are("{}").await;
    world
        .published_is("the committed row alone", &[(key, 1)])
        .await;
    relay.stop().await;
}

#[tokio::test]
async fn a_rolled_back_savepoint_leaves_no_hole_for_ever() {
    let (world, [gone, key]) = (World::new().await, keys());
    let relay = world.start("relay-0");
    let mut open = world.open(gone, 1).await;
    for statement in [
        "SAVEPOINT a",
        "SELECT nextval('outbox_s0_id')",
        "ROLLBACK TO a",
    ] {
        sqlx::raw_sql(statement).execute(&mut open).await.unwrap();
    }
    world.publish(key, 1..2).await;
    world.holes_are("{[1,3)}").await;
    end(open, "COMMIT").await;
    world.holes_are("{}").await;
    world
        .published_is("what was committed", &[(gone, 1), (key, 1)])
        .await;
    relay.stop().await;
}

#[tokio::test]
async fn a_hole_outlives_every_transaction_but_its_own_and_a_restart_too() {
    let (world, [late, key]) = (World::new().await, keys());
    let relay = world.start("relay-0");
    let open = world.open(late, 1).await;
    for sequence in 1..30 {
        world.publish(key, sequence..sequence + 1).await;
    }
    // A younger transaction that rolls back: its hole cannot be told from the older one's, and both wait for it.
    end(world.open(key, 99).await, "ROLLBACK").await;
    world.publish(key, 30..31).await;
    world.holes_are("{[1,2),[31,32)}").await;
    relay.kill().await;
    let relay = world.start("relay-0");
    world.publish(key, 31..32).await;
    eventually("the relay to go on", async || {
        (world.first_appearances().await[&key].len() == 31).then_some(())
    })
    .await;
    assert_eq!(world.holes().await, "{[1,2),[31,32)}");
    end(open, "COMMIT").await;
    world.holes_are("{}").await;
    world.drained().await;
    assert_eq!(world.first_appearances().await[&late], [1]);
    assert_eq!(
        world.first_appearances().await[&key],
        (1..32).collect::<Vec<_>>()
    );
    relay.stop().await;
}

#[tokio::test]
async fn a_transaction_left_open_in_another_database_changes_nothing() {
    let (world, [gone, key]) = (World::new().await, keys());
    let other = Database::new().await;
    let mut idle = PgConnection::connect(other.url()).await.unwrap();
    for statement in ["BEGIN", "SELECT pg_current_xact_id()"] {
        sqlx::raw_sql(statement).execute(&mut idle).await.unwrap();
    }
    let relay = world.start("relay-0");
    end(world.open(gone, 1).await, "ROLLBACK").await;
    world.publish(key, 1..2).await;
    world.published_is("the row", &[(key, 1)]).await;
    world.holes_are("{}").await;
    eventually("the outbox to be emptied", async || {
        (world.ask("SELECT count(*)::text FROM outbox").await == "0").then_some(())
    })
    .await;
    relay.stop().await;
    end(idle, "ROLLBACK").await;
}

#[tokio::test]
async fn many_writers_that_commit_out_of_turn_or_not_at_all_lose_nothing_and_reorder_nothing() {
    let world = std::sync::Arc::new(World::new().await);
    let relay = world.start("relay-0");
    let writers = (0..12_u64).map(|writer| {
        let world = std::sync::Arc::clone(&world);
        tokio::spawn(async move {
            let key = ambient::new_id();
            for sequence in 1..80 {
                let open = world.open(key, sequence).await;
                // Hold the id for a while, differently long.
                let wait = (writer * 7 + sequence.unsigned_abs() * 13) % 40;
                tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
                if (sequence + i64::try_from(writer).unwrap()) % 9 == 0 {
                    end(open, "ROLLBACK").await;
                    world.publish(key, sequence..sequence + 1).await;
                } else {
                    end(open, "COMMIT").await;
                }
            }
            key
        })
    });
    let keys = futures_util::future::join_all(writers).await;
    world.drained().await;
    world.holes_are("{}").await;
    relay.stop().await;
    let order = world.first_appearances().await;
    for key in keys {
        assert_eq!(order[&key.unwrap()], (1..80).collect::<Vec<_>>());
    }
    assert_eq!(
        world.published().await.len(),
        12 * 79,
        "nothing went wrong, so nothing is repeated"
    );
}

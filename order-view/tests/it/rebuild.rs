//! The view made anew from the topics, while it is being read and grown.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use contracts::Topic;
use messaging::{Consumer, Incoming, consumer::Settings};
use order_view::{NAME, messages::Folding, rebuild::Rebuilder, store, waiters::Waiters};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use testing::{Topics, eventually};
use tokio_util::sync::CancellationToken;

use crate::support::{Story, View};

/// A view with the topics that it comes from.
struct Scene {
    view: View,
    topics: Topics,
    settings: Settings,
    over: CancellationToken,
}

impl Scene {
    async fn open() -> Self {
        let names: Vec<&str> = Topic::ALL.iter().map(|topic| topic.as_str()).collect();
        let (view, topics) = tokio::join!(View::open(), Topics::new(&names, 2));
        let settings = Settings::new(NAME, "1", topics.brokers(), topics.prefix(), &names);
        Self {
            view,
            topics,
            settings,
            over: CancellationToken::new(),
        }
    }

    fn tell(&self, stories: &[Story], part: std::ops::Range<usize>) {
        let records: Vec<Incoming> = part
            .flat_map(|index| {
                stories
                    .iter()
                    .map(move |story| story.life().swap_remove(index))
            })
            .map(Incoming::from)
            .collect();
        self.topics.deliver(&records);
    }

    /// Consumes as the service does, until the scene is over.
    fn grow(&self) -> tokio::task::JoinHandle<()> {
        let folding = Folding::new(Waiters::default());
        let consumer = Consumer::new(self.settings.clone(), self.view.store.clone(), folding);
        let over = self.over.clone();
        tokio::spawn(async move { consumer.run(over).await.expect("a client") })
    }

    fn rebuilder(&self, instance: &str) -> Rebuilder {
        let settings = Settings {
            instance_id: instance.to_owned(),
            ..self.settings.clone()
        };
        Rebuilder::new(self.view.store.clone(), settings)
    }

    async fn ask(&self) -> (u16, Value) {
        let who = json!({ "by": "a developer", "why": "a row is wrong" });
        let (status, body) = self.view.client.post("/rebuilds", &who).await;
        (status, body)
    }

    async fn execute(&self, sql: &str) {
        let done = self.view.store.db().execute_unprepared(sql).await;
        done.expect("a statement");
    }

    async fn version(&self, story: Story) -> i64 {
        let view = store::find(self.view.store.db(), story.order).await;
        view.expect("a read").map_or(0, |view| view.order.version())
    }

    async fn all_at(&self, stories: &[Story], version: i64) {
        for story in stories {
            eventually("the order is told", async || {
                (self.version(*story).await == version).then_some(())
            })
            .await;
        }
    }
}

#[tokio::test]
async fn a_view_is_rebuilt_from_zero_while_it_is_read_and_grown() {
    let scene = Arc::new(Scene::open().await);
    let stories: Vec<Story> = (0..40).map(|_| Story::new()).collect();
    let growing = scene.grow();
    scene.tell(&stories, 0..12);
    scene.all_at(&stories, 7).await;

    // One row tells what nobody ever said, one is gone: no growth would mend that.
    let (wrong, gone) = (stories[0].order, stories[1].order);
    scene
        .execute(&format!(
            "UPDATE order_views SET order_version = 99, \"order\" = '{{\"state\": \"COMPLETE\", \"at\": \"2026-01-01T00:00:00Z\"}}' \
             WHERE order_id = '{wrong}'; DELETE FROM order_views WHERE order_id = '{gone}'"
        ))
        .await;
    let (status, rebuild) = scene.ask().await;
    assert_eq!(status, 202, "{rebuild}");
    assert_eq!(scene.ask().await.0, 409, "one at a time");

    // Readers all the while: every other order is there, and never goes back.
    let done = Arc::new(AtomicBool::new(false));
    let reading = tokio::spawn({
        let (scene, done, stories) = (scene.clone(), done.clone(), stories[2..].to_vec());
        async move {
            let (mut reads, mut seen) = (0, vec![7; stories.len()]);
            while !done.load(Ordering::Relaxed) {
                for (story, seen) in stories.iter().zip(&mut seen) {
                    let version = scene.version(*story).await;
                    assert!(version >= *seen, "{version} after {seen}");
                    *seen = version;
                    reads += 1;
                }
            }
            reads
        }
    });
    // More is said before, while and after the tables are swapped.
    let saying = tokio::task::spawn_blocking({
        let (scene, stories) = (scene.clone(), stories.clone());
        move || (12..26).for_each(|index| scene.tell(&stories, index..index + 1))
    });
    let rebuilt = scene.rebuilder("view-1").look(&scene.over).await;
    assert!(rebuilt.expect("the topics are there"));
    saying.await.expect("records are delivered");
    scene.all_at(&stories, 14).await;
    done.store(true, Ordering::Relaxed);
    assert!(reading.await.expect("no reader notices") > 0);

    let path = format!(
        "/rebuilds/{}",
        rebuild["rebuildId"].as_str().expect("an id")
    );
    let (_, ended) = scene.view.client.get(&path).await;
    assert!(ended["endedAt"].is_string(), "{ended}");
    assert_eq!(
        (&ended["unreadable"], &ended["by"]),
        (&json!(0), &json!("a developer"))
    );
    for story in &stories {
        let view = store::find(scene.view.store.db(), story.order).await;
        let view = view.expect("a read").expect("an order");
        let fold = crate::fold::fold(&story.life()).expect("a life");
        assert_eq!(view.facts, fold.facts);
        assert_eq!(
            view.order.told().map(|told| told.state),
            fold.order.told().map(|told| told.state)
        );
    }
    // Another one may follow.
    assert_eq!(scene.ask().await.0, 202);
    let again = scene.rebuilder("view-1").look(&scene.over).await;
    assert!(again.expect("the topics are there"));
    scene.over.cancel();
    growing.await.expect("the consumer ends");
}

#[tokio::test]
async fn a_rebuild_whose_instance_died_is_begun_again_by_another_and_one_does_it() {
    let scene = Scene::open().await;
    let stories = [Story::new()];
    scene.tell(&stories, 0..26);
    // A record that is no message of the contract: parked by the consumer, skipped here.
    let nonsense = stories[0].says("order-reply", "NOBODY_SAYS_THIS", 1, "PENDING", &json!({}));
    scene.topics.deliver(&[nonsense.into()]);
    assert_eq!(scene.ask().await.0, 202);
    // It died in the middle of its work.
    scene
        .execute(
            "UPDATE rebuilds SET claimed_by = 'view-1', attempt = rebuild_id, records = 5, \
                                 claimed_until = clock_timestamp() + interval '1 hour'; \
             CREATE SCHEMA rebuild; CREATE TABLE rebuild.order_views (half boolean)",
        )
        .await;
    let look = async |instance| {
        let looked = scene.rebuilder(instance).look(&scene.over).await;
        looked.expect("the topics are there")
    };
    assert!(!look("view-2").await, "not before its claim has lapsed");
    scene
        .execute("UPDATE rebuilds SET claimed_until = clock_timestamp()")
        .await;
    let (one, other) = tokio::join!(look("view-2"), look("view-3"));
    assert!(one ^ other, "one of them does it");
    assert_eq!(scene.version(stories[0]).await, 14);
    assert!(!look("view-1").await, "it is done");
}

#[tokio::test]
async fn an_instance_that_was_followed_by_another_swaps_nothing_in() {
    let scene = Arc::new(Scene::open().await);
    let stories = [Story::new()];
    let growing = scene.grow();
    scene.tell(&stories, 0..26);
    scene.all_at(&stories, 14).await;
    assert_eq!(scene.ask().await.0, 202);

    // Somebody reads for long: the instance has read everything, and cannot swap.
    let (begun, reads) = tokio::sync::oneshot::channel();
    let (release, released) = tokio::sync::oneshot::channel::<()>();
    let store = scene.view.store.clone();
    let reader = tokio::spawn(async move {
        let read = store.transact::<_, sea_orm::DbErr, _>(move |work| {
            Box::pin(async move {
                let count = "SELECT count(*) FROM order_views";
                work.db().execute_unprepared(count).await?;
                begun.send(()).expect("the test waits");
                released.await.expect("the test goes on");
                Ok(())
            })
        });
        read.await.expect("a long read");
    });
    reads.await.expect("the read begins");
    let former = tokio::spawn({
        let scene = scene.clone();
        async move { scene.rebuilder("view-1").look(&scene.over).await }
    });
    eventually("it has read everything", async || {
        let sql = "SELECT 1 FROM rebuilds WHERE claimed_by = 'view-1' AND to_regclass('rebuild.order_views') IS NOT NULL";
        let found = scene.view.store.db().query_one_raw(sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sql));
        found.await.expect("a read")
    })
    .await;
    // Another one has begun meanwhile, and is not far: its table is empty.
    scene
        .execute(
            "UPDATE rebuilds SET claimed_by = 'view-2', attempt = rebuild_id, claimed_until = clock_timestamp() + interval '1 hour'; \
             DROP SCHEMA rebuild CASCADE; CREATE SCHEMA rebuild; \
             CREATE TABLE rebuild.order_views (LIKE public.order_views INCLUDING ALL)",
        )
        .await;
    release.send(()).expect("the reader waits");
    reader.await.expect("the reader ends");
    let gave_up = former.await.expect("it ends");
    assert!(gave_up.is_err(), "{gave_up:?}");
    assert_eq!(scene.version(stories[0]).await, 14, "the view is whole");
    let (_, list) = scene.view.client.get("/rebuilds").await;
    assert!(list["rebuilds"][0]["endedAt"].is_null(), "{list}");
    scene.over.cancel();
    growing.await.expect("the consumer ends");
}

#[tokio::test]
async fn a_rebuilt_table_is_made_as_the_migrations_make_it() {
    let scene = Scene::open().await;
    let shape = async || {
        let sql = "SELECT (SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull, attgenerated), ', ' ORDER BY attnum) \
                           FROM pg_attribute WHERE attrelid = 'order_views'::regclass AND attnum > 0) \
                       || (SELECT string_agg(indexdef, ', ' ORDER BY indexname) FROM pg_indexes WHERE tablename = 'order_views') \
                       || (SELECT reloptions::text || relname FROM pg_class WHERE oid = 'order_views'::regclass) AS shape";
        let row = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sql);
        let row = scene.view.store.db().query_one_raw(row).await;
        let row = row.expect("a read").expect("a row");
        row.try_get::<String>("", "shape").expect("a text")
    };
    let before = shape().await;
    scene.ask().await;
    let rebuilt = scene.rebuilder("view-1").look(&scene.over).await;
    assert!(rebuilt.expect("the topics are there"));
    assert_eq!(shape().await, before);
}

#[tokio::test]
async fn a_rebuild_can_be_given_up() {
    let scene = Scene::open().await;
    let (_, rebuild) = scene.ask().await;
    let path = format!(
        "/rebuilds/{}",
        rebuild["rebuildId"].as_str().expect("an id")
    );
    let (_, problem) = scene.ask().await;
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.contains(&path), "{detail}");
    let (status, given_up) = scene.view.client.ask("DELETE", &path, None).await;
    assert_eq!((status, given_up["endedAt"].is_string()), (200, true));
    assert_eq!(scene.view.client.ask("DELETE", &path, None).await.0, 409);
    let look = scene.rebuilder("view-1").look(&scene.over).await;
    assert!(!look.expect("nothing is asked for"));
    assert_eq!(scene.ask().await.0, 202);
}

#[tokio::test]
async fn who_asks_for_a_rebuild_says_who_and_why() {
    let view = View::open().await;
    for (body, field) in [
        (json!({ "by": "", "why": "because" }), "by"),
        (json!({ "by": "somebody" }), "why"),
    ] {
        let (status, problem) = view.client.post("/rebuilds", &body).await;
        assert_eq!(status, 422, "{problem}");
        assert_eq!(problem["errors"][0]["field"], field);
    }
    let nobody = format!("/rebuilds/{}", ambient::new_id());
    assert_eq!(view.client.get(&nobody).await.0, 404);
}

#[tokio::test]
async fn aged_orders_come_back_with_a_rebuild_and_age_again() {
    let mut scene = Scene::open().await;
    let (ended, open) = (Story::new(), Story::new());
    let growing = scene.grow();
    scene.tell(&[ended], 0..26);
    scene.tell(&[open], 0..12);
    scene.all_at(&[ended], 14).await;
    scene.all_at(&[open], 7).await;
    scene.over.cancel();
    growing.await.expect("it ends");
    assert_eq!(scene.view.age().await, 1);
    assert_eq!(scene.version(ended).await, 0);

    assert_eq!(scene.ask().await.0, 202);
    let never = CancellationToken::new();
    let rebuilt = scene.rebuilder("view-1").look(&never).await;
    assert!(rebuilt.expect("the topics are there"));
    assert_eq!(scene.version(ended).await, 14);
    assert_eq!(scene.view.age().await, 1);
    assert_eq!(scene.version(ended).await, 0);
    assert_eq!(scene.version(open).await, 7);
}

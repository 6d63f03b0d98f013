//! A database with an outbox, topics, and relays between them.

use std::collections::{HashMap, HashSet};

use message_relay::{
    Relay, database,
    doorbell::Bells,
    producer::{self, Producer},
    source::Source,
    status::Board,
};
use messaging::{Doorbell, Outgoing, Raw, Stamp, Store};
use sea_orm::{
    ConnectionTrait, DatabaseConnection,
    sqlx::{self, AssertSqlSafe, Connection, PgConnection, Row},
};
use serde_json::json;
use testing::{Database, Topics};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Where everything goes.
pub(crate) const TOPIC: &str = "order-reply";
/// Whose outbox it is.
pub(crate) const SOURCE: &str = "order-service";

/// One source, and the topic that it publishes to.
pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) topics: Topics,
    pub(crate) store: Store,
}

/// A relay that runs.
pub(crate) struct Running {
    pub(crate) relay: Relay,
    tasks: Vec<JoinHandle<()>>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = Database::migrated(messaging::migrations(1)).await;
        let topics = Topics::new(&[TOPIC], 3).await;
        let store = Store::new(database.connect(16).await, Doorbell::silent())
            .await
            .unwrap();
        Self {
            database,
            topics,
            store,
        }
    }

    pub(crate) fn db(&self) -> &DatabaseConnection {
        self.store.db()
    }

    pub(crate) fn source(&self) -> Source {
        format!("{SOURCE}={}", self.database.url()).parse().unwrap()
    }

    /// A connection as the relay has it.
    pub(crate) async fn connection(&self) -> PgConnection {
        database::connect(&self.source().database, "test")
            .await
            .unwrap()
    }

    /// A way into Kafka.
    pub(crate) fn producer(
        settings: producer::Settings,
        shutdown: &CancellationToken,
    ) -> (Producer, JoinHandle<()>) {
        let (producer, work) = Producer::start(settings, shutdown.clone()).unwrap();
        (producer, tokio::spawn(async move { work.await.unwrap() }))
    }

    /// How the test's Kafka is met.
    pub(crate) fn kafka(&self) -> producer::Settings {
        producer::Settings::new(self.topics.brokers())
    }

    /// Starts the relay of this name.
    pub(crate) fn start(&self, name: &str) -> Running {
        self.start_with(name, self.kafka())
    }

    /// Starts the relay of this name, with this Kafka.
    pub(crate) fn start_with(&self, name: &str, kafka: producer::Settings) -> Running {
        let shutdown = CancellationToken::new();
        let (producer, replacing) = Self::producer(kafka, &shutdown);
        let relay = Relay {
            name: name.into(),
            topic_prefix: self.topics.prefix().into(),
            producer,
            board: Board::default(),
            bells: Bells::default(),
            shutdown,
        };
        let serving = relay.clone().serve(vec![self.source()]);
        let serving = tokio::spawn(async move { serving.await.unwrap() });
        Running {
            relay,
            tasks: vec![serving, replacing],
        }
    }

    /// Commits messages about `key` with these sequence numbers, in one transaction.
    pub(crate) async fn publish(&self, key: Uuid, sequences: std::ops::Range<i64>) {
        self.store
            .transact(move |unit| {
                unit.publish_all(sequences.map(|sequence| outgoing(key, sequence)));
                Box::pin(async { Ok::<_, sea_orm::DbErr>(()) })
            })
            .await
            .unwrap();
    }

    /// A connection inside a transaction that has taken an id for a message and not committed.
    pub(crate) async fn open(&self, key: Uuid, sequence: i64) -> PgConnection {
        let mut connection = PgConnection::connect(self.database.url()).await.unwrap();
        sqlx::raw_sql("BEGIN")
            .execute(&mut connection)
            .await
            .unwrap();
        insert(&mut connection, key, sequence).await;
        connection
    }

    /// What `sql` gives as one text.
    pub(crate) async fn ask(&self, sql: &str) -> String {
        let pool = self.db().get_postgres_connection_pool();
        let row = sqlx::query(AssertSqlSafe(sql.to_owned()))
            .fetch_one(pool)
            .await
            .unwrap();
        row.get::<Option<String>, _>(0).unwrap_or_default()
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.db().execute_unprepared(sql).await.unwrap();
    }

    /// Waits until nothing waits any more.
    pub(crate) async fn drained(&self) {
        testing::eventually("the outbox to be published", async || {
            (self.ask("SELECT count(*)::text FROM outbox_pending").await == "0").then_some(())
        })
        .await;
    }

    pub(crate) async fn holes(&self) -> String {
        self.ask("SELECT holes::text FROM relay.shard").await
    }

    /// Everything that was published, as (key, sequence), in the order of each partition.
    pub(crate) async fn published(&self) -> Vec<(Uuid, i64)> {
        let records = self.topics.read(TOPIC).await;
        let place = |raw: &Raw| {
            (
                raw.key.as_deref().unwrap().parse().unwrap(),
                raw.header("ce_sequence").unwrap().parse().unwrap(),
            )
        };
        records.iter().map(|record| place(record.raw())).collect()
    }

    /// Sequences in the order in which they first appeared, by key.
    pub(crate) async fn first_appearances(&self) -> HashMap<Uuid, Vec<i64>> {
        let (mut seen, mut order) = (HashSet::new(), HashMap::<_, Vec<_>>::new());
        for (key, sequence) in self.published().await {
            if seen.insert((key, sequence)) {
                order.entry(key).or_default().push(sequence);
            }
        }
        order
    }
}

impl Running {
    /// Ends it as SIGTERM would.
    pub(crate) async fn stop(self) {
        self.relay.shutdown.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
    }

    /// Ends it as SIGKILL would: nothing is finished, saved or given back.
    pub(crate) async fn kill(self) {
        for task in &self.tasks {
            task.abort();
        }
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

pub(crate) fn outgoing(key: Uuid, sequence: i64) -> Outgoing {
    let body = json!({ "sequence": sequence, "padding": "x".repeat(300) });
    Outgoing::new(
        &mut Stamp::live(),
        TOPIC,
        "TICKET_CREATED",
        key,
        sequence,
        &body,
    )
    .unwrap()
}

/// Inserts one row in the transaction of this connection, as messaging does.
pub(crate) async fn insert(connection: &mut PgConnection, key: Uuid, sequence: i64) {
    let insert = "INSERT INTO outbox (shard, id, message_id, key, sequence, occurred_at, topic, kind, body)
                  VALUES (0, nextval('outbox_s0_id'), $1, $2, $3, now(), $4, 'TICKET_CREATED', '{}')";
    let insert = sqlx::query(insert)
        .bind(ambient::new_id())
        .bind(key)
        .bind(sequence)
        .bind(TOPIC);
    insert.execute(connection).await.unwrap();
}

pub(crate) async fn end(mut connection: PgConnection, how: &'static str) {
    sqlx::raw_sql(how).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

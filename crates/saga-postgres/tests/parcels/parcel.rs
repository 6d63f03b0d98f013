//! A parcel: weighed, paid for, sent, and picked up by somebody.

use futures_util::FutureExt;
use messaging::{Message, Processor, Report, Stamp, Store, sql};
use saga::{Definition, Process, ask, saga};
use saga_postgres::{
    Beginning, Data, Definitions, Fragment, Orchestrator, Story, migrations, story,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use testing::{Database, Told, message, outbox};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parcel {
    pub(crate) id: Uuid,
    pub(crate) version: i64,
    pub(crate) grams: i64,
}

impl Process for Parcel {
    fn next_version(&mut self) -> i64 {
        self.version += 1;
        self.version
    }

    fn check(&self, _kind: &str, body: &str) -> Result<(), String> {
        Self::read::<Value>(body).map(drop)
    }

    fn read<B: DeserializeOwned>(body: &str) -> Result<B, String> {
        serde_json::from_str(body).map_err(|error| error.to_string())
    }

    fn write<B: Serialize>(body: &B) -> Result<String, String> {
        serde_json::to_string(body).map_err(|error| error.to_string())
    }
}

impl Data for Parcel {
    const TABLE: &'static str = "parcels";
    const KEY: &'static str = "id";
    const COLUMNS: &'static str = "data.id, data.version, data.grams";

    fn key(&self) -> Uuid {
        self.id
    }

    fn from_row(row: &QueryResult) -> Result<Self, DbErr> {
        let (id, version) = (row.try_get("", "id")?, row.try_get("", "version")?);
        Ok(Self {
            id,
            version,
            grams: row.try_get("", "grams")?,
        })
    }

    fn insert(rows: &[&Self]) -> Result<Fragment, DbErr> {
        let sql =
            "INSERT INTO parcels SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[])";
        Ok(Fragment {
            sql,
            values: values(rows),
        })
    }

    fn update(rows: &[&Self]) -> Result<Fragment, DbErr> {
        let sql = "UPDATE parcels SET version = new.version, grams = new.grams \
                   FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS new (id, version, grams) WHERE parcels.id = new.id";
        Ok(Fragment {
            sql,
            values: values(rows),
        })
    }
}

fn values(rows: &[&Parcel]) -> Vec<sea_orm::Value> {
    vec![
        sql::uuids(rows.iter().map(|parcel| parcel.id)),
        sql::bigints(rows.iter().map(|parcel| parcel.version)),
        sql::bigints(rows.iter().map(|parcel| parcel.grams)),
    ]
}

impl Parcel {
    fn tell(&self) -> Value {
        json!({ "grams": self.grams })
    }

    fn weighed(&mut self, body: &Value) -> Result<(), String> {
        self.grams = body["grams"].as_i64().ok_or("grams is missing")?;
        Ok(())
    }

    fn refused(&mut self, _: &Value) -> Result<(), String> {
        Ok(())
    }
}

/// Version 1: weigh, pay, send.
pub(crate) fn first() -> Definition<Parcel> {
    let declared = saga("parcel", 1)
        .step(
            "weigh",
            ask("scales", "WEIGH", Parcel::tell).granted_with("WEIGHED", Parcel::weighed),
        )
        .undone_by(ask("scales", "RETURN", Parcel::tell).granted_by("RETURNED"))
        .pivot(
            "pay",
            ask("till", "PAY", Parcel::tell)
                .granted_by("PAID")
                .refused_with("BROKE", Parcel::refused),
        )
        .wait("picked up", "PICKED_UP");
    declared.end().unwrap()
}

/// Version 2: nobody weighs any more.
pub(crate) fn second() -> Definition<Parcel> {
    let declared = saga("parcel", 2)
        .pivot("pay", ask("till", "PAY", Parcel::tell).granted_by("PAID"))
        .wait("picked up", "PICKED_UP");
    declared.end().unwrap()
}

/// A post office.
pub(crate) struct Post {
    pub(crate) store: Store,
    orchestrator: Orchestrator<Parcel>,
    processor: Processor<Orchestrator<Parcel>>,
}

impl Post {
    /// On a database of its own.
    pub(crate) async fn open(definitions: impl Into<Definitions<Parcel>>) -> (Self, Database) {
        let mut tables = messaging::migrations(1);
        tables.extend(migrations());
        let database = Database::migrated(tables).await;
        let store = database.store().await;
        let table = "CREATE TABLE parcels (id uuid PRIMARY KEY, version bigint NOT NULL, grams bigint NOT NULL)";
        store.db().execute_unprepared(table).await.unwrap();
        (Self::on(store, definitions), database)
    }

    /// On a database that is there.
    pub(crate) fn on(store: Store, definitions: impl Into<Definitions<Parcel>>) -> Self {
        let orchestrator = Orchestrator::new(definitions.into(), |topic, _| topic == "post");
        let processor = Processor::new(store.clone(), "post-office", orchestrator.clone());
        Self {
            store,
            orchestrator,
            processor,
        }
    }

    pub(crate) async fn take(&self) -> Uuid {
        self.take_as(ambient::new_id()).await
    }

    /// Takes a parcel that gets this id.
    pub(crate) async fn take_as(&self, id: Uuid) -> Uuid {
        let mut stamp = Stamp::live();
        let parcel = Parcel {
            id,
            version: 0,
            grams: 0,
        };
        let begun = self.orchestrator.begin(parcel, None, &mut stamp).unwrap();
        let id = begun.data().id;
        let stored = self
            .store
            .transact(|work| async move { Beginning::store(work, [&begun]).await }.boxed());
        stored.await.unwrap();
        id
    }

    pub(crate) async fn hear(&self, messages: &[Message]) -> Report {
        let batch = messages.iter().cloned().map(Into::into).collect();
        self.processor
            .process(batch, &CancellationToken::new())
            .await
            .unwrap()
    }

    /// Answers what the parcel asked last.
    pub(crate) async fn answer(&self, parcel: Uuid, kind: &str) -> Message {
        let asked = self.said(parcel).await.pop().unwrap().message_id;
        Message {
            causation: Some(asked),
            ..news(parcel, kind)
        }
    }

    pub(crate) async fn said(&self, parcel: Uuid) -> Vec<Told> {
        let all = outbox(self.store.db()).await.into_iter();
        all.filter(|told| told.key == parcel).collect()
    }

    pub(crate) async fn story(&self, parcel: Uuid) -> Story {
        story(self.store.db(), parcel).await.unwrap().unwrap()
    }
}

/// What is said about a parcel, answering nothing.
pub(crate) fn news(parcel: Uuid, kind: &str) -> Message {
    message("post", kind, parcel, &json!({ "grams": 500 }))
}

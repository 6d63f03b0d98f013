//! Reads what the services have about orders: page by page, by the key of each table.
//!
//! A page of a database is one short snapshot (REPEATABLE READ, READ ONLY). One snapshot for the whole audit would see no
//! more, since those of several databases are never of one moment, and would keep Postgres from cleaning up behind busy
//! tables for as long as the audit runs. Orders are read first, with their sagas and histories, then the others at the
//! same time: within some milliseconds of each other.

use std::collections::BTreeMap;

use anyhow::Context;
use chrono::{DateTime, Utc};
use contracts::OrderId;
use futures_util::future::try_join_all;
use messaging::sql;
use order_view::domain::OrderView;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, DbBackend, IsolationLevel, Statement,
    TransactionTrait, Value,
};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{
    facts::{Asked, Facts, ViewRow},
    finding::Finding,
    gateway::{Gateway, stranger},
};
use crate::databases::Database;

/// Which database is whose.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) services: BTreeMap<Service, Database>,
    pub(crate) gateway: Option<Gateway>,
}

/// The services that have rows about orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Service {
    Orders,
    Customers,
    Restaurants,
    Payments,
    Kitchens,
    Deliveries,
    Views,
}

/// A kind of rows: one for each order.
struct Rows {
    /// In whose database.
    service: Service,
    /// The column with the order's id, and what else is read; from where; and how rows are put together, if they are.
    key: &'static str,
    columns: &'static str,
    from: &'static str,
    group: &'static str,
    /// Puts a row into the facts.
    put: fn(&mut Facts, Json) -> Result<(), serde_json::Error>,
}

macro_rules! put {
    ($field:ident) => {
        |facts, row| {
            facts.$field = Some(serde_json::from_value(row)?);
            Ok(())
        }
    };
}

const ORDERS: Rows = Rows {
    service: Service::Orders,
    key: "order_id",
    columns: "state, held_state, version, customer_id, restaurant_id, payment_method_id, ticket_id, rejected_by, items, \
              CASE WHEN total_amount IS NOT NULL \
                   THEN jsonb_build_object('amount', total_amount, 'currency', total_currency) END AS total",
    from: "orders",
    group: "",
    put: put!(order),
};

/// Everything else of orders; in the snapshot of the orders themselves.
const OF_ORDERS: [Rows; 2] = [
    Rows {
        service: Service::Orders,
        key: "saga_id",
        columns: "definition, version, state, step, purpose, memory, records, updated_at",
        from: "sagas",
        group: "",
        put: put!(saga),
    },
    Rows {
        service: Service::Orders,
        key: "saga_id",
        columns: "count(*) AS count, max(number) AS last, jsonb_agg(DISTINCT what) AS what, \
                  jsonb_agg(DISTINCT step) FILTER (WHERE what = 'SKIPPED') AS skipped",
        from: "saga_history",
        group: "GROUP BY saga_id",
        put: put!(history),
    },
];

const OF_OTHERS: [Rows; 6] = [
    Rows {
        service: Service::Customers,
        key: "order_id",
        columns: "customer_id, state",
        from: "verifications",
        group: "",
        put: put!(verification),
    },
    Rows {
        service: Service::Restaurants,
        key: "order_id",
        columns: "ticket_id, restaurant_id, state, version, items, total",
        from: "tickets",
        group: "",
        put: put!(ticket),
    },
    Rows {
        service: Service::Payments,
        key: "order_id",
        columns: "state, version, customer_id, payment_method_id, authorisation, call ->> 'intent' AS calling, \
                  CASE WHEN amount IS NOT NULL THEN jsonb_build_object('amount', amount, 'currency', currency) END AS amount, \
                  EXISTS (SELECT FROM refunds WHERE refunds.order_id = payments.order_id) AS refund_ordered",
        from: "payments",
        group: "",
        put: put!(payment),
    },
    Rows {
        service: Service::Kitchens,
        key: "order_id",
        columns: "restaurant_id, state, version, items",
        from: "cooks",
        group: "",
        put: put!(cook),
    },
    Rows {
        service: Service::Deliveries,
        key: "order_id",
        columns: "restaurant_id, state, version",
        from: "deliveries",
        group: "",
        put: put!(delivery),
    },
    Rows {
        service: Service::Views,
        key: "order_id",
        columns: "facts, order_version, \"order\", ticket_version, ticket, payment_version, payment, kitchen_version, kitchen, \
                  delivery_version, delivery, as_of",
        from: "order_views",
        group: "",
        put: |facts, row| {
            facts.view = Some(serde_json::from_value::<ViewRow>(row)?.into());
            Ok(())
        },
    },
];

/// Which orders to read.
#[derive(Debug, Clone, Copy)]
enum Span<'s> {
    /// The next ones behind `after`, up to and with `upto`.
    Range { after: Uuid, upto: Uuid, limit: u64 },
    /// These.
    These(&'s [Uuid]),
}

/// Some orders, in the order of their ids, with all that is known of them.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) facts: Vec<Facts>,
    /// Every order up to this one has been read; nothing when it was the last page.
    pub(crate) upto: Option<Uuid>,
    /// What the gateway has under names that are no orders' ids.
    pub(crate) strangers: Vec<Finding>,
}

/// What may explain that an order is not as it should be.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// What is not published yet.
    pub(crate) unpublished: Vec<String>,
    /// The consumers that have not handled everything, each with why.
    pub(crate) unhandled: Vec<(String, String)>,
    /// The consumers whose messages about it an operator has discarded.
    pub(crate) discarded: Vec<String>,
}

type Found = Vec<(Uuid, Json)>;

impl Service {
    const ALL: [Self; 7] = [
        Self::Orders,
        Self::Customers,
        Self::Restaurants,
        Self::Payments,
        Self::Kitchens,
        Self::Deliveries,
        Self::Views,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Orders => "order-service",
            Self::Customers => "customer-service",
            Self::Restaurants => "restaurant-service",
            Self::Payments => "payment-service",
            Self::Kitchens => "kitchen-service",
            Self::Deliveries => "delivery-service",
            Self::Views => "order-view",
        }
    }

    /// The table by which its database is known.
    const fn table(self) -> &'static str {
        match self {
            Self::Orders => ORDERS.from,
            Self::Customers => "verifications",
            Self::Restaurants => "tickets",
            Self::Payments => "payments",
            Self::Kitchens => "cooks",
            Self::Deliveries => "deliveries",
            Self::Views => "order_views",
        }
    }
}

impl Sources {
    /// Sees which database is whose, by its tables.
    ///
    /// # Errors
    /// A database does not answer, two are of one service, or that of the orders is missing.
    pub(crate) async fn recognise(
        databases: Vec<Database>,
        gateway: Option<Gateway>,
    ) -> anyhow::Result<Self> {
        let mut services = BTreeMap::new();
        for database in databases {
            let Some(service) = recognise(&database).await? else {
                continue;
            };
            if let Some(other) = services.insert(service, database) {
                let name = service.name();
                anyhow::bail!("two databases are {name}'s; one of them is {}", other.name);
            }
        }
        anyhow::ensure!(
            services.contains_key(&Service::Orders),
            "none of the databases is order-service's: there is nothing to audit"
        );
        Ok(Self { services, gateway })
    }

    /// The services whose databases were not given.
    pub(crate) fn missing(&self) -> impl Iterator<Item = Service> {
        let missing = Service::ALL.into_iter();
        missing.filter(|service| !self.services.contains_key(service))
    }

    /// The moment before which rows of finished orders, or the history of ended sagas, are not kept any more, where there is one, and
    /// of which tables that is true.
    ///
    /// # Errors
    /// A database does not answer, or not in time.
    pub(crate) async fn forgotten(&self) -> anyhow::Result<Option<(DateTime<Utc>, String)>> {
        // A service that has not been started anew since there is such a table forgets nothing of this.
        const IS_THERE: &str = "SELECT to_regclass('forgotten') IS NOT NULL";
        const FORGOTTEN: &str = "SELECT before, what FROM forgotten WHERE what = ANY($1::text[])";
        let tables = [&ORDERS].into_iter().chain(&OF_ORDERS).chain(&OF_OTHERS);
        let tables: Vec<&str> = tables.map(|rows| rows.from).collect();
        let mut latest = None;
        for &service in self.services.keys() {
            let tx = self.begin(service).await?;
            let is_there = Statement::from_string(DbBackend::Postgres, IS_THERE);
            let is_there = tx.query_one_raw(is_there).await?;
            if is_there.map(|row| row.try_get_by_index(0)).transpose()? == Some(true) {
                let values = [sql::texts(tables.iter().copied())];
                let found = Statement::from_sql_and_values(DbBackend::Postgres, FORGOTTEN, values);
                for row in tx.query_all_raw(found).await? {
                    let of: (DateTime<Utc>, String) =
                        (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
                    latest = latest.max(Some(of));
                }
            }
            tx.commit().await?;
        }
        Ok(latest)
    }

    fn asked(&self) -> Asked {
        let has = |service| self.services.contains_key(&service);
        Asked {
            customers: has(Service::Customers),
            restaurants: has(Service::Restaurants),
            payments: has(Service::Payments),
            kitchens: has(Service::Kitchens),
            deliveries: has(Service::Deliveries),
            views: has(Service::Views),
            gateway: self.gateway.is_some(),
        }
    }

    /// The next orders behind `after`, at most `size`. Whatever is there without its order is in there, too.
    ///
    /// # Errors
    /// A database or the gateway does not answer, or not in time.
    pub(crate) async fn page(
        &self,
        after: Uuid,
        size: u64,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Page> {
        let mut upto = Uuid::max();
        // One more than there are orders: whoever has that many has orphans, and the page ends before the last of them.
        let cut = |found: &mut Found, upto: &mut Uuid, size: u64| {
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            if found.len() >= size {
                found.truncate(size);
                *upto = found.last().map_or(*upto, |(id, _)| *id).min(*upto);
            }
        };
        let tx = self.begin(Service::Orders).await?;
        let first = Span::Range {
            after,
            upto,
            limit: size,
        };
        let mut orders = read(&tx, &ORDERS, first).await?;
        cut(&mut orders, &mut upto, size);
        let limit = size + 1;
        let span = Span::Range { after, upto, limit };
        let mut parts = vec![(&ORDERS, orders)];
        for rows in &OF_ORDERS {
            parts.push((rows, read(&tx, rows, span).await?));
        }
        tx.commit().await?;
        parts.extend(self.others(span).await?);
        let mut ledger = match &self.gateway {
            Some(gateway) => gateway.page(after, upto, limit).await?,
            None => Vec::new(),
        };
        for (_, found) in parts.iter_mut().skip(1) {
            cut(found, &mut upto, limit);
        }
        if ledger.len() as u64 >= limit {
            // Names that are no ids sort anywhere; those of orders are in the order of the ids.
            let last = ledger
                .iter()
                .rev()
                .find_map(|(name, _)| Uuid::try_parse(name).ok());
            upto = last.map_or(upto, |last| last.min(upto));
        }
        let mut facts = BTreeMap::new();
        for (rows, found) in parts {
            self.put(
                &mut facts,
                rows,
                found.into_iter().filter(|(id, _)| *id <= upto),
                now,
            );
        }
        let mut strangers = Vec::new();
        for (name, entries) in ledger.drain(..) {
            match Uuid::try_parse(&name) {
                Ok(id) if id <= upto => self.facts(&mut facts, id, now).ledger = entries,
                Ok(_) => {}
                // The next page begins behind `upto`, and lists it again.
                Err(_) if upto != Uuid::max() && name > upto.to_string() => {}
                Err(_) => strangers.push(stranger(&name, &entries)),
            }
        }
        Ok(Page {
            facts: facts.into_values().collect(),
            upto: Some(upto).filter(|upto| *upto != Uuid::max()),
            strangers,
        })
    }

    /// What is known of these orders now.
    ///
    /// # Errors
    /// See [`Sources::page`].
    pub(crate) async fn these(
        &self,
        ids: &[Uuid],
        now: DateTime<Utc>,
    ) -> anyhow::Result<BTreeMap<Uuid, Facts>> {
        let span = Span::These(ids);
        let tx = self.begin(Service::Orders).await?;
        let mut parts = vec![(&ORDERS, read(&tx, &ORDERS, span).await?)];
        for rows in &OF_ORDERS {
            parts.push((rows, read(&tx, rows, span).await?));
        }
        tx.commit().await?;
        parts.extend(self.others(span).await?);
        let mut facts = BTreeMap::new();
        for (rows, found) in parts {
            self.put(&mut facts, rows, found, now);
        }
        if let Some(gateway) = &self.gateway {
            for (id, entries) in gateway.of(ids).await? {
                if !entries.is_empty() {
                    self.facts(&mut facts, id, now).ledger = entries;
                }
            }
        }
        Ok(facts)
    }

    /// What the view has of these orders. What cannot be read is for another rule.
    ///
    /// # Errors
    /// The database does not answer, or not in time.
    pub(crate) async fn views(&self, ids: &[Uuid]) -> anyhow::Result<BTreeMap<Uuid, OrderView>> {
        let [.., views] = &OF_OTHERS;
        let tx = self.begin(views.service).await?;
        let found = read(&tx, views, Span::These(ids)).await?;
        tx.commit().await?;
        let readable = found.into_iter().filter_map(|(id, row)| {
            Some((id, serde_json::from_value::<ViewRow>(row).ok()?.into()))
        });
        Ok(readable.collect())
    }

    /// What is unpublished or parked about these orders, and what an operator has discarded.
    ///
    /// # Errors
    /// A database does not answer, or not in time.
    pub(crate) async fn evidence(&self, ids: &[Uuid]) -> anyhow::Result<BTreeMap<Uuid, Evidence>> {
        const PENDING: &str = "SELECT key AS id, count(*) || CASE count(*) WHEN 1 THEN ' message' ELSE ' messages' END AS what FROM outbox_pending \
                               WHERE key = ANY($1) GROUP BY key";
        const PARKED: &str = "SELECT line::uuid AS id, consumer AS what FROM parked_line WHERE line = ANY($1::text[])";
        const DISCARDED: &str = "SELECT DISTINCT line::uuid AS id, consumer AS what FROM parked_history \
                                 WHERE action = 'DISCARDED' AND line = ANY($1::text[])";
        let mut evidence: BTreeMap<Uuid, Evidence> = BTreeMap::new();
        let keys = || sql::uuids(ids.iter().copied());
        let lines = || sql::texts(ids.iter().map(Uuid::to_string));
        for (service, database) in &self.services {
            let name = service.name();
            let tx = self.begin(*service).await?;
            let told = async |sql, values| {
                ask(&tx, sql, [values])
                    .await
                    .with_context(|| database.name.clone())
            };
            for (id, what) in told(PENDING, keys()).await? {
                let unpublished = format!("not published yet: {what} of {name}");
                evidence
                    .entry(id)
                    .or_default()
                    .unpublished
                    .push(unpublished);
            }
            for (id, consumer) in told(PARKED, lines()).await? {
                let parked = format!("{consumer} has parked messages of it");
                let unhandled = &mut evidence.entry(id).or_default().unhandled;
                unhandled.push((consumer, parked));
            }
            for (id, consumer) in told(DISCARDED, lines()).await? {
                evidence.entry(id).or_default().discarded.push(consumer);
            }
            tx.commit().await?;
        }
        Ok(evidence)
    }

    async fn others(&self, span: Span<'_>) -> anyhow::Result<Vec<(&'static Rows, Found)>> {
        let known = OF_OTHERS
            .iter()
            .filter(|rows| self.services.contains_key(&rows.service));
        let reads = known.map(|rows| async move {
            let tx = self.begin(rows.service).await?;
            let found = read(&tx, rows, span).await?;
            tx.commit().await?;
            anyhow::Ok((rows, found))
        });
        try_join_all(reads).await
    }

    fn facts<'f>(
        &self,
        facts: &'f mut BTreeMap<Uuid, Facts>,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> &'f mut Facts {
        let new = || Facts::new(OrderId::new(id), self.asked(), now);
        facts.entry(id).or_insert_with(new)
    }

    fn put(
        &self,
        facts: &mut BTreeMap<Uuid, Facts>,
        rows: &Rows,
        found: impl IntoIterator<Item = (Uuid, Json)>,
        now: DateTime<Utc>,
    ) {
        for (id, row) in found {
            let facts = self.facts(facts, id, now);
            if let Err(error) = (rows.put)(facts, row) {
                facts.unreadable.push(format!("{}: {error}", rows.from));
            }
        }
    }

    /// A snapshot of a service's database.
    pub(crate) async fn begin(&self, service: Service) -> anyhow::Result<DatabaseTransaction> {
        let database = self.services.get(&service);
        let database = database.with_context(|| format!("no database is {}'s", service.name()))?;
        let begun = database.db().begin_with_config(
            Some(IsolationLevel::RepeatableRead),
            Some(AccessMode::ReadOnly),
        );
        let tx = begun.await.with_context(|| database.name.clone())?;
        // Nobody waits long for an audit, and an audit for nobody. It reads by keys also what was never analysed, since it only grows.
        let settings = "SET LOCAL statement_timeout = '15s'; SET LOCAL lock_timeout = '5s'; SET LOCAL enable_seqscan = off";
        tx.execute_unprepared(settings)
            .await
            .with_context(|| database.name.clone())?;
        Ok(tx)
    }
}

async fn recognise(database: &Database) -> anyhow::Result<Option<Service>> {
    let tables = Service::ALL.map(|service| format!("'{}'", service.table()));
    let sql = format!(
        "SELECT name FROM unnest(ARRAY[{}]) AS name WHERE to_regclass(name) IS NOT NULL",
        tables.join(",")
    );
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let rows = database.db().query_all_raw(statement).await;
    let rows = rows.with_context(|| database.name.clone())?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let table: String = row.try_get("", "name")?;
    let found = Service::ALL
        .into_iter()
        .find(|service| service.table() == table);
    Ok(found)
}

async fn read(tx: &DatabaseTransaction, rows: &Rows, span: Span<'_>) -> anyhow::Result<Found> {
    let Rows {
        service,
        key,
        columns,
        from,
        group,
        ..
    } = rows;
    let (span, values): (_, Vec<Value>) = match span {
        Span::Range { after, upto, limit } => {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let sql = format!("{key} > $1 AND {key} <= $2 {group} ORDER BY {key} LIMIT $3");
            (sql, vec![after.into(), upto.into(), limit.into()])
        }
        Span::These(ids) => (
            format!("{key} = ANY($1) {group}"),
            vec![sql::uuids(ids.iter().copied())],
        ),
    };
    let sql = format!(
        "SELECT id, to_jsonb(of_order) AS what FROM (SELECT {key} AS id, {key} AS order_id, {columns} FROM {from} WHERE {span}) AS of_order"
    );
    ask(tx, &sql, values)
        .await
        .with_context(|| format!("{}, table {from}", service.name()))
}

/// Rows of an id, and what there is about it.
async fn ask<T: sea_orm::TryGetable>(
    tx: &DatabaseTransaction,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> anyhow::Result<Vec<(Uuid, T)>> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let rows = tx.query_all_raw(statement).await?;
    let read = rows
        .iter()
        .map(|row| Ok((row.try_get("", "id")?, row.try_get("", "what")?)));
    read.collect()
}

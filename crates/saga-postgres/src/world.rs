//! The sagas of a batch: loaded in one statement, changed by the interpreter, saved in one more.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use messaging::{Outgoing, TraceParent, sql};
use saga::{Instance, Outcome, Record, Verdict, What};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement};
use uuid::Uuid;

use crate::{
    Data,
    publish::published,
    row::{COLUMNS, Saga},
};

/// The sagas of a batch.
#[derive(Debug, Clone)]
pub struct World<D> {
    pub(crate) loaded: BTreeMap<Uuid, Loaded<D>>,
    pub(crate) counts: Counts,
}

/// One saga with its data, and what happened to it in this batch.
#[derive(Debug, Clone)]
pub(crate) struct Loaded<D> {
    pub(crate) saga: Saga,
    pub(crate) data: D,
    pub(crate) data_changed: bool,
    pub(crate) records: Vec<Record>,
}

/// What happened in a batch, counted when it is committed.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    pub(crate) orphans: u64,
    pub(crate) what: BTreeMap<&'static str, u64>,
}

impl Counts {
    pub(crate) fn add(&mut self, records: &[Record]) {
        for record in records {
            *self.what.entry(What::as_str(record.what)).or_default() += 1;
        }
    }

    /// Adds to the metrics.
    pub(crate) fn publish(self) {
        if self.orphans > 0 {
            metrics::counter!("saga_orphans_total").increment(self.orphans);
        }
        for (what, count) in self.what {
            metrics::counter!("saga_records_total", "what" => what).increment(count);
        }
    }
}

impl<D: Data> World<D> {
    pub(crate) fn of(id: Uuid, loaded: Loaded<D>) -> Self {
        Self {
            loaded: BTreeMap::from([(id, loaded)]),
            counts: Counts::default(),
        }
    }

    /// The data of a saga.
    #[must_use]
    pub fn data(&self, id: Uuid) -> Option<&D> {
        Some(&self.loaded.get(&id)?.data)
    }

    /// How far a saga has come.
    #[must_use]
    pub fn instance(&self, id: Uuid) -> Option<&Instance> {
        Some(&self.loaded.get(&id)?.saga.instance)
    }

    /// What happened to a saga since it was loaded.
    #[must_use]
    pub fn records(&self, id: Uuid) -> &[Record] {
        self.loaded
            .get(&id)
            .map_or(&[], |loaded| loaded.records.as_slice())
    }

    /// Loads and locks the sagas of these ids, with their data, in the order of their ids.
    ///
    /// Both rows are locked, not the saga's alone: a statement that waited for a lock reads the newest version of locked
    /// rows only, and would take the others as they were when it began.
    pub(crate) async fn load(
        db: &DatabaseTransaction,
        ids: impl IntoIterator<Item = Uuid>,
    ) -> Result<Self, DbErr> {
        let (table, key, columns) = (D::TABLE, D::KEY, D::COLUMNS);
        let load = format!(
            "SELECT {COLUMNS}, {columns} FROM sagas saga JOIN {table} data ON data.{key} = saga.saga_id \
             WHERE saga.saga_id = ANY($1::uuid[]) ORDER BY saga.saga_id FOR UPDATE OF saga, data"
        );
        let mut keys: Vec<Uuid> = ids.into_iter().collect();
        keys.sort_unstable();
        keys.dedup();
        let statement =
            Statement::from_sql_and_values(DbBackend::Postgres, load, [sql::uuids(keys)]);
        let mut loaded = BTreeMap::new();
        for row in db.query_all_raw(statement).await? {
            let (saga, data) = (Saga::from_row(&row)?, D::from_row(&row)?);
            let entry = Loaded {
                saga,
                data,
                data_changed: false,
                records: Vec::new(),
            };
            loaded.insert(row.try_get::<Uuid>("", "saga_id")?, entry);
        }
        Ok(Self {
            loaded,
            counts: Counts::default(),
        })
    }

    /// Takes in what an input led to. Gives what has to be published.
    pub(crate) fn record(
        &mut self,
        id: Uuid,
        outcome: Outcome,
        now: DateTime<Utc>,
        trace: Option<TraceParent>,
    ) -> Vec<Outgoing> {
        let Some(loaded) = self.loaded.get_mut(&id) else {
            return Vec::new();
        };
        loaded.data_changed |= outcome.verdict == Verdict::Applied;
        self.counts.add(&outcome.records);
        loaded.records.extend(outcome.records);
        let trace = trace.or_else(|| loaded.saga.trace());
        published(id, &mut loaded.saga, outcome.effects, now, trace)
    }
}

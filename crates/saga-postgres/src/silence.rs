//! Feels that nobody answers: finds the commands whose patience has run out, and lets their sagas decide.

use std::{collections::HashSet, convert::Infallible, time::Duration};

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use messaging::{Handler, Stamp, Store, UnitOfWork, sql};
use saga::{Input, Policy};
use sea_orm::{DatabaseTransaction, DbBackend, DbErr, FromQueryResult, Statement, Value};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Data, Orchestrator, World, publication::Publication, row::signed};

/// Between two looks. Deadlines are as precise as that.
const EVERY: Duration = Duration::from_secs(1);
/// A look may take this part of the time, not more: where very many sagas wait, deadlines are felt a little later.
const SHARE: u32 = 10;
/// The most sagas of one transaction.
const BATCH: i64 = 200;

/// Sagas whose command was published so long ago that its patience has run out: it was decided before the moment that
/// belongs to its step and attempt. What somebody else is at is left out: instances share the work.
const OVERDUE: &str = "\
SELECT saga.saga_id, saga.awaited FROM sagas saga
JOIN (SELECT
    unnest($1::text[]) AS definition, unnest($2::int[]) AS version, unnest($3::text[]) AS step, unnest($4::int[]) AS attempt,
    unnest($5::int[]) AS attempts, unnest($6::timestamptz[]) AS decided_before
) AS overdue
  ON overdue.definition = saga.definition AND overdue.version = saga.version AND overdue.step = saga.step
 AND overdue.attempt = LEAST(saga.attempt, overdue.attempts)
WHERE saga.state IN ('FORWARD', 'BACKWARD', 'CANCELLING') AND saga.sent_at < overdue.decided_before
ORDER BY saga.sent_at LIMIT $7 FOR UPDATE OF saga SKIP LOCKED";

/// The last doubt: who decided long before he committed.
const WAITING: &str = "SELECT message_id FROM outbox_pending WHERE message_id = ANY($1::uuid[])";

/// Lets sagas feel that nobody answers. Several instances share the work: a command is sent again by one of them.
pub struct Silence<D> {
    orchestrator: Orchestrator<D>,
    store: Store,
    publication: Publication,
}

#[derive(Debug, FromQueryResult)]
struct Overdue {
    saga_id: Uuid,
    awaited: Uuid,
}

#[derive(FromQueryResult)]
struct Waiting {
    message_id: Uuid,
}

impl<D: Data> Silence<D> {
    /// Watches over the sagas of `orchestrator` in the database of `store`.
    #[must_use]
    pub fn new(orchestrator: Orchestrator<D>, store: Store) -> Self {
        let policies = orchestrator.definitions().all();
        let policies = policies.flat_map(saga::Definition::steps);
        let longest = policies.map(|step| step.policy().longest).max();
        Self {
            orchestrator,
            store,
            publication: Publication::new(longest.unwrap_or_default()),
        }
    }

    /// Watches until `shutdown`. A database that is away is waited for.
    ///
    /// # Errors
    /// Never.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), Infallible> {
        loop {
            let begun = ambient::now();
            if let Err(error) = self.look(begun).await {
                tracing::warn!(%error, "overdue sagas wait for the database");
            }
            let taken = (ambient::now() - begun).to_std().unwrap_or_default();
            let pause = EVERY.max(taken * SHARE);
            if shutdown
                .run_until_cancelled(tokio::time::sleep(pause))
                .await
                .is_none()
            {
                return Ok(());
            }
        }
    }

    /// One look at `now`. Gives how many sagas felt that nobody answers.
    ///
    /// # Errors
    /// The database's.
    pub async fn look(&mut self, now: DateTime<Utc>) -> Result<usize, DbErr> {
        self.publication.look(self.store.db(), now).await?;
        let mut felt = 0;
        loop {
            let found = self.feel(now).await?;
            felt += found;
            if found < usize::try_from(BATCH).unwrap_or(usize::MAX) {
                return Ok(felt);
            }
        }
    }

    /// One transaction: some of those that are overdue.
    async fn feel(&self, now: DateTime<Utc>) -> Result<usize, DbErr> {
        let limits = self.limits(now);
        let orchestrator = self.orchestrator.clone();
        self.store
            .transact(move |work| {
                async move {
                    let overdue = overdue(work.db(), limits).await?;
                    tell(&orchestrator, work, overdue, now).await
                }
                .boxed()
            })
            .await
    }

    /// For each step and attempt: whatever was decided before that moment is overdue.
    fn limits(&self, now: DateTime<Utc>) -> Vec<Value> {
        let mut limits = Vec::new();
        for definition in self.orchestrator.definitions().all() {
            for step in definition.steps() {
                let attempts = distinct_attempts(step.policy());
                limits.extend((1..=attempts).filter_map(|attempt| {
                    let published = now - step.policy().patience(attempt);
                    let before = self.publication.published_by(published)?;
                    Some((definition, step.name(), attempt, attempts, before))
                }));
            }
        }
        let limits = || limits.iter();
        vec![
            sql::texts(limits().map(|(definition, ..)| definition.name())),
            sql::ints(limits().map(|(definition, ..)| signed(definition.version()))),
            sql::texts(limits().map(|(_, step, ..)| *step)),
            sql::ints(limits().map(|(_, _, attempt, ..)| signed(*attempt))),
            sql::ints(limits().map(|(_, _, _, attempts, _)| signed(*attempts))),
            sql::times(limits().map(|(.., before)| *before)),
            BATCH.into(),
        ]
    }
}

/// How many attempts differ in their patience: all later ones have that of the last.
fn distinct_attempts(policy: &Policy) -> u32 {
    let grows = |attempt: &u32| policy.patience(*attempt) < policy.longest;
    let growing = (1..policy.attempts).take_while(grows).count();
    u32::try_from(growing).unwrap_or(u32::MAX).saturating_add(1)
}

async fn overdue(db: &DatabaseTransaction, limits: Vec<Value>) -> Result<Vec<Overdue>, DbErr> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, OVERDUE, limits);
    let overdue = Overdue::find_by_statement(statement).all(db).await?;
    if overdue.is_empty() {
        return Ok(overdue);
    }
    let ids = sql::uuids(overdue.iter().map(|saga| saga.awaited));
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, WAITING, [ids]);
    let waiting = Waiting::find_by_statement(statement).all(db).await?;
    let waiting: HashSet<Uuid> = waiting.into_iter().map(|row| row.message_id).collect();
    let published = overdue
        .into_iter()
        .filter(|saga| !waiting.contains(&saga.awaited));
    Ok(published.collect())
}

/// Lets these sagas feel it. One that cannot is told of, and does not hold back the others.
async fn tell<D: Data>(
    orchestrator: &Orchestrator<D>,
    work: &mut UnitOfWork,
    overdue: Vec<Overdue>,
    now: DateTime<Utc>,
) -> Result<usize, DbErr> {
    let ids = overdue.iter().map(|saga| saga.saga_id);
    let mut world = World::load(work.db(), ids).await?;
    let mut stamp = Stamp::live_at(now);
    let mut told = 0;
    for Overdue { saga_id, awaited } in overdue {
        let input = Input::Silence { command: awaited };
        match orchestrator.decide_on(&mut world, saga_id, input, None, &mut stamp) {
            Ok(decided) => {
                work.publish_all(decided.map(|(_, published)| published).unwrap_or_default());
                told += 1;
            }
            Err(fault) => {
                tracing::error!(saga = %saga_id, %fault, "a saga cannot feel that nobody answers");
            }
        }
    }
    orchestrator.save(work.db(), world).await?.publish();
    Ok(told)
}

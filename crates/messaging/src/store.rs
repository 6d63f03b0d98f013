//! A service's database as the messages see it: the one door to transactions.

use futures_util::future::BoxFuture;
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr, TransactionTrait};
use tracing::Instrument;

use crate::{Doorbell, Outgoing, inbox::Handled, outbox, outbox::Shards};

/// A service's database with its outbox. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    db: DatabaseConnection,
    doorbell: Doorbell,
    shards: Shards,
}

/// A transaction that publishes. What is published becomes visible together with the state, or not at all.
#[derive(Debug)]
pub struct UnitOfWork {
    tx: DatabaseTransaction,
    outbox: Vec<Outgoing>,
    handled: Option<Handled>,
}

impl Store {
    /// # Errors
    /// The database cannot be read, or the migrations of this crate have not run.
    pub async fn new(db: DatabaseConnection, doorbell: Doorbell) -> Result<Self, DbErr> {
        let shards = Shards::read(&db).await?;
        Ok(Self {
            db,
            doorbell,
            shards,
        })
    }

    /// The connection pool, for reads outside of a transaction.
    #[must_use]
    pub const fn db(&self) -> &DatabaseConnection {
        &self.db
    }

    /// Runs `work` in one transaction: commits when it succeeds, rolls back when it fails.
    ///
    /// It runs in a task of its own and always to its end, also when the caller is gone: a transaction that is cancelled
    /// while it begins would hand a poisoned connection back to the pool (sqlx #4385), and nobody could say whether
    /// a cancelled COMMIT happened. Aggregates must be locked before their messages are published.
    ///
    /// # Errors
    /// The error of `work`, or the database's, as `E`. An error while committing leaves open whether it happened.
    ///
    /// # Panics
    /// A panic of `work` goes on in the caller.
    pub async fn transact<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'w> FnOnce(&'w mut UnitOfWork) -> BoxFuture<'w, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<DbErr> + Send + 'static,
    {
        let store = self.clone();
        let task = async move {
            let mut unit = store.begin().await?;
            match work(&mut unit).await {
                Ok(value) => {
                    store.commit(unit).await?;
                    Ok(value)
                }
                Err(error) => {
                    unit.roll_back().await;
                    Err(error)
                }
            }
        };
        match tokio::spawn(task.in_current_span()).await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(DbErr::Custom("the runtime is shutting down".into()).into()),
            },
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one door to transactions"
    )]
    async fn begin(&self) -> Result<UnitOfWork, DbErr> {
        let tx = self.db.begin().await?;
        Ok(UnitOfWork {
            tx,
            outbox: Vec::new(),
            handled: None,
        })
    }

    async fn commit(&self, unit: UnitOfWork) -> Result<(), DbErr> {
        let UnitOfWork {
            tx,
            outbox,
            handled,
        } = unit;
        outbox::write(&tx, self.shards, &outbox, handled.as_ref()).await?;
        tx.commit().await?;
        if !outbox.is_empty() {
            metrics::counter!("outbox_written_total")
                .increment(u64::try_from(outbox.len()).unwrap_or(u64::MAX));
            self.doorbell.ring();
        }
        Ok(())
    }
}

impl UnitOfWork {
    /// The transaction, for statements.
    #[must_use]
    pub const fn db(&self) -> &DatabaseTransaction {
        &self.tx
    }

    /// Publishes `message` if and only if this transaction commits. Messages of one key keep their order, within a
    /// transaction and between transactions, provided that the aggregate of the key was locked before.
    pub fn publish(&mut self, message: Outgoing) {
        self.outbox.push(message);
    }

    /// Publishes several, in their order.
    pub fn publish_all(&mut self, messages: impl IntoIterator<Item = Outgoing>) {
        self.outbox.extend(messages);
    }

    pub(crate) fn remember(&mut self, handled: Handled) {
        self.handled = Some(handled);
    }

    async fn roll_back(self) {
        // Where this fails the connection is gone, and the transaction with it.
        if let Err(error) = self.tx.rollback().await {
            tracing::debug!(%error, "the rollback was not confirmed");
        }
    }
}

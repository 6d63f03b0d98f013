//! What people do to orders over REST: the cook says that one is ready, the courier that one was
//! picked up. Each such action is for one order, or for all that are due.
//!
//! The kitchen and the delivery say what their action does to one aggregate; what is the same for
//! all of them is here: the request and the answer, one transaction for one order, chunks for many.

mod http;
mod together;

use contracts::{Illegal, OrderId};
use futures_util::FutureExt;
use messaging::{Fault, Outgoing, Stamp, Store, UnitOfWork};
use sea_orm::{DatabaseTransaction, DbErr};

pub use http::{Changed, Target};
pub use together::Actions;

/// How many orders one transaction changes: enough to share an fsync, few enough to hold their
/// locks for milliseconds only.
const CHUNK: u64 = 200;

/// Something that a person does to one aggregate of an order.
pub trait Action: Clone + Send + Sync + 'static {
    /// What it is done to: one per order.
    type Aggregate: Clone + Send;

    /// Who does it, as the subject of a sentence: `the kitchen`.
    const BY: &'static str;

    /// The order that an aggregate belongs to.
    fn order(aggregate: &Self::Aggregate) -> OrderId;

    /// Loads and locks the aggregates of `orders`, in the order of their keys.
    ///
    /// # Errors
    /// The database's.
    fn lock(
        db: &DatabaseTransaction,
        orders: &[OrderId],
        patience: Patience,
    ) -> impl Future<Output = Result<Vec<Self::Aggregate>, DbErr>> + Send;

    /// Loads and locks at most `limit` aggregates that wait for this action, and skips those that
    /// somebody else has locked: whoever has them decides about them.
    ///
    /// # Errors
    /// The database's.
    fn lock_due(
        &self,
        db: &DatabaseTransaction,
        limit: u64,
    ) -> impl Future<Output = Result<Vec<Self::Aggregate>, DbErr>> + Send;

    /// Does it, purely. Gives the message that tells of it, or nothing when it was done before.
    ///
    /// # Errors
    /// [`Error::Illegal`] when the aggregate is in a state in which it cannot be done.
    fn apply(
        &self,
        aggregate: &mut Self::Aggregate,
        stamp: &mut Stamp,
    ) -> Result<Option<Outgoing>, Error>;

    /// Saves what was changed.
    ///
    /// # Errors
    /// The database's.
    fn save(
        db: &DatabaseTransaction,
        changed: Vec<Self::Aggregate>,
    ) -> impl Future<Output = Result<(), DbErr>> + Send;
}

/// What to do about an aggregate that somebody else has locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Wait for it.
    Wait,
    /// Do as if it were not there.
    Skip,
}

impl Patience {
    /// The end of a `SELECT` that locks.
    #[must_use]
    pub const fn sql(self) -> &'static str {
        match self {
            Self::Wait => "FOR UPDATE",
            Self::Skip => "FOR UPDATE SKIP LOCKED",
        }
    }
}

/// Why an action was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing has been heard of the order.
    #[error("{by} has not heard of order {order}")]
    Unknown {
        /// Who was asked.
        by: &'static str,
        /// The order.
        order: OrderId,
    },
    /// It cannot be done in the state that the aggregate is in.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// The message that tells of it could not be written.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The database's.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Does `action` to every order that waits for it, a chunk per transaction. Gives the orders that
/// it changed.
///
/// # Errors
/// The database's. Chunks that were committed before stay: doing it again does the rest.
async fn act_on_all<A: Action>(store: &Store, action: A) -> Result<Vec<OrderId>, Error> {
    let mut all = Vec::new();
    loop {
        let action = action.clone();
        let act = store.transact::<_, Error, _>(move |work| {
            async move {
                let due = action.lock_due(work.db(), CHUNK).await?;
                apply(work, &action, due).await
            }
            .boxed()
        });
        let changed = act.await?;
        all.extend_from_slice(&changed);
        if (changed.len() as u64) < CHUNK {
            return Ok(all);
        }
    }
}

/// Applies the action to aggregates that are locked; saves and tells of those that it changed.
async fn apply<A: Action>(
    work: &mut UnitOfWork,
    action: &A,
    locked: Vec<A::Aggregate>,
) -> Result<Vec<OrderId>, Error> {
    let mut stamp = Stamp::live();
    let (mut changed, mut news) = (Vec::new(), Vec::new());
    for mut aggregate in locked {
        if let Some(message) = action.apply(&mut aggregate, &mut stamp)? {
            changed.push(aggregate);
            news.push(message);
        }
    }
    let orders = news
        .iter()
        .map(|message| OrderId::new(message.key))
        .collect();
    if !changed.is_empty() {
        A::save(work.db(), changed).await?;
        work.publish_all(news);
    }
    Ok(orders)
}

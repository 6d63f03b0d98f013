//! A key that is taken before its answer is known.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use messaging::{Store, UnitOfWork};
use sea_orm::DbErr;
use uuid::Uuid;

use super::{
    answer::Answer,
    keys::{self, Claim, Entry},
};
use crate::Problem;

/// A key that this request, and nobody else, works on for a while.
#[derive(Debug, Clone)]
pub(super) struct Reservation {
    claim: Arc<Claim>,
    id: Uuid,
}

impl Reservation {
    /// Reserves a key in a transaction of its own, or gives the answer that the key has already.
    pub(super) async fn take(
        store: &Store,
        claim: Claim,
        lease: Duration,
    ) -> Result<Result<Self, Answer>, Problem> {
        let reservation = Self {
            claim: Arc::new(claim),
            id: ambient::new_id(),
        };
        let taken = store.transact(move |unit| {
            async move {
                let entry = Entry::Reservation(reservation.id, lease);
                let earlier = keys::take(unit.db(), &reservation.claim, entry).await?;
                Ok::<_, Problem>(earlier.map_or(Ok(reservation), Err))
            }
            .boxed()
        });
        taken.await
    }

    /// Writes the answer and does `work`, in one transaction; unless somebody else has gone on meanwhile.
    pub(super) async fn answer<F>(
        &self,
        store: &Store,
        answer: Answer,
        work: F,
    ) -> Result<Answer, Problem>
    where
        F: for<'w> FnOnce(&'w mut UnitOfWork) -> BoxFuture<'w, Result<(), DbErr>> + Send + 'static,
    {
        let Self { claim, id } = self.clone();
        let done = store.transact(move |unit| {
            async move {
                if !keys::answer(unit.db(), &claim, id, &answer).await? {
                    return Err(keys::under_way());
                }
                work(unit).await?;
                Ok(answer)
            }
            .boxed()
        });
        done.await
    }

    /// Gives the key back, so that the request can be made again at once. Where that fails, it can be when the lease is over.
    pub(super) async fn release(&self, store: &Store) {
        if let Err(error) = keys::release(store.db(), &self.claim, self.id).await {
            tracing::warn!(%error, operation = self.claim.operation, "a key stays reserved until its lease is over");
        }
    }
}

//! Doing what a request asks for, once.

use std::time::Duration;

use futures_util::{FutureExt, future::BoxFuture};
use messaging::{Store, UnitOfWork};
use sea_orm::{DatabaseExecutor, DbErr};
use serde::Serialize;

use super::{
    answer::Answer,
    fingerprint,
    keys::{self, Claim, Entry, Taken},
    reservation::Reservation,
};
use crate::{Problem, extract::IdempotencyKey};

/// What makes a request happen once, however often it is sent: its key, where it has one.
///
/// Ids are made before anything is stored, so the answer is known before the work: it is written together with the key, in the one
/// statement that a key costs, and both are there when the work is committed, and only then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once(Option<Claim>);

impl Once {
    /// A request without a key, which is another one each time.
    #[must_use]
    pub const fn unnamed() -> Self {
        Self(None)
    }

    /// The request that is called `key` among those of this operation: method and path.
    ///
    /// Bodies are the same if they serialise alike. A member that must not be kept, not even as a hash, has to serialise
    /// as null.
    ///
    /// # Errors
    /// The body cannot be written as JSON.
    pub fn named(
        IdempotencyKey(key): IdempotencyKey,
        operation: String,
        body: &impl Serialize,
    ) -> Result<Self, Problem> {
        let fingerprint = fingerprint::of(body).map_err(|error| Problem::internal(&error))?;
        Ok(Self(Some(Claim {
            operation,
            key,
            fingerprint,
        })))
    }

    /// What the client calls the request.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.0.as_ref().map(|claim| claim.key.as_str())
    }

    /// The answer that the request got before, if its key has one. Takes nothing, and waits for nobody.
    ///
    /// # Errors
    /// 422 for another body; 409 where the first request is being worked on.
    pub async fn answered(&self, store: &Store) -> Result<Option<Answer>, Problem> {
        match &self.0 {
            Some(claim) => keys::find(store.db(), claim).await,
            None => Ok(None),
        }
    }

    /// Does `work` in one transaction and gives `answer`; or does nothing and gives the answer that the first request got.
    /// One that is just being done is waited for.
    ///
    /// # Errors
    /// 422 for another body; 409 where the first request takes too long; the problem of `work`, which leaves the key free.
    pub async fn transact<F>(
        self,
        store: &Store,
        answer: Answer,
        work: F,
    ) -> Result<Answer, Problem>
    where
        F: for<'w> FnOnce(&'w mut UnitOfWork) -> BoxFuture<'w, Result<(), Problem>>
            + Send
            + 'static,
    {
        let done = store.transact(move |unit| {
            async move {
                if let Some(earlier) = self.take(unit, &answer).await? {
                    return Ok(earlier);
                }
                work(unit).await?;
                Ok(answer)
            }
            .boxed()
        });
        done.await
    }

    /// Takes the key, with `answer`, in the transaction of `unit`: gives nothing, and the work is to be done there; or the answer
    /// that the first request got. One that is just being done is waited for.
    ///
    /// # Errors
    /// As [`transact`](Self::transact). The transaction must not be committed with anything in it then.
    pub async fn take(
        &self,
        unit: &UnitOfWork,
        answer: &Answer,
    ) -> Result<Option<Answer>, Problem> {
        match &self.0 {
            Some(claim) => keys::take(unit.db(), claim, Entry::Answer(answer)).await,
            None => Ok(None),
        }
    }

    /// Takes the keys of requests that share the transaction of `unit`, each with its answer, and says what became of each.
    /// Nobody is waited for.
    ///
    /// # Errors
    /// The database's.
    pub async fn take_together(
        unit: &UnitOfWork,
        requests: &[(&Self, &Answer)],
    ) -> Result<Vec<Taken>, DbErr> {
        let named = requests.iter();
        let named = named.filter_map(|(once, answer)| Some((once.0.as_ref()?, *answer)));
        let named: Vec<_> = named.collect();
        let mut taken = match named.is_empty() {
            true => Vec::new(),
            false => keys::take_together(unit.db(), &named).await?,
        }
        .into_iter();
        let of = |(once, _): &(&Self, &Answer)| match once.0 {
            Some(_) => taken.next().unwrap_or(Taken::Busy),
            None => Taken::New,
        };
        Ok(requests.iter().map(of).collect())
    }

    /// The same for work that is one statement and publishes nothing: without a key it needs no transaction.
    ///
    /// # Errors
    /// As [`transact`](Self::transact).
    pub async fn insert<F>(
        self,
        store: &Store,
        answer: Answer,
        insert: F,
    ) -> Result<Answer, Problem>
    where
        F: for<'c> FnOnce(DatabaseExecutor<'c>) -> BoxFuture<'c, Result<(), DbErr>>
            + Send
            + 'static,
    {
        if self.0.is_none() {
            insert(store.db().into()).await?;
            return Ok(answer);
        }
        self.transact(store, answer, move |unit| {
            async move { Ok(insert(unit.db().into()).await?) }.boxed()
        })
        .await
    }

    /// The same for work that has to `ask` somebody else first, which no transaction can wait for or undo. The key
    /// is reserved, with nothing kept open; then `ask` is done, and what it gave is inserted together with the answer.
    ///
    /// Others who come meanwhile get 409. Whoever dies in between blocks the key until `lease` has passed: then `ask`
    /// may happen once more. What is inserted is inserted once: whoever comes back late finds that his reservation is gone.
    ///
    /// # Errors
    /// As [`transact`](Self::transact), and 409 at once; the problem of `ask`, which leaves the key free.
    pub async fn insert_after<T, A, F>(
        self,
        store: &Store,
        lease: Duration,
        ask: A,
        insert: F,
    ) -> Result<Answer, Problem>
    where
        T: Send + 'static,
        A: Future<Output = Result<(Answer, T), Problem>>,
        F: for<'c> FnOnce(DatabaseExecutor<'c>, T) -> BoxFuture<'c, Result<(), DbErr>>
            + Send
            + 'static,
    {
        let Self(Some(claim)) = self else {
            let (answer, asked) = ask.await?;
            insert(store.db().into(), asked).await?;
            return Ok(answer);
        };
        let reservation = match Reservation::take(store, claim, lease).await? {
            Ok(reservation) => reservation,
            Err(earlier) => return Ok(earlier),
        };
        let done = match ask.await {
            Ok((answer, asked)) => {
                let written =
                    reservation.answer(store, answer, move |unit| insert(unit.db().into(), asked));
                written.await
            }
            Err(problem) => Err(problem),
        };
        if done.is_err() {
            reservation.release(store).await;
        }
        done
    }
}

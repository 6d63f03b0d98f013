//! Requests that come at the same time share a transaction.
//!
//! Group commit, one floor up: what a transaction costs (its round trips, its commit, its wake-up of the relay) is paid by all
//! who came while the one before was under way. Nobody waits for company: a request that comes alone is done at once, alone. The
//! slower the database or the busier the machine, the more requests come meanwhile, and the less each of them costs.

use std::{
    collections::VecDeque,
    fmt, io,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::{DbErr, RuntimeErr, sqlx};
use tokio::{sync::oneshot, time::Instant};

use crate::{Store, UnitOfWork, fault::was_begun, rest};

/// The most requests of one transaction.
const MOST: usize = 100;
/// How long a transaction is waited for: longer than it takes to be refused a connection, and less than a client is kept waiting.
const PATIENCE: Duration = Duration::from_secs(8);

/// What can be done for several requests in one transaction.
pub trait Joint: Send + Sync + 'static {
    /// What is asked for.
    type Request: Send + Sync + 'static;
    /// What becomes of it. A refusal is an answer: it says nothing about the others.
    type Answer: Send + 'static;

    /// Does what `requests` ask for, in their order, and gives an answer for each; or none for one that would have to wait for
    /// somebody else's transaction: it is done [`alone`](Self::alone), so that it does not hold up the others. What is locked must
    /// be locked in an order that all transactions share, or two of them may wait for each other.
    ///
    /// # Errors
    /// The database's; then each request is done alone. Nothing has happened before, unless it was the confirmation of the commit
    /// that got lost: so doing a request once more must find that it was done (a key, an id that was made before), or change nothing.
    fn together(
        &self,
        work: &mut UnitOfWork,
        requests: &[Self::Request],
    ) -> impl Future<Output = Result<Vec<Option<Self::Answer>>, DbErr>> + Send;

    /// Does what one request asks for, and waits for whom it has to.
    ///
    /// # Errors
    /// The database's. An error while committing leaves open whether it happened.
    fn alone(
        &self,
        work: &mut UnitOfWork,
        request: &Self::Request,
    ) -> impl Future<Output = Result<Self::Answer, DbErr>> + Send;
}

/// Where requests meet. Cheap to clone.
pub struct Together<J: Joint> {
    meeting: Arc<Meeting<J>>,
}

struct Meeting<J: Joint> {
    store: Store,
    joint: J,
    patience: Duration,
    queue: Mutex<Queue<J>>,
}

struct Queue<J: Joint> {
    waiting: VecDeque<(J::Request, Reply<J>)>,
    /// Whether somebody is at it, who will come to those that wait.
    served: bool,
}

type Reply<J> = oneshot::Sender<Result<<J as Joint>::Answer, DbErr>>;
type Crowd<J> = (Vec<<J as Joint>::Request>, Vec<Reply<J>>);

impl<J: Joint> fmt::Debug for Together<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.meeting.queue().waiting.len();
        f.debug_struct("Together")
            .field("waiting", &waiting)
            .finish_non_exhaustive()
    }
}

impl<J: Joint> Clone for Together<J> {
    fn clone(&self) -> Self {
        Self {
            meeting: Arc::clone(&self.meeting),
        }
    }
}

impl<J: Joint> Together<J> {
    /// A place where requests meet to be done by `joint` on the database of `store`.
    pub fn new(store: Store, joint: J) -> Self {
        Self::with_patience(store, joint, PATIENCE)
    }

    /// The same, where a transaction is waited for no longer than `patience`.
    pub fn with_patience(store: Store, joint: J, patience: Duration) -> Self {
        let queue = Queue {
            waiting: VecDeque::new(),
            served: false,
        };
        Self {
            meeting: Arc::new(Meeting {
                store,
                joint,
                patience,
                queue: Mutex::new(queue),
            }),
        }
    }

    /// The database.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.meeting.store
    }

    /// Has `request` done, together with those that come meanwhile, and gives its own answer once that is committed. It is done
    /// also when the caller does not wait for it.
    ///
    /// # Errors
    /// The database's, for this request alone. An error while committing, and a database that does not answer in time, leave open
    /// whether it happened.
    pub async fn ask(&self, request: J::Request) -> Result<J::Answer, DbErr> {
        let (reply, answer) = oneshot::channel();
        let begins = {
            let mut queue = self.meeting.queue();
            queue.waiting.push_back((request, reply));
            !std::mem::replace(&mut queue.served, true)
        };
        if begins {
            tokio::spawn(Arc::clone(&self.meeting).serve());
        }
        let gone = |_| Err(DbErr::Custom("the runtime is shutting down".to_owned()));
        answer.await.unwrap_or_else(gone)
    }
}

impl<J: Joint> Meeting<J> {
    /// Does what waits, until nothing does.
    async fn serve(self: Arc<Self>) {
        while let Some((requests, replies)) = self.next() {
            let began = Instant::now();
            let count = requests.len();
            self.answer(requests.into(), replies).await;
            rest::take(rest::after(began.elapsed(), count, count >= MOST)).await;
        }
    }

    /// Those that wait, in the order in which they came. Nothing: the next one who comes has to begin.
    fn next(&self) -> Option<Crowd<J>> {
        let mut queue = self.queue();
        if queue.waiting.is_empty() {
            queue.served = false;
            return None;
        }
        let count = queue.waiting.len().min(MOST);
        Some(queue.waiting.drain(..count).unzip())
    }

    /// Does `requests` in one transaction. Where that fails, each is done in one of its own, so that nobody fails for another's
    /// reason; nobody waits for those that are done so.
    async fn answer(self: &Arc<Self>, requests: Arc<[J::Request]>, replies: Vec<Reply<J>>) {
        let (meeting, all) = (Arc::clone(self), Arc::clone(&requests));
        let together = self
            .attempt(move |work| async move { meeting.joint.together(work, &all).await }.boxed());
        let answers = match together.await {
            Some(Ok(answers)) => answers,
            Some(Err(error)) if requests.len() > 1 && was_begun(&error) => {
                tracing::debug!(%error, requests = requests.len(), "not together, then: each alone");
                Vec::new()
            }
            // Each alone would wait as long.
            failed => {
                let error = failed.and_then(Result::err).unwrap_or_else(overdue);
                replies
                    .into_iter()
                    .for_each(|reply| drop(reply.send(Err(error.clone()))));
                return;
            }
        };
        let answers = answers.into_iter().chain(std::iter::repeat_with(|| None));
        for (one, (reply, answer)) in replies.into_iter().zip(answers).enumerate() {
            match answer {
                // Whoever has stopped waiting does not want to know.
                Some(answer) => drop(reply.send(Ok(answer))),
                None => drop(tokio::spawn(Arc::clone(self).alone(
                    Arc::clone(&requests),
                    one,
                    reply,
                ))),
            }
        }
    }

    async fn alone(self: Arc<Self>, requests: Arc<[J::Request]>, one: usize, reply: Reply<J>) {
        let meeting = Arc::clone(&self);
        let alone = self.attempt(move |work| {
            async move { meeting.joint.alone(work, &requests[one]).await }.boxed()
        });
        drop(reply.send(alone.await.unwrap_or_else(|| Err(overdue()))));
    }

    /// One transaction. A panic in it has told of itself; those who wait get an error instead of nothing.
    ///
    /// `None`: it takes so long that its connection has most likely fallen silent, and nobody waits for it any longer. It is not
    /// cancelled: it goes on in its task, and keeps its place in the pool until the connection speaks or ends. What comes next
    /// takes another one.
    async fn attempt<T, F>(&self, work: F) -> Option<Result<T, DbErr>>
    where
        F: for<'w> FnOnce(&'w mut UnitOfWork) -> BoxFuture<'w, Result<T, DbErr>> + Send + 'static,
        T: Send + 'static,
    {
        let work = AssertUnwindSafe(self.store.transact(work)).catch_unwind();
        let panicked = |_| Err(DbErr::Custom("the work on a request panicked".to_owned()));
        match tokio::time::timeout(self.patience, work).await {
            Ok(done) => Some(done.unwrap_or_else(panicked)),
            Err(_) => {
                tracing::warn!(patience = ?self.patience, "a transaction is not waited for any longer");
                None
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue<J>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The database has not answered in time.
fn overdue() -> DbErr {
    let silent = sqlx::Error::Io(io::ErrorKind::TimedOut.into());
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(silent)))
}

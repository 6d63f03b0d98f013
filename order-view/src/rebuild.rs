//! Rebuilds the view: from the beginning of all topics, in another table, while the old one is read and grown; then the
//! new one takes its place.
//!
//! Nothing is lost in the swap: those who write are held up for a moment, what has been said by then is read to its end,
//! and what they write afterwards goes into the new table. What is read twice changes nothing: the fold is idempotent.
//!
//! Every transaction begins under the fence of its attempt: an instance that was paused, and followed by another one,
//! changes nothing any more.

use std::{convert::Infallible, sync::Arc, time::Duration};

use futures_util::FutureExt;
use messaging::{
    Handler, History, Incoming, Interest, Stamp, Store, UnitOfWork, Verdict,
    consumer::Settings,
    history::{self, Offsets},
    judge,
};
use sea_orm::DbErr;
use tokio::{sync::Mutex, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    messages::Folding,
    store::rebuilds::{self, Attempt, Progress},
    waiters::Waiters,
};

/// Between two looks whether a rebuild is asked for. An idle look reads an empty index.
const EVERY: Duration = Duration::from_secs(1);
/// Who is silent for longer is not at it any more.
const CLAIM: Duration = Duration::from_secs(60);
/// Records of one transaction.
const BATCH: usize = 1_000;
/// So near to the end the swap is tried.
const NEAR: i64 = 500;
/// How long the swap waits for those who are writing, and how long it lets them wait for Kafka.
const WRITERS: Duration = Duration::from_secs(1);
/// How long the swap waits for somebody who reads: others who begin to read wait behind it.
const READERS: Duration = Duration::from_millis(100);
/// Before what did not succeed is tried again: from one to the other, doubling.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// Looks for rebuilds that are asked for, and does them. Instances share the work: one of them does it.
#[derive(Debug)]
pub struct Rebuilder {
    store: Store,
    consumer: Settings,
    folding: Folding,
}

/// Why a rebuild was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The topics cannot be read.
    #[error("{0}")]
    History(#[from] history::Error),
    /// The database's error.
    #[error("the database failed: {0}")]
    Database(#[from] DbErr),
    /// The swap would have held up writers for too long.
    #[error("Kafka is too slow for a swap")]
    Slow,
}

impl Error {
    /// Whether it goes on where it is, after a while.
    fn passes(&self) -> bool {
        match self {
            Self::History(error) => !matches!(error, history::Error::Gone | history::Error::Ending),
            Self::Database(error) => judge(error) != Verdict::Wrong,
            Self::Slow => true,
        }
    }
}

/// An attempt under way.
struct Work {
    attempt: Attempt,
    history: History,
    folding: Folding,
}

impl Rebuilder {
    /// Reads what the consumer of these settings reads, and grows a table in the database of `store`.
    #[must_use]
    pub fn new(store: Store, consumer: Settings) -> Self {
        Self {
            store,
            consumer,
            folding: Folding::new(Waiters::default()),
        }
    }

    /// Looks until `shutdown`. What fails is tried again, ever later.
    ///
    /// # Errors
    /// Never.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Infallible> {
        let mut pause = EVERY;
        while !shutdown.is_cancelled() {
            pause = match self.look(&shutdown).await {
                Ok(_) => EVERY,
                Err(error) => {
                    tracing::warn!(%error, "a rebuild of the view begins again");
                    CLAIM.min(pause * 2)
                }
            };
            let _ = shutdown
                .run_until_cancelled(tokio::time::sleep(pause))
                .await;
        }
        Ok(())
    }

    /// Does the rebuild that is asked for, if nobody else is at it. Gives whether there was one that it has ended.
    ///
    /// # Errors
    /// See [`Error`]: the rebuild is still asked for, and says why it was not done.
    pub async fn look(&self, shutdown: &CancellationToken) -> Result<bool, Error> {
        let attempt = ambient::new_id();
        let db = self.store.db();
        let by = &self.consumer.instance_id;
        let Some(rebuild) = rebuilds::claim(db, by, attempt, CLAIM).await? else {
            return Ok(false);
        };
        let attempt = Attempt {
            rebuild_id: rebuild.rebuild_id,
            attempt,
            lasts: CLAIM,
        };
        tracing::info!(id = %rebuild.rebuild_id, by = rebuild.asked_by, why = rebuild.asked_why, "the view is rebuilt");
        let ended = self.rebuild(attempt, shutdown).await;
        match &ended {
            Ok(true) => {}
            Ok(false) => attempt.let_go(db, "its instance was stopped").await?,
            Err(error) => attempt.let_go(db, &error.to_string()).await?,
        }
        ended
    }

    async fn rebuild(&self, attempt: Attempt, shutdown: &CancellationToken) -> Result<bool, Error> {
        let history = History::open(&self.consumer).await?;
        if let Some((topic, partition)) = history.beheaded().await? {
            let problem = format!(
                "the first records of {topic} (partition {partition}) are gone: what is left does not tell of all orders"
            );
            tracing::error!(problem, "the view cannot be rebuilt");
            attempt
                .end(self.store.db(), ambient::now(), Some(&problem))
                .await?;
            return Ok(true);
        }
        self.store
            .transact::<_, DbErr, _>(move |unit| {
                async move {
                    attempt.fence(unit.db()).await?;
                    rebuilds::plant(unit.db()).await
                }
                .boxed()
            })
            .await?;
        let work = Arc::new(Mutex::new(Work {
            attempt,
            history,
            folding: self.folding.clone(),
        }));
        let mut pause = BACKOFF.0;
        while !shutdown.is_cancelled() {
            attempt.fence(self.store.db()).await?;
            let place = work.lock().await.history.place().clone();
            match self.go_on(&work, shutdown).await {
                Ok(true) => return Ok(true),
                Ok(false) => pause = BACKOFF.0,
                Err(error) if error.passes() => {
                    tracing::info!(%error, "the rebuild of the view waits a moment");
                    // What the transaction had read was rolled back with it.
                    work.lock().await.history.go_to(place);
                    let _ = shutdown
                        .run_until_cancelled(tokio::time::sleep(pause))
                        .await;
                    pause = BACKOFF.1.min(pause * 2);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// One transaction: of growth, or the swap. Gives whether it was the swap.
    async fn go_on(
        &self,
        work: &Arc<Mutex<Work>>,
        shutdown: &CancellationToken,
    ) -> Result<bool, Error> {
        let ends = work.lock().await.history.ends().await?;
        let ahead = work.lock().await.history.behind(&ends);
        if ahead <= NEAR && !shutdown.is_cancelled() {
            self.swap(work).await?;
            return Ok(true);
        }
        self.grow(work, ends).await?;
        Ok(false)
    }

    async fn grow(&self, work: &Arc<Mutex<Work>>, ends: Offsets) -> Result<(), Error> {
        let work = work.clone();
        let batch = work.lock().await.history.read(&ends, BATCH).await?;
        self.store
            .transact(move |unit| {
                async move {
                    let work = work.lock().await;
                    work.attempt.fence(unit.db()).await?;
                    rebuilds::turn_to_growing(unit.db()).await?;
                    work.take(unit, &batch, &ends).await
                }
                .boxed()
            })
            .await
    }

    /// Holds up those who write, reads what has been said by then, and swaps.
    async fn swap(&self, work: &Arc<Mutex<Work>>) -> Result<(), Error> {
        let work = work.clone();
        self.store
            .transact(move |unit| {
                async move {
                    let mut work = work.lock().await;
                    work.attempt.fence(unit.db()).await?;
                    rebuilds::hold_up_writers(unit.db(), WRITERS).await?;
                    rebuilds::turn_to_growing(unit.db()).await?;
                    let ends = in_time(work.history.ends()).await?;
                    loop {
                        let batch = in_time(work.history.read(&ends, BATCH)).await?;
                        if batch.is_empty() {
                            break;
                        }
                        work.take(unit, &batch, &ends).await?;
                    }
                    rebuilds::swap(unit.db(), READERS).await?;
                    work.attempt.end(unit.db(), ambient::now(), None).await?;
                    tracing::info!(id = %work.attempt.rebuild_id, "the rebuilt view takes the place of the old one");
                    Ok(())
                }
                .boxed()
            })
            .await
    }
}

/// What the writers are held up for.
async fn in_time<T>(
    asked: impl Future<Output = Result<T, history::Error>> + Send,
) -> Result<T, Error> {
    Ok(timeout(WRITERS, asked).await.map_err(|_| Error::Slow)??)
}

impl Work {
    /// Folds a batch into the growing table.
    async fn take(
        &self,
        unit: &UnitOfWork,
        batch: &[Incoming],
        ends: &Offsets,
    ) -> Result<(), Error> {
        let mut world = self.folding.load(unit.db(), &[]).await?;
        let mut stamp = Stamp::live();
        let mut unreadable = 0;
        for incoming in batch {
            // What is no message of the contract was parked when it came; it tells a view nothing.
            let told = incoming.message().map(|message| {
                match self.folding.interest(&message.topic, &message.kind) {
                    Interest::Handle => {
                        self.folding.decide(&mut world, message, &mut stamp).is_ok()
                    }
                    Interest::Ignore => true,
                    Interest::Unknown => false,
                }
            });
            unreadable += i64::from(told != Some(true));
        }
        self.folding.save(unit.db(), world).await?;
        let progress = Progress {
            read: i64::try_from(batch.len()).unwrap_or(i64::MAX),
            unreadable,
            ahead: self.history.behind(ends),
        };
        Ok(self.attempt.note(unit.db(), progress).await?)
    }
}

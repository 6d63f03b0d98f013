//! Rebuilds the view: from the beginning of all topics, in another table, while the old one is read and grown; then the
//! new one takes its place, and readers notice nothing.
//!
//! Nothing is lost in the swap: those who write are held up for a moment, what has been said by then is read to its end,
//! and what they write afterwards goes into the new table. What is read twice changes nothing: the fold is idempotent.

use std::{convert::Infallible, sync::Arc, time::Duration};

use futures_util::FutureExt;
use messaging::{
    Handler, History, Incoming, Interest, Stamp, Store, UnitOfWork, Verdict,
    consumer::Settings,
    history::{self, Offsets},
    judge,
};
use sea_orm::DbErr;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::{
    messages::Folding,
    store::rebuilds::{self, Progress, Rebuild},
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
/// How long the swap waits for those who are writing or reading, before it lets go and tries again.
const PATIENCE: Duration = Duration::from_secs(2);
/// Before it tries again.
const PAUSE: Duration = Duration::from_millis(200);

/// Looks for rebuilds that are asked for, and does them. Instances share the work: one of them does it.
#[derive(Debug)]
pub struct Rebuilder {
    store: Store,
    consumer: Settings,
    folding: Folding,
}

/// Why a rebuild was not done. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The topics cannot be read.
    #[error(transparent)]
    History(#[from] history::Error),
    /// The database's error.
    #[error("the database failed: {0}")]
    Database(#[from] DbErr),
}

/// A rebuild under way.
struct Work {
    rebuild: Rebuild,
    history: History,
    by: String,
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

    /// Looks until `shutdown`. What fails is tried again.
    ///
    /// # Errors
    /// Never.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Infallible> {
        while !shutdown.is_cancelled() {
            if let Err(error) = self.look(&shutdown).await {
                tracing::warn!(%error, "a rebuild of the view begins again");
            }
            let pause = tokio::time::sleep(EVERY);
            if shutdown.run_until_cancelled(pause).await.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Does the rebuild that is asked for, if nobody else is at it. Gives whether there was one that it did.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn look(&self, shutdown: &CancellationToken) -> Result<bool, Error> {
        let by = &self.consumer.instance_id;
        let Some(rebuild) = rebuilds::claim(self.store.db(), by, CLAIM).await? else {
            return Ok(false);
        };
        tracing::info!(id = %rebuild.rebuild_id, by = rebuild.asked_by, why = rebuild.asked_why, "the view is rebuilt");
        let done = self.rebuild(rebuild, shutdown).await;
        if !matches!(done, Ok(true)) {
            rebuilds::give_back(self.store.db(), by).await?;
        }
        done
    }

    async fn rebuild(&self, rebuild: Rebuild, shutdown: &CancellationToken) -> Result<bool, Error> {
        let history = History::open(&self.consumer).await?;
        self.store
            .transact(|work| async move { rebuilds::plant(work.db()).await }.boxed())
            .await?;
        let id = rebuild.rebuild_id;
        let work = Arc::new(Mutex::new(Work {
            rebuild,
            history,
            by: self.consumer.instance_id.clone(),
        }));
        while !shutdown.is_cancelled() {
            let ends = work.lock().await.history.ends().await?;
            while !shutdown.is_cancelled() && self.grow(&work, &ends).await? {}
            let ends = work.lock().await.history.ends().await?;
            if work.lock().await.history.behind(&ends) <= NEAR && self.swap(&work).await? {
                tracing::info!(%id, "the rebuilt view takes the place of the old one");
                return Ok(true);
            }
            let _ = shutdown
                .run_until_cancelled(tokio::time::sleep(PAUSE))
                .await;
        }
        Ok(false)
    }

    /// One transaction of growth. Gives whether there was anything before `ends`.
    async fn grow(&self, work: &Arc<Mutex<Work>>, ends: &Offsets) -> Result<bool, Error> {
        let (work, folding, ends) = (work.clone(), self.folding.clone(), ends.clone());
        let batch = work.lock().await.history.read(&ends, BATCH).await?;
        if batch.is_empty() {
            return Ok(false);
        }
        self.store
            .transact::<_, Error, _>(move |unit| {
                async move {
                    rebuilds::turn_to_growing(unit.db()).await?;
                    work.lock().await.take(unit, &folding, &batch, &ends).await
                }
                .boxed()
            })
            .await?;
        Ok(true)
    }

    /// Holds up those who write, reads what has been said by then, and swaps. False: it was no moment for that.
    async fn swap(&self, work: &Arc<Mutex<Work>>) -> Result<bool, Error> {
        let before = work.lock().await.history.place().clone();
        let (shared, folding) = (work.clone(), self.folding.clone());
        let swapped = self
            .store
            .transact::<_, Error, _>(move |unit| {
                async move {
                    rebuilds::hold_up_writers(unit.db(), PATIENCE).await?;
                    rebuilds::turn_to_growing(unit.db()).await?;
                    let mut work = shared.lock().await;
                    let ends = work.history.ends().await?;
                    loop {
                        let batch = work.history.read(&ends, BATCH).await?;
                        if batch.is_empty() {
                            break;
                        }
                        work.take(unit, &folding, &batch, &ends).await?;
                    }
                    let id = work.rebuild.rebuild_id;
                    Ok(rebuilds::swap(unit.db(), id, ambient::now()).await?)
                }
                .boxed()
            })
            .await;
        match swapped {
            Ok(()) => Ok(true),
            Err(Error::Database(error)) if judge(&error) == Verdict::Wrong => Err(error.into()),
            Err(Error::History(error)) => Err(error.into()),
            Err(error) => {
                tracing::info!(%error, "the rebuilt view waits for another moment");
                work.lock().await.history.go_to(before)?;
                Ok(false)
            }
        }
    }
}

impl Work {
    /// Folds a batch into the growing table.
    async fn take(
        &self,
        unit: &UnitOfWork,
        folding: &Folding,
        batch: &[Incoming],
        ends: &Offsets,
    ) -> Result<(), Error> {
        let mut world = folding.load(unit.db(), &[]).await?;
        let mut stamp = Stamp::live();
        let mut unreadable = 0;
        for incoming in batch {
            // What is no message of the contract was parked when it came; it tells a view nothing.
            let told = incoming.message().map(|message| {
                match folding.interest(&message.topic, &message.kind) {
                    Interest::Handle => folding.decide(&mut world, message, &mut stamp).is_ok(),
                    Interest::Ignore => true,
                    Interest::Unknown => false,
                }
            });
            unreadable += i64::from(told != Some(true));
        }
        folding.save(unit.db(), world).await?;
        let progress = Progress {
            rebuild_id: self.rebuild.rebuild_id,
            by: self.by.clone(),
            lasts: CLAIM,
            read: i64::try_from(batch.len()).unwrap_or(i64::MAX),
            unreadable,
            ahead: self.history.behind(ends),
        };
        Ok(rebuilds::note(unit.db(), &progress).await?)
    }
}

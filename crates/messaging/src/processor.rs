//! Handles a batch in one transaction: deduplicate, load, decide, save, answer, remember.

mod batch;
mod replay;

use std::{collections::HashSet, ops::Range, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::{DatabaseTransaction, DbErr};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Fault, Handler, Incoming, Interest, Store, UnitOfWork, Verdict, judge, parking::Condemned,
    retention::Horizon,
};
use batch::handle;
pub use replay::Replays;

/// How often a message may fail, and how the database is waited for.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How often a message is tried alone before it is parked.
    pub attempts: u32,
    /// The pause before a message is tried again; doubled each time.
    pub pause: Duration,
    /// The longest pause between two looks at a database that is away.
    pub patience: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            attempts: 3,
            pause: Duration::from_millis(10),
            patience: Duration::from_secs(1),
        }
    }
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Handled for the first time.
    pub handled: usize,
    /// Handled before, and answered again where there was an answer; or parked before.
    pub duplicates: usize,
    /// Parked: failed, or waiting behind a failed one.
    pub parked: usize,
    /// Passed over: about what is so old that its row was removed, see [`Horizon`].
    pub aged: usize,
}

/// The process is to stop while the database is away: the batch is not done, its offsets must not be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped while the database was away")]
pub struct Stopped;

/// Gives batches to a [`Handler`]. Needs no Kafka, so a test can hand it messages.
#[derive(Debug)]
pub struct Processor<H> {
    store: Store,
    handler: Arc<H>,
    consumer: Arc<str>,
    policy: Policy,
    horizon: Option<Horizon>,
}

/// Why a piece of a batch was rolled back.
enum Failure {
    Database(DbErr),
    Fault(Fault),
}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Failure {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Database(error) => judge(error),
            Self::Fault(_) => Verdict::Wrong,
        }
    }

    fn reason(&self) -> String {
        match self {
            Self::Database(error) => error.to_string(),
            Self::Fault(fault) => fault.to_string(),
        }
    }
}

impl<H: Handler> Processor<H> {
    /// `consumer` names the group in the tables `inbox` and `parked`.
    pub fn new(store: Store, consumer: &str, handler: H) -> Self {
        Self {
            store,
            handler: Arc::new(handler),
            consumer: consumer.into(),
            policy: Policy::default(),
            horizon: None,
        }
    }

    /// The same with another policy.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// The same where rows are removed when they have ended, see [`Finished`](crate::retention::Finished): messages about what is
    /// behind `horizon`, and has no row, are passed over. For messages about anything younger nobody is asked.
    #[must_use]
    pub fn behind(self, horizon: Horizon) -> Self {
        Self {
            horizon: Some(horizon),
            ..self
        }
    }

    /// The database that it works on.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Handles `batch`, records of some partitions, those of each in their order, to its end.
    ///
    /// All of it is one transaction. Where that fails, halves are tried, until the culprit is alone; it is tried a
    /// bounded number of times and then parked, and later messages of its key are parked behind it. A database
    /// that is away is no failure: it is waited for.
    ///
    /// # Errors
    /// [`Stopped`] when `shutdown` comes while the database is away.
    pub async fn process(
        &self,
        batch: Vec<Incoming>,
        shutdown: &CancellationToken,
    ) -> Result<Report, Stopped> {
        let batch: Arc<[Incoming]> = batch
            .into_iter()
            .filter(|incoming| {
                let message = incoming.message();
                message.is_none_or(|message| self.concerns(&message.topic, &message.kind))
            })
            .collect();
        let mut report = Report::default();
        #[expect(
            clippy::single_range_in_vec_init,
            reason = "a stack of pieces that begins with the whole"
        )]
        let mut pieces = vec![0..batch.len()];
        while let Some(piece) = pieces.pop().filter(|piece| !piece.is_empty()) {
            let attempt = || self.attempt(batch.clone(), piece.clone(), None);
            match self.insist(shutdown, attempt).await? {
                Ok(done) => report += done,
                Err(_) if piece.len() > 1 => {
                    let middle = piece.start + piece.len() / 2;
                    pieces.push(middle..piece.end);
                    pieces.push(piece.start..middle);
                }
                Err(reason) => {
                    report += match self.try_again(shutdown, reason, attempt).await? {
                        Ok(done) => done,
                        Err(reason) => self.park(&batch, piece, reason, shutdown).await?,
                    };
                }
            }
        }
        Ok(report)
    }

    /// Whether messages of `kind` on `topic` (without prefix) are handled here, or are unknown and so parked.
    pub(crate) fn concerns(&self, topic: &str, kind: &str) -> bool {
        self.handler.interest(topic, kind) != Interest::Ignore
    }

    /// Tries again what has failed once with `reason`, until it works or has failed as often as the policy allows. The inner
    /// error is why it failed the last time.
    async fn try_again<T, F>(
        &self,
        shutdown: &CancellationToken,
        mut reason: String,
        attempt: impl Fn() -> F,
    ) -> Result<Result<T, String>, Stopped>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut pause = self.policy.pause;
        for _ in 1..self.policy.attempts {
            tokio::time::sleep(pause).await;
            pause *= 2;
            match self.insist(shutdown, &attempt).await? {
                Ok(done) => return Ok(Ok(done)),
                Err(again) => reason = again,
            }
        }
        Ok(Err(reason))
    }

    /// Parks the message at `piece`, which has failed too often.
    async fn park(
        &self,
        batch: &Arc<[Incoming]>,
        piece: Range<usize>,
        mut reason: String,
        shutdown: &CancellationToken,
    ) -> Result<Report, Stopped> {
        loop {
            let condemned = Condemned::new(&reason, self.policy.attempts);
            let parking = || self.attempt(batch.clone(), piece.clone(), Some(condemned.clone()));
            // A message may only be left behind once it is safely parked. Where not even that works, it need not be
            // the message that is wrong: it gets another chance.
            let error = match self.insist(shutdown, parking).await? {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            tracing::error!(consumer = %self.consumer, error, "a message cannot be parked; the partition waits");
            self.wait(self.policy.patience, shutdown).await?;
            let again = || self.attempt(batch.clone(), piece.clone(), None);
            match self.insist(shutdown, again).await? {
                Ok(done) => return Ok(done),
                Err(again) => reason = again,
            }
        }
    }

    /// One transaction, as often as it takes while the database is away or somebody else is at the same rows. The inner
    /// error is why the work itself failed.
    async fn insist<T, F>(
        &self,
        shutdown: &CancellationToken,
        attempt: impl Fn() -> F,
    ) -> Result<Result<T, String>, Stopped>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut pause = self.policy.pause;
        loop {
            let failure = match attempt().await {
                Ok(done) => return Ok(Ok(done)),
                Err(failure) => failure,
            };
            match failure.verdict() {
                Verdict::Wrong => return Ok(Err(failure.reason())),
                Verdict::Conflict => {
                    tracing::debug!(consumer = %self.consumer, reason = failure.reason(), "conflict; again");
                }
                Verdict::Away => {
                    tracing::warn!(consumer = %self.consumer, reason = failure.reason(), "the database is away; waiting");
                    metrics::counter!("consumer_waits_total", "consumer" => self.consumer.to_string()).increment(1);
                }
            }
            self.wait(pause, shutdown).await?;
            pause = (pause * 2).min(self.policy.patience);
        }
    }

    async fn wait(&self, pause: Duration, shutdown: &CancellationToken) -> Result<(), Stopped> {
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = shutdown.cancelled() => Err(Stopped),
        }
    }

    async fn attempt(
        &self,
        batch: Arc<[Incoming]>,
        piece: Range<usize>,
        condemned: Option<Condemned>,
    ) -> Result<Report, Failure> {
        let party = self.party();
        let work = self.transact(move |work| {
            async move { handle(work, &party, &batch[piece], condemned).await }.boxed()
        });
        let report = work.await?;
        self.count(&report);
        Ok(report)
    }

    /// One transaction of the handler's. A panic in it is a fault; when it is committed, the handler learns its effects.
    async fn transact<T, F>(&self, work: F) -> Result<T, Failure>
    where
        F: for<'w> FnOnce(
                &'w mut UnitOfWork,
            ) -> BoxFuture<'w, Result<(T, Option<H::Effects>), Failure>>
            + Send
            + 'static,
        T: Send + 'static,
    {
        let work = AssertUnwindSafe(self.store.transact(work)).catch_unwind();
        let (done, effects) = work.await.unwrap_or_else(|panic| {
            let fault = format!("the handler panicked: {}", describe(&*panic));
            Err(Fault::new(fault).into())
        })?;
        if let Some(effects) = effects {
            self.handler.committed(effects);
        }
        Ok(done)
    }

    fn count(&self, report: &Report) {
        let count = |outcome: &'static str, messages: usize| {
            if messages > 0 {
                metrics::counter!("consumer_messages_total", "consumer" => self.consumer.to_string(), "outcome" => outcome)
                    .increment(messages as u64);
            }
        };
        count("handled", report.handled);
        count("duplicate", report.duplicates);
        count("parked", report.parked);
        count("aged", report.aged);
    }

    fn party(&self) -> Party<H> {
        Party {
            handler: self.handler.clone(),
            consumer: self.consumer.clone(),
            horizon: self.horizon.clone(),
        }
    }
}

/// Who handles messages, inside of a transaction.
struct Party<H> {
    handler: Arc<H>,
    consumer: Arc<str>,
    horizon: Option<Horizon>,
}

impl<H> Party<H> {
    /// Those of `keys` about which nothing can be handled any more.
    async fn gone(
        &self,
        db: &DatabaseTransaction,
        keys: impl Iterator<Item = Uuid>,
    ) -> Result<HashSet<Uuid>, DbErr> {
        match &self.horizon {
            Some(horizon) => horizon.gone(db, keys).await,
            None => Ok(HashSet::new()),
        }
    }
}

impl std::ops::AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.handled += other.handled;
        self.duplicates += other.duplicates;
        self.parked += other.parked;
        self.aged += other.aged;
    }
}

fn describe(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

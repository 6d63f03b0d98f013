//! Makes the calls to the gateway that commands have opened, and commits what it answers.
//!
//! An open call is a row of `payments`, claimed for a while by one instance. So it survives every crash, and the same
//! key at the gateway makes it harmless to make it again:
//!
//! - [`Handoff`]: the instance that committed the intent has claimed it in the same statement, and makes the call at
//!   once, without asking the database.
//! - `rescue`: calls whose claim has lapsed, because the instance is gone or the gateway did not answer, are
//!   claimed by any instance.
//! - `commit`: answers are committed in batches, each only if its call is still open.

mod call;
mod commit;
mod handoff;
mod rescue;

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use messaging::Store;
use sea_orm::DbErr;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::{
    gateway::Gateway,
    store::{self, Claim, Pause},
};
pub use call::ask;
pub use handoff::{Handoff, Job};

/// How calls are made.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The instance that makes them: the same after each of its restarts, different from all others.
    pub instance: String,
    /// How long a call may take.
    pub patience: Duration,
    /// How many are made at once.
    pub calls: usize,
}

impl Settings {
    /// How this instance claims calls. A claim outlasts its call: waiting for a place (half of the patience at most),
    /// the call itself, and the commit of its answer.
    #[must_use]
    pub fn claim(&self) -> Claim {
        Claim {
            by: self.instance.clone(),
            lasts: self.patience * 2,
        }
    }

    fn longest_wait(&self) -> Duration {
        self.patience / 2
    }
}

/// How long a call rests that found no answer.
const PAUSE: Pause = Pause {
    first: Duration::from_millis(250),
    longest: Duration::from_secs(5),
};

/// Makes calls and commits their answers.
pub struct Worker {
    store: Store,
    gateway: Arc<dyn Gateway>,
    settings: Settings,
    handoff: Handoff,
    jobs: mpsc::Receiver<Job>,
}

/// What the parts of a running worker share.
struct Shared {
    store: Store,
    gateway: Arc<dyn Gateway>,
    settings: Settings,
    claim: Claim,
    handoff: Handoff,
    /// One for each call that may be under way; held until its answer is committed.
    places: Arc<Semaphore>,
    status: Status,
    shutdown: CancellationToken,
}

/// So many calls in a row without an answer, and the gateway counts as away. One alone may have been lost.
const AWAY_AFTER: u32 = 4;

/// Whether the gateway answers: counts the calls in a row that found no answer. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Status(Arc<AtomicU32>);

impl Status {
    /// Whether the gateway answers.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.0.load(Ordering::Relaxed) < AWAY_AFTER
    }

    /// Counts a call. Tells when the gateway goes away and comes back, once each.
    fn count(&self, answered: bool) {
        let before = match answered {
            true => self.0.swap(0, Ordering::Relaxed),
            false => self.0.fetch_add(1, Ordering::Relaxed),
        };
        if answered && before >= AWAY_AFTER {
            tracing::info!("the gateway answers again");
        }
        if !answered && before + 1 == AWAY_AFTER {
            tracing::warn!("the gateway does not answer; calls wait for it");
        }
    }
}

impl Worker {
    /// A worker, which does nothing until it [runs](Self::run).
    #[must_use]
    pub fn new(store: Store, gateway: Arc<dyn Gateway>, settings: Settings) -> Self {
        let (handoff, jobs) = Handoff::new();
        Self {
            store,
            gateway,
            settings,
            handoff,
            jobs,
        }
    }

    /// Where calls that this instance has claimed are handed over.
    #[must_use]
    pub fn handoff(&self) -> Handoff {
        self.handoff.clone()
    }

    /// Lets the calls that an earlier life of this instance had claimed be made again at once. Before the first claim of this
    /// life, or it would make its own calls twice.
    ///
    /// # Errors
    /// The database's.
    pub async fn adopt(&self) -> Result<(), DbErr> {
        store::adopt(self.store.db(), &self.settings.claim()).await?;
        Ok(())
    }

    /// Works until `shutdown`; then finishes the calls that are under way. `status` is told how the gateway is.
    ///
    /// # Errors
    /// Never: a gateway or a database that is away is waited for.
    pub async fn run(self, status: Status, shutdown: CancellationToken) -> Result<(), Infallible> {
        let shared = Shared {
            store: self.store,
            gateway: self.gateway,
            claim: self.settings.claim(),
            places: Arc::new(Semaphore::new(self.settings.calls)),
            settings: self.settings,
            handoff: self.handoff,
            status,
            shutdown,
        };
        let (told, answers) = mpsc::unbounded_channel();
        tokio::join!(
            shared.make_calls(self.jobs, told),
            shared.commit_answers(answers),
            shared.rescue(),
        );
        Ok(())
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

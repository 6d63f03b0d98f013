//! Handles parked messages when an operator has asked for it, see [`crate::parking`].

use std::{collections::HashSet, ops::AddAssign, time::Duration};

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use super::{
    Failure, Party, Processor, Stopped,
    batch::{decide, unknown},
};
use crate::{
    Fault, Handler, Incoming, Interest, Message, Stamp, UnitOfWork, Verdict, inbox, judge,
    parking::{self, Condemned, Request, Turn},
};

/// How often it is looked whether a replay was asked for.
const LOOK: Duration = Duration::from_secs(1);
/// Every so many looks it is counted how much is parked.
const COUNT: usize = 15;

/// What came of replays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replays {
    /// Messages that were handled, and are not parked any more.
    pub replayed: usize,
    /// Messages that failed again, and stay.
    pub failed: usize,
}

impl<H: Handler> Processor<H> {
    /// Replays what was asked for: the lines in turns, a message of each, until every line is done or has failed. Several
    /// instances share the lines.
    ///
    /// Each message has a transaction of its own, which does what that of a batch does, and takes the message out of its
    /// line. One that fails is tried as often as in a batch, and then stays where it is with its new reason.
    ///
    /// # Errors
    /// [`Stopped`] when `shutdown` comes while the database is away.
    pub async fn replay(&self, shutdown: &CancellationToken) -> Result<Replays, Stopped> {
        let mut done = Replays::default();
        loop {
            let before = done;
            for turn in self.turns().await {
                if shutdown.is_cancelled() {
                    break;
                }
                done += self.take(turn, shutdown).await?;
            }
            if done == before {
                return Ok(done);
            }
        }
    }

    /// Looks for what is to be replayed, and tells how much is parked, again and again until `shutdown`.
    pub(crate) async fn watch(&self, shutdown: &CancellationToken) {
        for look in (0..COUNT).cycle() {
            let Ok(replays) = self.replay(shutdown).await else {
                return;
            };
            if look == 0 || replays != Replays::default() {
                self.gauge().await;
            }
            let pause = tokio::time::sleep(LOOK);
            if shutdown.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    }

    /// A database that is away is not waited for: there is another look soon.
    async fn turns(&self) -> Vec<Turn> {
        let turns = parking::turns(self.store.db(), &self.consumer).await;
        turns.unwrap_or_else(|error| {
            match judge(&error) {
                Verdict::Wrong => {
                    tracing::error!(consumer = %self.consumer, %error, "replays cannot be looked for");
                }
                Verdict::Away | Verdict::Conflict => {
                    tracing::debug!(consumer = %self.consumer, %error, "no look for replays; again soon");
                }
            }
            Vec::new()
        })
    }

    async fn gauge(&self) {
        match parking::size(self.store.db(), &self.consumer).await {
            Ok((messages, keys)) => {
                let gauge = |name: &'static str, value: i64| {
                    metrics::gauge!(name, "consumer" => self.consumer.to_string())
                        .set(value as f64);
                };
                gauge("consumer_parked_messages", messages);
                gauge("consumer_parked_keys", keys);
            }
            Err(error) => {
                tracing::debug!(consumer = %self.consumer, %error, "parked messages were not counted");
            }
        }
    }

    async fn take(&self, turn: Turn, shutdown: &CancellationToken) -> Result<Replays, Stopped> {
        let attempt = || self.attempt_replay(turn.clone());
        let outcome = match self.insist(shutdown, attempt).await? {
            Err(reason) => self.try_again(shutdown, reason, attempt).await?,
            done => done,
        };
        let replays = match outcome {
            Ok(None) => Replays::default(),
            Ok(Some(Request { by, why, .. })) => {
                tracing::info!(consumer = %self.consumer, line = turn.line, id = ?turn.id, by, why, "a parked message was replayed");
                Replays {
                    replayed: 1,
                    failed: 0,
                }
            }
            Err(reason) => Replays {
                replayed: 0,
                failed: self.fail(&turn, &reason, shutdown).await?.into(),
            },
        };
        self.count_replays(replays);
        Ok(replays)
    }

    /// Says who asked for it, if it was still to be done.
    async fn attempt_replay(&self, turn: Turn) -> Result<Option<Request>, Failure> {
        let party = self.party();
        self.transact(move |work| async move { replay(work, &party, &turn).await }.boxed())
            .await
    }

    /// Notes that a message has failed again. Says whether it was this process that noted it: another one may have tried, too.
    async fn fail(
        &self,
        turn: &Turn,
        reason: &str,
        shutdown: &CancellationToken,
    ) -> Result<bool, Stopped> {
        let condemned = Condemned::new(reason, self.policy.attempts);
        let attempt = || {
            let (consumer, turn) = (self.consumer.clone(), turn.clone());
            let condemned = condemned.clone();
            self.transact(move |work| {
                async move { Ok((note(work, &consumer, &turn, &condemned).await?, None)) }.boxed()
            })
        };
        let noted = self.insist(shutdown, attempt).await?;
        let reason = condemned.reason();
        match &noted {
            Ok(true) => {
                tracing::error!(consumer = %self.consumer, line = turn.line, id = ?turn.id, reason, "a replayed message has failed again; its key waits");
            }
            Ok(false) => {}
            Err(error) => {
                tracing::error!(consumer = %self.consumer, line = turn.line, id = ?turn.id, reason, error, "a replay failed, which could not be noted; again soon");
            }
        }
        Ok(noted.unwrap_or(false))
    }

    fn count_replays(&self, replays: Replays) {
        for (outcome, messages) in [("replayed", replays.replayed), ("failed", replays.failed)] {
            if messages > 0 {
                metrics::counter!("consumer_replays_total", "consumer" => self.consumer.to_string(), "outcome" => outcome)
                    .increment(messages as u64);
            }
        }
    }
}

async fn replay<H: Handler>(
    work: &mut UnitOfWork,
    party: &Party<H>,
    turn: &Turn,
) -> Result<(Option<Request>, Option<H::Effects>), Failure> {
    let consumer = &*party.consumer;
    let Some(first) = parking::first(work.db(), consumer, turn).await? else {
        return Ok((None, None));
    };
    let mut stamp = Stamp::live();
    let effects = match &first.incoming {
        Incoming::Readable(message, _) => handle(work, party, message, &mut stamp).await?,
        Incoming::Broken(_, reason) => return Err(Fault::new(reason).into()),
    };
    parking::leave(work.db(), consumer, &first, stamp.now).await?;
    Ok((Some(first.request), effects))
}

/// What happens to a message in a batch.
async fn handle<H: Handler>(
    work: &mut UnitOfWork,
    party: &Party<H>,
    message: &Message,
    stamp: &mut Stamp,
) -> Result<Option<H::Effects>, Failure> {
    let (handler, consumer) = (&*party.handler, &*party.consumer);
    let mut known = inbox::look_up(work.db(), consumer, &[message], HashSet::new()).await?;
    if let Some(replies) = known.seen.remove(&message.id) {
        work.publish_all(replies);
        return Ok(None);
    }
    let key = std::iter::once(message.key);
    if !party.gone(work.db(), key).await?.is_empty() {
        return Ok(None);
    }
    if let Some(condemned) = unknown(handler, message) {
        return Err(Fault::new(condemned.reason()).into());
    }
    // A version of the service may have come that knows whom it is for.
    if handler.interest(&message.topic, &message.kind) == Interest::Ignore {
        return Ok(None);
    }
    let fresh = std::slice::from_ref(message);
    decide(work, handler, consumer, fresh, stamp)
        .await
        .map(Some)
}

/// Whoever fails for the first time, having waited until now, is announced like everybody who fails.
async fn note(
    work: &mut UnitOfWork,
    consumer: &str,
    turn: &Turn,
    condemned: &Condemned,
) -> Result<bool, Failure> {
    let Some(first) = parking::first(work.db(), consumer, turn).await? else {
        return Ok(false);
    };
    let mut stamp = Stamp::live();
    parking::failed(work.db(), consumer, &first, condemned, stamp.now).await?;
    if first.attempts == 0 {
        let copy = parking::copy(consumer, first.id, &first.incoming, condemned, &mut stamp);
        work.publish(copy);
    }
    Ok(true)
}

impl AddAssign for Replays {
    fn add_assign(&mut self, other: Self) {
        self.replayed += other.replayed;
        self.failed += other.failed;
    }
}

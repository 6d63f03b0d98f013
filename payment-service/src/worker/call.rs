//! Makes calls: many at once, one per order.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use contracts::OrderId;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    task::JoinSet,
};

use super::{Job, Shared, Status};
use crate::{
    domain::{Command, Intent, Outcome, Payment, Secret},
    gateway::{Authorised, Failure, Gateway, Hold, Key},
};

/// What a call came to.
pub(super) struct Told {
    pub(super) job: Job,
    /// The command that the call was about.
    pub(super) call: Command,
    pub(super) outcome: Result<Outcome, Failure>,
    /// Given back when the answer is committed: so what is under way is bounded from end to end.
    pub(super) _place: OwnedSemaphorePermit,
}

impl Told {
    pub(super) fn order(&self) -> OrderId {
        self.job.row.payment.order_id
    }
}

impl Shared {
    /// Makes the calls that are handed over, until shutdown; then waits for those under way.
    pub(super) async fn make_calls(
        &self,
        mut jobs: mpsc::Receiver<Job>,
        told: mpsc::UnboundedSender<Told>,
    ) {
        let mut calls = JoinSet::new();
        while let Some((job, place)) = self.next(&mut jobs).await {
            while calls.try_join_next().is_some() {}
            let Some(call) = job.row.payment.call else {
                continue;
            };
            if job.waited() > self.settings.longest_wait() {
                // Its claim might lapse during the call: it is left to whoever claims it next.
                metrics::counter!("gateway_calls_left_total").increment(1);
                continue;
            }
            let gateway = self.gateway.clone();
            let (told, patience, status) =
                (told.clone(), self.settings.patience, self.status.clone());
            calls.spawn(async move {
                let outcome = make(&*gateway, &job, call, patience).await;
                observe(&job, &outcome, &status);
                // Nobody listens only when the worker itself is gone.
                let _ = told.send(Told {
                    job,
                    call,
                    outcome,
                    _place: place,
                });
            });
        }
        while calls.join_next().await.is_some() {}
    }

    /// A call and the place for it; nothing at shutdown.
    async fn next(&self, jobs: &mut mpsc::Receiver<Job>) -> Option<(Job, OwnedSemaphorePermit)> {
        let next = async {
            let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
            Some((jobs.recv().await?, place))
        };
        tokio::select! {
            next = next => next,
            () = self.shutdown.cancelled() => None,
        }
    }
}

/// Makes one call, within `patience`.
async fn make(
    gateway: &dyn Gateway,
    job: &Job,
    call: Command,
    patience: Duration,
) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let outcome = tokio::time::timeout(
        patience,
        ask(gateway, &job.row.payment, job.token.as_ref(), call),
    )
    .await;
    metrics::histogram!("gateway_call_duration_seconds", "call" => call.intent.as_str())
        .record(started.elapsed().as_secs_f64());
    outcome.unwrap_or_else(|_| Err(Failure::Away(format!("no answer within {patience:?}"))))
}

/// Asks the gateway about `call`, the open call of `payment`, under a key that is the same whenever it is asked again.
/// `token` stands for the card, where the call needs it.
///
/// # Errors
/// Whether it had an effect is unknown then: it is to be asked again.
pub async fn ask(
    gateway: &dyn Gateway,
    payment: &Payment,
    token: Option<&Secret>,
    call: Command,
) -> Result<Outcome, Failure> {
    let key = Key {
        text: format!("{}-{}", payment.order_id, call.intent.as_str()),
        trace: call.trace,
    };
    let authorisation = || {
        let authorisation = payment.authorisation.as_deref();
        authorisation.ok_or_else(|| Failure::Unusable("the payment names no hold".to_owned()))
    };
    match call.intent {
        Intent::Authorise => {
            let hold = hold(payment, token)
                .ok_or_else(|| Failure::Unusable("the payment names no card".to_owned()))?;
            Ok(match gateway.authorise(&key, &hold).await? {
                Authorised::Approved(authorisation) => Outcome::Held(authorisation),
                Authorised::Declined(reason) => Outcome::Refused(reason),
            })
        }
        Intent::Capture => {
            gateway.capture(&key, authorisation()?).await?;
            Ok(Outcome::Done)
        }
        Intent::Void => {
            gateway.void(&key, authorisation()?).await?;
            Ok(Outcome::Done)
        }
        Intent::Refund => {
            gateway.refund(&key, authorisation()?).await?;
            Ok(Outcome::Done)
        }
    }
}

fn hold(payment: &Payment, token: Option<&Secret>) -> Option<Hold> {
    Some(Hold {
        token: token?.clone(),
        amount: payment.terms?.amount,
        reference: payment.order_id,
    })
}

fn observe(job: &Job, outcome: &Result<Outcome, Failure>, status: &Status) {
    let order = job.row.payment.order_id;
    status.count(!matches!(outcome, Err(Failure::Away(_))));
    match outcome {
        Ok(_) => {}
        Err(error @ Failure::Away(_)) => tracing::debug!(%order, %error, "the call waits"),
        Err(error @ Failure::Unusable(_)) => {
            tracing::error!(%order, %error, "the call is made again; somebody should look");
        }
    }
}

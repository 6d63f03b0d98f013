//! Commits what the gateway has answered: as many answers at once as there are, each only if its call is still open.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use contracts::OrderId;
use futures_util::FutureExt;
use messaging::{Outgoing, Stamp, Store, UnitOfWork, Verdict, judge};
use sea_orm::DbErr;
use tokio::sync::mpsc;

use super::{Job, PAUSE, Shared, call::Told};
use crate::{
    domain::{Answer, Unsettled},
    messages::write_reply,
    store::{self, Claim, Row},
};

/// The most answers of one transaction.
const BATCH: usize = 256;
/// How often a database that is away is asked again.
const PATIENCE: Duration = Duration::from_millis(250);

/// A payment with an answer of the gateway taken in, and what it says now.
struct Settled {
    row: Row,
    answers: Vec<Answer>,
}

impl Shared {
    /// Commits answers for as long as calls are made.
    pub(super) async fn commit_answers(&self, mut told: mpsc::UnboundedReceiver<Told>) {
        let mut batch = Vec::new();
        while told.recv_many(&mut batch, BATCH).await > 0 {
            let batch: Arc<[Arc<Told>]> = batch.drain(..).map(Arc::new).collect();
            if let Err(error) = self.insist(batch.clone()).await {
                tracing::error!(%error, answers = batch.len(), "answers cannot be committed together");
                self.commit_one_by_one(&batch).await;
            }
        }
    }

    /// The one that cannot be committed must not hold back the others. Its call is made again when its claim lapses.
    async fn commit_one_by_one(&self, batch: &[Arc<Told>]) {
        for told in batch {
            if let Err(error) = self.insist([told.clone()].into()).await {
                tracing::error!(order = %told.order(), %error, "an answer cannot be committed");
            }
        }
    }

    /// Commits a batch, as often as it takes while the database is away or somebody else is at the same rows.
    async fn insist(&self, batch: Arc<[Arc<Told>]>) -> Result<(), DbErr> {
        loop {
            match commit(&self.store, batch.clone(), self.claim.clone()).await {
                Ok(jobs) => {
                    jobs.into_iter().for_each(|job| self.handoff.give(job));
                    return Ok(());
                }
                Err(error) if judge(&error) == Verdict::Wrong => return Err(error),
                Err(error) => tracing::debug!(%error, "answers wait for the database"),
            }
            tokio::select! {
                () = tokio::time::sleep(PATIENCE) => {}
                // What is not committed is asked again after the restart.
                () = self.shutdown.cancelled() => return Ok(()),
            }
        }
    }
}

/// One transaction for a batch. Gives the calls that follow from the answers.
async fn commit(store: &Store, batch: Arc<[Arc<Told>]>, claim: Claim) -> Result<Vec<Job>, DbErr> {
    store
        .transact(move |work| record(work, batch, claim).boxed())
        .await
}

async fn record(
    work: &mut UnitOfWork,
    batch: Arc<[Arc<Told>]>,
    claim: Claim,
) -> Result<Vec<Job>, DbErr> {
    let told = one_per_order(&batch);
    let mut stamp = Stamp::live();
    let called = told.values().map(|told| told.job.row.clone());
    let (mut settled, overtaken) = save(work, called, &told, &claim, &mut stamp).await?;
    if !overtaken.is_empty() {
        // A command has come since the call began, or somebody else was faster.
        let wanted: Vec<_> = overtaken.into_iter().map(|order| (order, None)).collect();
        let locked = store::load(work.db(), &wanted).await?.payments;
        let (rest, _) = save(work, locked.into_values(), &told, &claim, &mut stamp).await?;
        settled.extend(rest);
    }
    let replies = replies(&settled)?;
    work.publish_all(replies);
    let unanswered: Vec<_> = told
        .values()
        .filter(|told| told.outcome.is_err())
        .map(|told| (told.order(), told.call.id))
        .collect();
    store::postpone(work.db(), &unanswered, PAUSE).await?;
    let opened = settled
        .into_iter()
        .filter(|settled| settled.row.opened().is_some());
    Ok(opened
        .map(|settled| Job::new(settled.row.saved(), None))
        .collect())
}

/// One answer per order: a second one can only be to the same call, which was made twice. One that tells something counts.
fn one_per_order(batch: &[Arc<Told>]) -> HashMap<OrderId, &Told> {
    let mut one: HashMap<OrderId, &Told> = HashMap::with_capacity(batch.len());
    for told in batch {
        let known = one.entry(told.order()).or_insert(told);
        if known.outcome.is_err() {
            *known = told;
        }
    }
    one
}

/// Takes the answers into `rows` and saves them. Gives those that were saved, and the orders of those that are not as
/// they were any more.
async fn save(
    work: &UnitOfWork,
    rows: impl Iterator<Item = Row>,
    told: &HashMap<OrderId, &Told>,
    claim: &Claim,
    stamp: &mut Stamp,
) -> Result<(Vec<Settled>, HashSet<OrderId>), DbErr> {
    let mut settled: Vec<Settled> = rows.filter_map(|row| settle(row, told, stamp)).collect();
    settled.sort_by_key(|settled| settled.row.payment.order_id);
    let rows: Vec<Row> = settled.iter().map(|settled| settled.row.clone()).collect();
    let saved = store::save(work.db(), &rows, claim).await?;
    let mut overtaken = HashSet::new();
    settled.retain(|settled| {
        let order = settled.row.payment.order_id;
        saved.contains(&order) || !overtaken.insert(order)
    });
    Ok((settled, overtaken))
}

/// A payment with its answer; nothing where there is none, or where it does not count any more.
fn settle(mut row: Row, told: &HashMap<OrderId, &Told>, stamp: &mut Stamp) -> Option<Settled> {
    let order = row.payment.order_id;
    let told = told.get(&order)?;
    let outcome = told.outcome.as_ref().ok()?.clone();
    match row.payment.settle(told.call.id, outcome, stamp) {
        Ok(answers) => Some(Settled { row, answers }),
        Err(Unsettled::NotOpen) => None,
        Err(error) => {
            tracing::error!(%order, %error, "an answer of the gateway does not count");
            None
        }
    }
}

fn replies(settled: &[Settled]) -> Result<Vec<Outgoing>, DbErr> {
    settled
        .iter()
        .flat_map(|settled| {
            let payment = &settled.row.payment;
            settled
                .answers
                .iter()
                .map(|answer| write_reply(payment, answer))
        })
        .collect::<Result<_, _>>()
        .map_err(|fault| DbErr::Custom(fault.to_string()))
}

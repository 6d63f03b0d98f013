//! What happens inside the transaction of a batch.

use std::collections::HashSet;

use super::{Failure, Report};
use crate::{
    Handler, Incoming, Interest, Message, Outgoing, Stamp, UnitOfWork,
    inbox::{self, Handled, Known},
    parking::{self, Parked},
};

/// A message that has failed too often, and is to be parked now.
#[derive(Debug, Clone)]
pub(super) struct Condemned {
    pub(super) reason: String,
    pub(super) attempts: u32,
}

/// A batch, sorted by what has to be done.
#[derive(Default)]
struct Sorted<'a> {
    fresh: Vec<Message>,
    again: Vec<Outgoing>,
    duplicates: usize,
    parked: Vec<Parked<'a>>,
}

pub(super) async fn handle<H: Handler>(
    work: &mut UnitOfWork,
    handler: &H,
    consumer: &str,
    batch: &[Incoming],
    condemned: Option<Condemned>,
) -> Result<(Report, Option<H::Effects>), Failure> {
    let mut stamp = Stamp::live();
    let messages: Vec<&Message> = batch.iter().filter_map(Incoming::message).collect();
    let keys: HashSet<String> = batch
        .iter()
        .filter_map(|incoming| incoming.raw().key.clone())
        .collect();
    let known = inbox::look_up(work.db(), consumer, &messages, keys).await?;
    let reject = |incoming: &Incoming| match (&condemned, incoming) {
        (Some(condemned), _) => Some(condemned.clone()),
        (None, Incoming::Broken(_, reason)) => Some(Condemned {
            reason: reason.clone(),
            attempts: 1,
        }),
        (None, Incoming::Readable(message, _)) => unknown(handler, message),
    };
    let sorted = sort(batch, known, reject, &mut stamp);

    if !sorted.parked.is_empty() {
        parking::park(work.db(), consumer, &sorted.parked, stamp.now).await?;
        for parked in sorted
            .parked
            .iter()
            .filter(|parked| parked.waits_behind.is_none())
        {
            tracing::error!(
                consumer,
                topic = parked.incoming.raw().topic,
                offset = parked.incoming.raw().offset,
                key = parked.incoming.raw().key,
                reason = parked.reason,
                "a message is parked; its key waits"
            );
            work.publish(parking::copy(consumer, parked, &mut stamp));
        }
    }
    work.publish_all(sorted.again);

    let report = Report {
        handled: sorted.fresh.len(),
        duplicates: sorted.duplicates,
        parked: sorted.parked.len(),
    };
    let effects = match sorted.fresh.is_empty() {
        true => None,
        false => Some(decide(work, handler, consumer, &sorted.fresh, &mut stamp).await?),
    };
    Ok((report, effects))
}

fn unknown<H: Handler>(handler: &H, message: &Message) -> Option<Condemned> {
    (handler.interest(&message.topic, &message.kind) == Interest::Unknown).then(|| Condemned {
        reason: format!("unknown message type {} on {}", message.kind, message.topic),
        attempts: 1,
    })
}

/// Loads, decides, saves and remembers the messages that are new.
async fn decide<H: Handler>(
    work: &mut UnitOfWork,
    handler: &H,
    consumer: &str,
    fresh: &[Message],
    stamp: &mut Stamp,
) -> Result<H::Effects, Failure> {
    let mut world = handler.load(work.db(), fresh).await?;
    let mut handled = Handled {
        consumer: consumer.to_owned(),
        rows: Vec::with_capacity(fresh.len()),
    };
    for message in fresh {
        let published = handler.decide(&mut world, message, stamp)?;
        handled.rows.push((
            message.id,
            message.key,
            inbox::replies_to(message.id, &published)?,
        ));
        work.publish_all(published);
    }
    let effects = handler.save(work.db(), world).await?;
    if handler.remembers() {
        work.remember(handled);
    }
    Ok(effects)
}

fn sort<'a>(
    batch: &'a [Incoming],
    mut known: Known,
    reject: impl Fn(&Incoming) -> Option<Condemned>,
    stamp: &mut Stamp,
) -> Sorted<'a> {
    let mut sorted = Sorted::default();
    let mut met = HashSet::new();
    for incoming in batch {
        let id = incoming.message().map(|message| message.id);
        let replies = id.and_then(|id| known.seen.remove(&id));
        // Met in this batch: the answer that is on its way, in this transaction, answers the repetition too.
        if replies.is_some() || id.is_some_and(|id| met.contains(&id)) {
            met.extend(id);
            sorted.duplicates += 1;
            sorted.again.extend(replies.unwrap_or_default());
            continue;
        }
        let key = incoming.raw().key.clone();
        if let Some(culprit) = key.as_ref().and_then(|key| known.blocked.get(key)) {
            let reason = format!("waits behind {culprit}");
            sorted.parked.push(Parked {
                id: stamp.new_id(),
                incoming,
                reason,
                attempts: 0,
                waits_behind: Some(*culprit),
            });
        } else if let Some(Condemned { reason, attempts }) = reject(incoming) {
            let parked = stamp.new_id();
            known.blocked.extend(key.map(|key| (key, parked)));
            let attempts = i32::try_from(attempts).unwrap_or(i32::MAX);
            sorted.parked.push(Parked {
                id: parked,
                incoming,
                reason,
                attempts,
                waits_behind: None,
            });
        } else if let Some(message) = incoming.message() {
            met.insert(message.id);
            sorted.fresh.push(message.clone());
        }
    }
    sorted
}

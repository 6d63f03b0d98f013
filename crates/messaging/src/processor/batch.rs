//! What happens inside the transaction of a batch.

use std::collections::HashSet;

use uuid::Uuid;

use super::{Failure, Party, Report};
use crate::{
    Handler, Incoming, Interest, Message, Outgoing, Raw, Stamp, UnitOfWork,
    inbox::{self, Handled, Known},
    parking::{self, Condemned, Parked},
};

/// A batch, sorted by what has to be done.
#[derive(Default)]
struct Sorted<'a> {
    fresh: Vec<Message>,
    again: Vec<Outgoing>,
    duplicates: usize,
    aged: usize,
    parked: Vec<Parked<'a>>,
}

pub(super) async fn handle<H: Handler>(
    work: &mut UnitOfWork,
    party: &Party<H>,
    batch: &[Incoming],
    condemned: Option<Condemned>,
) -> Result<(Report, Option<H::Effects>), Failure> {
    let (handler, consumer) = (&*party.handler, &*party.consumer);
    let mut stamp = Stamp::live();
    // Also for a handler that remembers nothing: what an operator has discarded is in the inbox.
    let messages: Vec<&Message> = batch.iter().filter_map(Incoming::message).collect();
    let keys: HashSet<String> = batch
        .iter()
        .filter_map(|incoming| incoming.raw().line().map(str::to_owned))
        .collect();
    let known = inbox::look_up(work.db(), consumer, &messages, keys).await?;
    let gone = party
        .gone(work.db(), messages.iter().map(|message| message.key))
        .await?;
    let reject = |incoming: &Incoming| match (&condemned, incoming) {
        (Some(condemned), _) => Some(condemned.clone()),
        (None, Incoming::Broken(_, reason)) => Some(Condemned::new(reason, 1)),
        (None, Incoming::Readable(message, _)) => unknown(handler, message),
    };
    let sorted = sort(batch, known, &gone, reject, &mut stamp);
    if sorted.aged > 0 {
        let messages = sorted.aged;
        tracing::debug!(consumer, messages, "about what was removed: passed over");
    }

    let new = park(work, consumer, &sorted.parked, &mut stamp).await?;
    work.publish_all(sorted.again);

    let report = Report {
        handled: sorted.fresh.len(),
        duplicates: sorted.duplicates + sorted.parked.len() - new,
        parked: new,
        aged: sorted.aged,
    };
    let effects = match sorted.fresh.is_empty() {
        true => None,
        false => Some(decide(work, handler, consumer, &sorted.fresh, &mut stamp).await?),
    };
    Ok((report, effects))
}

/// Parks `rows`, and announces those that failed. A record that comes again is parked already, and was announced then.
/// Tells how many are new.
async fn park(
    work: &mut UnitOfWork,
    consumer: &str,
    rows: &[Parked<'_>],
    stamp: &mut Stamp,
) -> Result<usize, Failure> {
    if rows.is_empty() {
        return Ok(0);
    }
    let new = parking::park(work.db(), consumer, rows, stamp.now).await?;
    for Parked {
        id,
        incoming,
        condemned,
    } in rows.iter().filter(|row| new.contains(&row.id))
    {
        let Some(condemned) = condemned else { continue };
        let Raw {
            topic, offset, key, ..
        } = incoming.raw();
        let reason = condemned.reason();
        tracing::error!(consumer, %id, topic, offset, key, reason, "a message is parked; its key waits");
        work.publish(parking::copy(consumer, *id, incoming, condemned, stamp));
    }
    Ok(new.len())
}

pub(super) fn unknown<H: Handler>(handler: &H, message: &Message) -> Option<Condemned> {
    (handler.interest(&message.topic, &message.kind) == Interest::Unknown).then(|| {
        let Message { kind, topic, .. } = message;
        Condemned::new(&format!("unknown message type {kind} on {topic}"), 1)
    })
}

/// Loads, decides, saves and remembers the messages that are new.
pub(super) async fn decide<H: Handler>(
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
    gone: &HashSet<Uuid>,
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
        let line = incoming.raw().line();
        let held_back = line.is_some_and(|line| known.blocked.contains(line));
        if !held_back
            && incoming
                .message()
                .is_some_and(|message| gone.contains(&message.key))
        {
            sorted.aged += 1;
            continue;
        }
        let condemned = if held_back { None } else { reject(incoming) };
        if held_back || condemned.is_some() {
            known.blocked.extend(line.map(str::to_owned));
            let id = stamp.new_id();
            sorted.parked.push(Parked {
                id,
                incoming,
                condemned,
            });
        } else if let Some(message) = incoming.message() {
            met.insert(message.id);
            sorted.fresh.push(message.clone());
        }
    }
    sorted
}

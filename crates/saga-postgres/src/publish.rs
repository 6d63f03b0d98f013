//! From what the interpreter says to what the outbox publishes.

use chrono::{DateTime, Utc};
use messaging::{Outgoing, TraceParent};
use saga::{Effect, Speech};
use uuid::Uuid;

use crate::row::Saga;

/// What has to be published, in its order. The awaited command is kept with the saga, to be sent again as it is.
pub(crate) fn published(
    key: Uuid,
    saga: &mut Saga,
    effects: Vec<Effect>,
    now: DateTime<Utc>,
    trace: Option<TraceParent>,
) -> Vec<Outgoing> {
    let mut published = Vec::with_capacity(effects.len());
    for effect in effects {
        match effect {
            Effect::News(news) => published.push(outgoing(key, news, now, trace)),
            Effect::Command(command) => {
                let command = outgoing(key, command, now, trace);
                saga.command = Some(command.clone());
                published.push(command);
            }
            Effect::Again(_) => published.extend(saga.command.clone()),
        }
    }
    if saga.instance.awaited.is_none() {
        saga.command = None;
    }
    published
}

fn outgoing(
    key: Uuid,
    speech: Speech,
    time: DateTime<Utc>,
    trace: Option<TraceParent>,
) -> Outgoing {
    let Speech {
        id,
        to,
        kind,
        version,
        body,
    } = speech;
    let message = Outgoing {
        id,
        topic: to,
        kind,
        key,
        sequence: version,
        time,
        causation: None,
        traceparent: None,
        headers: None,
        body,
    };
    message.traced(trace)
}

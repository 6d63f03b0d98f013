//! A command stayed without an answer: it is sent again, or the saga gives up waiting.

use uuid::Uuid;

use super::turn::Turn;
use crate::{Awaited, Effect, Fault, Process, Purpose, State, Verdict, What};

pub(super) fn felt<D: Process>(
    turn: &mut Turn<'_, '_, D>,
    command: Uuid,
) -> Result<Verdict, Fault> {
    let stuck = turn.instance.state == State::Stuck;
    let Some(awaited) = turn.instance.awaited.clone() else {
        return Ok(Verdict::Stale);
    };
    if awaited.id != command || stuck {
        return Ok(Verdict::Stale);
    }
    let position = turn.position()?;
    if awaited.attempt < turn.definition.steps[position].policy.attempts {
        ask_again(turn, awaited);
    } else if awaited.purpose == Purpose::Do && may_go_back(turn, position) {
        turn.go_back_with(position)?;
    } else {
        turn.instance.state = State::Stuck;
        turn.note(
            What::Stuck,
            Some((awaited.id, &awaited.kind)),
            awaited.attempt,
        );
    }
    Ok(Verdict::Applied)
}

/// Before the pivot, and behind it on the way to being cancelled, unless it is the arbiter who is silent.
fn may_go_back<D: Process>(turn: &Turn<'_, '_, D>, position: usize) -> bool {
    let cancelling = turn.instance.memory.cancelling && !turn.arbiter_knows_of(position);
    cancelling || !turn.is_behind_the_pivot(position)
}

fn ask_again<D: Process>(turn: &mut Turn<'_, '_, D>, awaited: Awaited) {
    let attempt = awaited.attempt.saturating_add(1);
    turn.note(What::Resent, Some((awaited.id, &awaited.kind)), attempt);
    turn.effects.push(Effect::Again(awaited.id));
    turn.instance.awaited = Some(Awaited {
        attempt,
        sent_at: turn.moment.now,
        ..awaited
    });
}

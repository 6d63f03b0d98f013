//! An operator steps in where the saga cannot help itself. Every intervention is a record of who it was, and why.

use super::{Intervention, cancel, turn::Turn};
use crate::{Awaited, Effect, Fault, Ordered, Process, Purpose, Refusal, State, Verdict, What};

pub(super) fn steps_in<D: Process>(
    turn: &mut Turn<'_, '_, D>,
    intervention: Intervention,
    step: &str,
    ordered: &Ordered,
) -> Result<Verdict, Fault> {
    if !turn.instance.is_alive() {
        return Ok(Verdict::Refused(Refusal::Ended));
    }
    if turn.instance.step != step {
        return Ok(Verdict::Refused(Refusal::AnotherStep));
    }
    match intervention {
        Intervention::Retry => retry(turn, ordered),
        Intervention::Skip => skip(turn, ordered),
        Intervention::SendBack => send_back(turn, ordered),
    }
}

fn retry<D: Process>(turn: &mut Turn<'_, '_, D>, ordered: &Ordered) -> Result<Verdict, Fault> {
    let Some(awaited) = turn.instance.awaited.clone() else {
        return Ok(Verdict::Refused(Refusal::NothingAwaited));
    };
    turn.note_ordered(What::Retried, Some((awaited.id, &awaited.kind)), ordered);
    turn.effects.push(Effect::Again(awaited.id));
    turn.instance.state = match awaited.purpose {
        Purpose::Do => State::Forward,
        Purpose::Undo => State::Backward,
        Purpose::Arbitrate => State::Cancelling,
    };
    turn.instance.awaited = Some(Awaited {
        attempt: 1,
        sent_at: turn.moment.now,
        ..awaited
    });
    Ok(Verdict::Applied)
}

fn skip<D: Process>(turn: &mut Turn<'_, '_, D>, ordered: &Ordered) -> Result<Verdict, Fault> {
    let position = turn.position()?;
    if let Some(refusal) = no_skipping(turn, position) {
        return Ok(Verdict::Refused(refusal));
    }
    let awaited = turn.instance.awaited.take();
    let message = awaited
        .as_ref()
        .map(|awaited| (awaited.id, awaited.kind.as_str()));
    turn.note_ordered(What::Skipped, message, ordered);
    match awaited.as_ref().map(|awaited| awaited.purpose) {
        Some(Purpose::Undo) => turn.undo_next()?,
        _ => turn.finish(position)?,
    }
    Ok(Verdict::Applied)
}

/// Why what the saga stands at cannot be skipped, if it cannot. An event that is waited for can be at any time.
fn no_skipping<D: Process>(turn: &Turn<'_, '_, D>, position: usize) -> Option<Refusal> {
    let awaited = turn.instance.awaited.as_ref()?;
    let is_pivot = turn.definition.pivot() == Some(position);
    match awaited.purpose {
        // Skipped, it would leave the saga at the same step, where the request, sent twice, would skip that, too.
        Purpose::Arbitrate => Some(Refusal::Arbitrated),
        Purpose::Do if is_pivot => Some(Refusal::Pivot),
        _ if turn.instance.state != State::Stuck => Some(Refusal::InTime),
        _ => None,
    }
}

fn send_back<D: Process>(turn: &mut Turn<'_, '_, D>, ordered: &Ordered) -> Result<Verdict, Fault> {
    if turn.instance.is_going_back() {
        return Ok(Verdict::Refused(Refusal::GoingBack));
    }
    let position = turn.position()?;
    if turn.is_arbitrated() {
        return grant(turn, position, ordered);
    }
    let cancelling = turn.instance.memory.cancelling;
    if cancelling || turn.is_behind_the_pivot(position) {
        if turn.arbiter_knows_of(position) {
            return Ok(Verdict::Refused(Refusal::TooLate));
        }
        if let Some(refusal) = cancel::refusal(turn)? {
            return Ok(Verdict::Refused(refusal));
        }
        turn.note_ordered(What::SentBack, None, ordered);
        if !cancelling {
            cancel::lock(turn)?;
        }
    } else {
        turn.note_ordered(What::SentBack, None, ordered);
        turn.data.sent_back();
    }
    turn.go_back_with(position)?;
    Ok(Verdict::Applied)
}

/// The arbiter stays silent: the operator answers for him that nothing is done there that could not be undone. What he was
/// asked reaches him all the same when he is back.
fn grant<D: Process>(
    turn: &mut Turn<'_, '_, D>,
    position: usize,
    ordered: &Ordered,
) -> Result<Verdict, Fault> {
    if turn.instance.state != State::Stuck {
        return Ok(Verdict::Refused(Refusal::InTime));
    }
    turn.note_ordered(What::SentBack, None, ordered);
    turn.go_back_before(position)?;
    Ok(Verdict::Applied)
}

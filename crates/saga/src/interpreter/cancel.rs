//! Somebody asks for the saga to be cancelled.

use super::turn::Turn;
use crate::{Fault, Process, Refusal, State, Verdict, What};

/// Locks the data, and goes back as soon as that is possible: at once where nothing is awaited, otherwise at the next
/// answer. So no command is ever given up while its answer may be on its way.
pub(super) fn asked<D: Process>(turn: &mut Turn<'_, '_, D>) -> Result<Verdict, Fault> {
    if turn.instance.memory.cancelling {
        return Ok(Verdict::Stale);
    }
    if let Some(refusal) = refusal(turn)? {
        return Ok(Verdict::Refused(refusal));
    }
    lock(turn)?;
    let position = turn.position()?;
    match turn.instance.state {
        State::Waiting => turn.cancel_before(position)?,
        // Nobody answers. It goes back, unless the arbiter was told: then the answer to what he was told is needed.
        State::Stuck if !turn.arbiter_knows_of(position) => turn.go_back_with(position)?,
        _ => {}
    }
    Ok(Verdict::Applied)
}

/// Why it cannot be cancelled, if it cannot.
pub(super) fn refusal<D: Process>(turn: &Turn<'_, '_, D>) -> Result<Option<Refusal>, Fault> {
    let Some(cancellation) = &turn.definition.cancellation else {
        return Ok(Some(Refusal::NotProvided));
    };
    if !turn.instance.is_alive() {
        return Ok(Some(Refusal::Ended));
    }
    if turn.instance.is_going_back() {
        return Ok(Some(Refusal::GoingBack));
    }
    let last = turn.definition.position(&cancellation.until);
    let position = turn.position()?;
    Ok(last
        .is_none_or(|last| last < position)
        .then_some(Refusal::TooLate))
}

/// From here on the saga is being cancelled, and everybody is told.
pub(super) fn lock<D: Process>(turn: &mut Turn<'_, '_, D>) -> Result<(), Fault> {
    turn.instance.memory.cancelling = true;
    turn.note(What::CancelAsked, None, 0);
    if let Some(cancellation) = &turn.definition.cancellation {
        turn.change(&cancellation.locked)?;
        turn.announce(&cancellation.announce)?;
    }
    Ok(())
}

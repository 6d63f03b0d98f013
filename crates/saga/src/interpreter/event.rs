//! An event from outside was heard: it may be early, on time, or a repetition.

use super::{Heard, turn::Turn};
use crate::{Action, Fault, Kept, Process, State, Verdict, What};

pub(super) fn heard<D: Process>(
    turn: &mut Turn<'_, '_, D>,
    heard: Heard<'_>,
) -> Result<Verdict, Fault> {
    if !turn.instance.is_alive() || turn.instance.is_going_back() {
        return Ok(turn.stale(heard));
    }
    let position = turn.position()?;
    let steps = turn.definition.steps.iter().enumerate().skip(position);
    let mut waiting = steps.filter(|(_, step)| step.awaited_event() == Some(heard.kind));
    match waiting.next() {
        None => Ok(turn.stale(heard)),
        Some((place, step)) if place == position && turn.instance.state == State::Waiting => {
            if let Action::Wait(event) = &step.action {
                event.learn(&step.name, &mut turn.data, heard.body)?;
            }
            turn.note_heard(What::Happened, heard, 0);
            turn.finish(position)?;
            Ok(Verdict::Applied)
        }
        Some(_) => Ok(keep(turn, heard)),
    }
}

fn keep<D: Process>(turn: &mut Turn<'_, '_, D>, heard: Heard<'_>) -> Verdict {
    let kept = &mut turn.instance.memory.kept;
    if kept.iter().any(|kept| kept.kind == heard.kind) {
        return turn.stale(heard);
    }
    kept.push(Kept {
        id: heard.id,
        kind: heard.kind.to_owned(),
        body: heard.body.to_owned(),
    });
    turn.note_heard(What::Kept, heard, 0);
    Verdict::Kept
}

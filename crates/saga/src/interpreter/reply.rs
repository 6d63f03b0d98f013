//! A reply was heard: it counts only if it answers the awaited command.

use super::{Heard, turn::Turn};
use crate::{Ask, Fault, Process, Purpose, Rule, Verdict, What};

pub(super) fn heard<D: Process>(
    turn: &mut Turn<'_, '_, D>,
    heard: Heard<'_>,
) -> Result<Verdict, Fault> {
    let answered = |id| heard.answers == Some(id);
    let awaited = turn
        .instance
        .awaited
        .take_if(|awaited| answered(awaited.id));
    let Some(awaited) = awaited else {
        return Ok(turn.stale(heard));
    };
    let position = turn.position()?;
    let step = &turn.definition.steps[position];
    let ask = match awaited.purpose {
        Purpose::Do => step.asks(),
        Purpose::Undo => step.undo_when(turn.instance.memory.cancelling),
        Purpose::Arbitrate => turn.definition.arbitration(),
    };
    let (what, rule) = ask
        .and_then(|ask| meaning(ask, awaited.purpose, heard.kind))
        .ok_or_else(|| Fault::UnknownAnswer {
            step: step.name.clone(),
            command: awaited.kind.clone(),
            kind: heard.kind.to_owned(),
        })?;
    rule.learn(&step.name, &mut turn.data, heard.body)?;
    turn.note_heard(what, heard, awaited.attempt);
    match what {
        What::Refused | What::CancelGranted => turn.go_back_before(position)?,
        What::CancelRefused => turn.carry_on_at(position)?,
        What::Undone => turn.undo_next()?,
        _ => turn.finish(position)?,
    }
    Ok(Verdict::Applied)
}

/// What a reply of that kind means to a command.
fn meaning<'a, D: Process>(
    ask: &'a Ask<D>,
    purpose: Purpose,
    kind: &str,
) -> Option<(What, &'a Rule<D>)> {
    let (granted, refused) = match purpose {
        Purpose::Do => (What::Granted, What::Refused),
        // No definition lets an undo be refused.
        Purpose::Undo => (What::Undone, What::Refused),
        Purpose::Arbitrate => (What::CancelGranted, What::CancelRefused),
    };
    let find = |rules: &'a [Rule<D>]| rules.iter().find(|rule| rule.kind() == kind);
    let accepted = find(&ask.accepted).map(|rule| (granted, rule));
    accepted.or_else(|| find(&ask.refused).map(|rule| (refused, rule)))
}

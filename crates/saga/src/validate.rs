//! What a declaration must obey to be a saga.

use std::collections::HashSet;

use crate::{Action, Ask, Definition, Step};

/// A rule that a declaration breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// There is nothing to do.
    #[error("the saga has no step")]
    Empty,
    /// A word about a step stands before the first step.
    #[error("{word} belongs to a step: write it behind one")]
    Misplaced {
        /// The word.
        word: &'static str,
    },
    /// Two steps have one name; instances could not tell them apart.
    #[error("two steps are called {step:?}")]
    Repeated {
        /// The name.
        step: String,
    },
    /// There is more than one point without return.
    #[error("{first:?} and {second:?} are both the pivot: there is one at most")]
    TwoPivots {
        /// The earlier one.
        first: String,
        /// The later one.
        second: String,
    },
    /// Nothing grants a command, so that the saga could never go on.
    #[error("nothing grants {kind} of step {step:?}")]
    NeverGranted {
        /// The step.
        step: String,
        /// The command.
        kind: String,
    },
    /// One kind of reply means two things.
    #[error("{kind} is said twice to answer a command of step {step:?}")]
    Ambiguous {
        /// The step.
        step: String,
        /// The kind of reply.
        kind: String,
    },
    /// A step behind the pivot may be refused: the saga could go neither forward nor back.
    #[error(
        "step {step:?} comes after the pivot and may be refused: from there on every step must succeed in the end"
    )]
    RefusedAfterPivot {
        /// The step.
        step: String,
    },
    /// A step behind the pivot has an undo, which could never be sent.
    #[error(
        "step {step:?} comes after the pivot and has an undo: only a cancellation leads back from there"
    )]
    UndoAfterPivot {
        /// The step.
        step: String,
    },
    /// A step waits for somebody while there is still a way back, and has an undo although it does nothing.
    #[error("step {step:?} only waits: it does nothing that could be undone")]
    UndoOfWait {
        /// The step.
        step: String,
    },
    /// An undo may be refused: the saga could go neither forward nor back.
    #[error("the undo of step {step:?} may be refused: an undo must succeed in the end")]
    UndoRefused {
        /// The step.
        step: String,
    },
    /// One kind of message is both a reply and an event from outside: the one must be awaited, the other may be early.
    #[error("{kind} is a reply as well as an event from outside")]
    ReplyAndEvent {
        /// The kind of message.
        kind: String,
    },
    /// Two steps wait for one kind of event: the second could never tell its own from a repetition of the first.
    #[error("two steps wait for {kind}")]
    TwoWaits {
        /// The kind of event.
        kind: String,
    },
    /// A cancellation speaks of a step that there is not.
    #[error("the cancellation speaks of step {step:?}, which there is not")]
    CancellationOfNothing {
        /// The name.
        step: String,
    },
    /// The arbiter would be asked only when it is too late.
    #[error(
        "the arbiter decides from step {from:?}, which comes after the last one to be cancelled"
    )]
    ArbiterTooLate {
        /// The step.
        from: String,
    },
    /// The arbiter cannot say no: he would not be needed.
    #[error("nothing refuses {kind}: an arbiter may say no")]
    NeverRefused {
        /// What he is asked.
        kind: String,
    },
    /// A command that is never sent.
    #[error("step {step:?} has no attempt: a command is sent once at least")]
    NoAttempt {
        /// The step.
        step: String,
    },
}

pub(crate) fn validate<D>(definition: &Definition<D>) -> Result<(), Invalid> {
    if definition.steps.is_empty() {
        return Err(Invalid::Empty);
    }
    names(definition)?;
    pivot(definition)?;
    events(definition)?;
    cancellation(definition)?;
    definition.steps.iter().try_for_each(step)
}

fn names<D>(definition: &Definition<D>) -> Result<(), Invalid> {
    let mut seen = HashSet::new();
    match definition
        .steps
        .iter()
        .find(|step| !seen.insert(&step.name))
    {
        Some(step) => Err(Invalid::Repeated {
            step: step.name.clone(),
        }),
        None => Ok(()),
    }
}

fn pivot<D>(definition: &Definition<D>) -> Result<(), Invalid> {
    let mut pivots = definition.steps.iter().filter(|step| step.pivot);
    if let (Some(first), Some(second)) = (pivots.next(), pivots.next()) {
        let (first, second) = (first.name.clone(), second.name.clone());
        return Err(Invalid::TwoPivots { first, second });
    }
    let behind = definition
        .steps
        .iter()
        .skip_while(|step| !step.pivot)
        .skip(1);
    for step in behind {
        let step_name = || step.name.clone();
        if step.asks().is_some_and(|ask| !ask.refused.is_empty()) {
            return Err(Invalid::RefusedAfterPivot { step: step_name() });
        }
        if step.undo.is_some() {
            return Err(Invalid::UndoAfterPivot { step: step_name() });
        }
    }
    Ok(())
}

fn events<D>(definition: &Definition<D>) -> Result<(), Invalid> {
    let steps = definition.steps.iter().flat_map(Step::conversations);
    let asks = steps.chain(definition.arbitration());
    let replies: HashSet<&str> = asks.flat_map(Ask::answers).collect();
    let mut seen = HashSet::new();
    for kind in definition.steps.iter().filter_map(Step::awaited_event) {
        if replies.contains(kind) {
            return Err(Invalid::ReplyAndEvent {
                kind: kind.to_owned(),
            });
        }
        if !seen.insert(kind) {
            return Err(Invalid::TwoWaits {
                kind: kind.to_owned(),
            });
        }
    }
    Ok(())
}

fn cancellation<D>(definition: &Definition<D>) -> Result<(), Invalid> {
    let Some(cancellation) = &definition.cancellation else {
        return Ok(());
    };
    let position = |step: &String| {
        let unknown = Invalid::CancellationOfNothing { step: step.clone() };
        definition.position(step).ok_or(unknown)
    };
    let last = position(&cancellation.until)?;
    let Some(arbiter) = &cancellation.arbiter else {
        return Ok(());
    };
    if position(&arbiter.from)? > last {
        let from = arbiter.from.clone();
        return Err(Invalid::ArbiterTooLate { from });
    }
    if arbiter.ask.refused.is_empty() {
        let kind = arbiter.ask.command.kind.clone();
        return Err(Invalid::NeverRefused { kind });
    }
    answers(&arbiter.from, &arbiter.ask)
}

fn step<D>(step: &Step<D>) -> Result<(), Invalid> {
    let name = || step.name.clone();
    if step.policy.attempts == 0 {
        return Err(Invalid::NoAttempt { step: name() });
    }
    if let Action::Ask(command) = &step.action {
        answers(&step.name, command)?;
    } else if step.undo.is_some() || step.cancel.is_some() {
        return Err(Invalid::UndoOfWait { step: name() });
    }
    step.undo.iter().chain(&step.cancel).try_for_each(|undo| {
        if !undo.refused.is_empty() {
            return Err(Invalid::UndoRefused { step: name() });
        }
        answers(&step.name, undo)
    })
}

fn answers<D>(step: &str, ask: &Ask<D>) -> Result<(), Invalid> {
    let step = || step.to_owned();
    if ask.accepted.is_empty() {
        return Err(Invalid::NeverGranted {
            step: step(),
            kind: ask.command.kind.clone(),
        });
    }
    let mut seen = HashSet::new();
    match ask.answers().find(|kind| !seen.insert(*kind)) {
        Some(kind) => Err(Invalid::Ambiguous {
            step: step(),
            kind: kind.to_owned(),
        }),
        None => Ok(()),
    }
}

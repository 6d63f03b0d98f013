//! The one interpreter of all definitions: from an instance, its data and an input to what follows.

mod cancel;
mod event;
mod operator;
mod reply;
mod silence;
mod turn;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{Definition, Fault, Instance, Memory, Ordered, Outcome, Process, State, Verdict};
use turn::Turn;

/// The time, and where new ids come from: given, so that the same inputs always have the same outcome.
pub struct Moment<'a> {
    /// The time of the decision.
    pub now: DateTime<Utc>,
    /// A fresh id at each call.
    pub new_id: &'a mut dyn FnMut() -> Uuid,
}

/// What can happen to a saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input<'a> {
    /// A message was received.
    Heard(Heard<'a>),
    /// The command of this id was published and stayed without an answer for as long as
    /// [`Definition::patience`] allows.
    Silence {
        /// The id of the command.
        command: Uuid,
    },
    /// Whoever the saga serves does not want it any more.
    Cancel,
    /// An operator steps in.
    Operator {
        /// What is to be done.
        intervention: Intervention,
        /// The step at which he saw the saga. At another one nothing is done: a request that comes twice, or late, means
        /// what it was written for.
        step: &'a str,
        /// Who it is, and why: kept in the history.
        ordered: &'a Ordered,
    },
}

/// What an operator can do about a saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intervention {
    /// Send the awaited command again, as if for the first time.
    Retry,
    /// Go on as if the event had happened that is waited for, or the answer had come that all attempts stayed without. Nothing
    /// is learned from it. What is not overdue is not skipped, and neither are the pivot and the arbiter's word.
    Skip,
    /// Go back, the current step included: from before the pivot, or in the way of a cancellation before the arbiter was
    /// told anything. Where the arbiter himself stayed silent, take the operator's word for his.
    SendBack,
}

/// A received message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard<'a> {
    /// Its id.
    pub id: Uuid,
    /// The message that it answers.
    pub answers: Option<Uuid>,
    /// Its kind.
    pub kind: &'a str,
    /// Its body.
    pub body: &'a str,
}

/// Begins a saga: the instance, and the first command.
///
/// # Errors
/// See [`Fault`]. The data is unchanged then.
pub fn start<D: Process>(
    definition: &Definition<D>,
    data: &mut D,
    moment: &mut Moment<'_>,
) -> Result<(Instance, Outcome), Fault> {
    let mut instance = Instance {
        definition: definition.name.clone(),
        version: definition.version,
        state: State::Forward,
        step: String::new(),
        awaited: None,
        records: 0,
        memory: Memory::default(),
    };
    let outcome = commit(definition, &mut instance, data, moment, |turn| {
        turn.go_forward_to(0)?;
        Ok(Verdict::Applied)
    })?;
    Ok((instance, outcome))
}

/// Applies one input.
///
/// # Errors
/// See [`Fault`]. The instance and its data are unchanged then.
pub fn apply<D: Process>(
    definition: &Definition<D>,
    instance: &mut Instance,
    data: &mut D,
    input: Input<'_>,
    moment: &mut Moment<'_>,
) -> Result<Outcome, Fault> {
    if let Input::Heard(heard) = input {
        let unreadable = |reason| Fault::Unreadable {
            kind: heard.kind.to_owned(),
            reason,
        };
        data.check(heard.kind, heard.body).map_err(unreadable)?;
    }
    commit(definition, instance, data, moment, |turn| match input {
        Input::Heard(heard) if turn.definition.waits_for(heard.kind) => event::heard(turn, heard),
        Input::Heard(heard) => reply::heard(turn, heard),
        Input::Silence { command } => silence::felt(turn, command),
        Input::Cancel => cancel::asked(turn),
        Input::Operator {
            intervention,
            step,
            ordered,
        } => operator::steps_in(turn, intervention, step, ordered),
    })
}

/// Works on copies, which take the place of the originals when everything has succeeded.
fn commit<D: Process>(
    definition: &Definition<D>,
    instance: &mut Instance,
    data: &mut D,
    moment: &mut Moment<'_>,
    work: impl FnOnce(&mut Turn<'_, '_, D>) -> Result<Verdict, Fault>,
) -> Result<Outcome, Fault> {
    let mut turn = Turn {
        definition,
        instance: instance.clone(),
        data: data.clone(),
        moment,
        effects: Vec::new(),
        records: Vec::new(),
    };
    let verdict = work(&mut turn)?;
    *instance = turn.instance;
    *data = turn.data;
    Ok(Outcome {
        verdict,
        effects: turn.effects,
        records: turn.records,
    })
}

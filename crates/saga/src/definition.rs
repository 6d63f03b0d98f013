//! A definition and its steps, as the interpreter, the tests and the documents see them.

use std::fmt::Display;

use crate::{Action, Ask, Cancellation, Instance, Policy, Purpose, Say, State};

/// Changes the data, without a message.
pub(crate) type Change<D> = Box<dyn Fn(&mut D) -> Result<(), String> + Send + Sync>;

/// A declared saga. Made by [`crate::saga`]; read by the interpreter and by whatever is derived from it.
pub struct Definition<D> {
    pub(crate) name: String,
    pub(crate) version: u32,
    pub(crate) steps: Vec<Step<D>>,
    pub(crate) when_rolled_back: Vec<Change<D>>,
    pub(crate) announce_rolled_back: Vec<Say<D>>,
    pub(crate) cancellation: Option<Cancellation<D>>,
}

/// One step of a definition.
pub struct Step<D> {
    pub(crate) name: String,
    pub(crate) pivot: bool,
    pub(crate) policy: Policy,
    pub(crate) action: Action<D>,
    pub(crate) undo: Option<Ask<D>>,
    pub(crate) cancel: Option<Ask<D>>,
    pub(crate) then: Vec<Change<D>>,
    pub(crate) announce: Vec<Say<D>>,
}

impl<D> Definition<D> {
    /// The name under which instances remember their definition.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version with which instances begin, and on which they finish.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The steps, in their order.
    #[must_use]
    pub fn steps(&self) -> &[Step<D>] {
        &self.steps
    }

    /// The step of that name.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<&Step<D>> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// How the saga may be cancelled, where it may.
    #[must_use]
    pub const fn cancellation(&self) -> Option<&Cancellation<D>> {
        self.cancellation.as_ref()
    }

    /// The command that is awaited, as it is declared.
    #[must_use]
    pub fn awaited(&self, instance: &Instance) -> Option<&Ask<D>> {
        let step = self.step(&instance.step)?;
        match instance.awaited.as_ref()?.purpose {
            Purpose::Do => step.asks(),
            Purpose::Undo => step.undo_when(instance.memory.cancelling),
            Purpose::Arbitrate => Some(self.cancellation()?.arbiter()?.ask()),
        }
    }

    /// Whether some step waits for events of that kind.
    #[must_use]
    pub fn waits_for(&self, kind: &str) -> bool {
        self.steps
            .iter()
            .any(|step| step.awaited_event() == Some(kind))
    }

    /// Everything that the saga can say: commands, undos, what the arbiter is asked, news.
    #[must_use]
    pub fn says(&self) -> Vec<&Say<D>> {
        let asked = self.steps.iter().flat_map(Step::conversations);
        let asked = asked.chain(self.arbitration()).map(Ask::command);
        let news = self.steps.iter().flat_map(|step| &step.announce);
        let cancelled = self.cancellation.iter().flat_map(|it| &it.announce);
        asked
            .chain(news)
            .chain(&self.announce_rolled_back)
            .chain(cancelled)
            .collect()
    }

    /// Every kind of message that the saga listens to: replies, confirmations of an undo, and events. Sorted, each once.
    #[must_use]
    pub fn listens_to(&self) -> Vec<&str> {
        let steps = self.steps.iter().flat_map(Step::conversations);
        let replies = steps.chain(self.arbitration()).flat_map(Ask::answers);
        let events = self.steps.iter().filter_map(Step::awaited_event);
        let mut kinds: Vec<&str> = replies.chain(events).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// What is still ahead of an instance: the steps to be done, the current one first, or those to be undone.
    #[must_use]
    pub fn remaining<'a>(&'a self, instance: &'a Instance) -> Vec<&'a str> {
        if !instance.is_alive() {
            return Vec::new();
        }
        if instance.is_going_back() {
            let ahead = instance.memory.undo.iter().map(String::as_str);
            return std::iter::once(instance.step.as_str())
                .chain(ahead)
                .collect();
        }
        let names = self.steps.iter().map(|step| step.name.as_str());
        names.skip_while(|name| *name != instance.step).collect()
    }

    /// How long the awaited command may stay unanswered, from the moment it was published.
    /// `None`: nothing is awaited, or nothing but a person or an operator can help.
    #[must_use]
    pub fn patience(&self, instance: &Instance) -> Option<std::time::Duration> {
        let awaited = instance.awaited.as_ref()?;
        let step = self
            .step(&instance.step)
            .filter(|_| instance.state != State::Stuck)?;
        Some(step.policy.patience(awaited.attempt))
    }

    /// What the arbiter is asked, where there is one.
    pub(crate) fn arbitration(&self) -> Option<&Ask<D>> {
        Some(&self.cancellation.as_ref()?.arbiter.as_ref()?.ask)
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.name == name)
    }

    pub(crate) fn pivot(&self) -> Option<usize> {
        self.steps.iter().position(|step| step.pivot)
    }
}

impl<D> Step<D> {
    /// The name of the step: unique in its definition, and what instances remember.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this is the point from which there is no way back.
    #[must_use]
    pub const fn is_pivot(&self) -> bool {
        self.pivot
    }

    /// How patient the saga is with this step.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What the step does.
    #[must_use]
    pub const fn action(&self) -> &Action<D> {
        &self.action
    }

    /// What undoes it.
    #[must_use]
    pub const fn undo(&self) -> Option<&Ask<D>> {
        self.undo.as_ref()
    }

    /// What undoes it when the saga is cancelled: what was declared for that, or else what undoes it in any case.
    #[must_use]
    pub fn undo_when(&self, cancelling: bool) -> Option<&Ask<D>> {
        match cancelling {
            true => self.cancel.as_ref().or(self.undo.as_ref()),
            false => self.undo.as_ref(),
        }
    }

    /// What is said when it is done, without an answer being awaited.
    #[must_use]
    pub fn announced(&self) -> &[Say<D>] {
        &self.announce
    }

    /// The kind of event that the step waits for, if it is one that waits.
    #[must_use]
    pub fn awaited_event(&self) -> Option<&str> {
        match &self.action {
            Action::Wait(event) => Some(&event.kind),
            Action::Ask(_) => None,
        }
    }

    /// The command that the step sends, if it sends one.
    #[must_use]
    pub const fn asks(&self) -> Option<&Ask<D>> {
        match &self.action {
            Action::Ask(ask) => Some(ask),
            Action::Wait(_) => None,
        }
    }

    /// Its command, its undo, and its undo in a cancellation: those that it has.
    pub(crate) fn conversations(&self) -> impl Iterator<Item = &Ask<D>> {
        let undos = self.undo.iter().chain(&self.cancel);
        self.asks().into_iter().chain(undos)
    }
}

/// A change that says in words why it was refused.
pub(crate) fn changing<D, E: Display>(
    change: impl Fn(&mut D) -> Result<(), E> + Send + Sync + 'static,
) -> Change<D> {
    Box::new(move |data| change(data).map_err(|reason| reason.to_string()))
}

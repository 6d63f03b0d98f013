//! A definition and its steps, as the interpreter, the tests and the documents see them.

use crate::{Action, Ask, Instance, Policy, Say, State};

/// Changes the data, without a message.
pub(crate) type Change<D> = Box<dyn Fn(&mut D) -> Result<(), String> + Send + Sync>;

/// A declared saga. Made by [`crate::saga`]; read by the interpreter and by whatever is derived from it.
pub struct Definition<D> {
    pub(crate) name: String,
    pub(crate) version: u32,
    pub(crate) steps: Vec<Step<D>>,
    pub(crate) when_rolled_back: Vec<Change<D>>,
    pub(crate) announce_rolled_back: Vec<Say<D>>,
}

/// One step of a definition.
pub struct Step<D> {
    pub(crate) name: String,
    pub(crate) pivot: bool,
    pub(crate) policy: Policy,
    pub(crate) action: Action<D>,
    pub(crate) undo: Option<Ask<D>>,
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

    /// What is said when everything has been undone.
    #[must_use]
    pub fn announced_when_rolled_back(&self) -> &[Say<D>] {
        &self.announce_rolled_back
    }

    /// Whether some step waits for events of that kind.
    #[must_use]
    pub fn waits_for(&self, kind: &str) -> bool {
        self.steps
            .iter()
            .any(|step| step.awaited_event() == Some(kind))
    }

    /// Every kind of message that the saga listens to: replies, confirmations of an undo, and events. Sorted, each once.
    #[must_use]
    pub fn listens_to(&self) -> Vec<&str> {
        let mut kinds: Vec<&str> = self.steps.iter().flat_map(Step::listens_to).collect();
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

    fn listens_to(&self) -> Vec<&str> {
        let asks = self.asks().into_iter().chain(self.undo());
        let replies = asks.flat_map(|ask| ask.accepted().chain(ask.refused()));
        replies.chain(self.awaited_event()).collect()
    }
}

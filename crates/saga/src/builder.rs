//! The words in which a saga is declared.

use std::{convert::Infallible, fmt::Display};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Action, Ask, Cancellation, Definition, Fault, Invalid, Policy, Process, Rule, Say, Step,
    conversation::{Learn, Reason},
    definition::changing,
    validate::validate,
};

/// Begins the declaration of a saga. Instances remember its name and version.
pub fn saga<D: Process>(name: &str, version: u32) -> Builder<D> {
    Builder {
        patience: Policy::default(),
        misplaced: None,
        definition: Definition {
            name: name.to_owned(),
            version,
            steps: Vec::new(),
            when_rolled_back: Vec::new(),
            announce_rolled_back: Vec::new(),
            cancellation: None,
        },
    }
}

/// A message that nobody answers: `kind` goes `to` a topic, with the body that `body` takes from the data.
#[must_use]
pub fn say<D: Process, B: Serialize>(
    to: impl Display,
    kind: impl Display,
    body: impl Fn(&D) -> B + Send + Sync + 'static,
) -> Say<D> {
    try_say(to, kind, move |data| Ok::<_, Infallible>(body(data)))
}

/// A command, to be followed by the replies that answer it.
#[must_use]
pub fn ask<D: Process, B: Serialize>(
    to: impl Display,
    kind: impl Display,
    body: impl Fn(&D) -> B + Send + Sync + 'static,
) -> Ask<D> {
    try_ask(to, kind, move |data| Ok::<_, Infallible>(body(data)))
}

/// A command whose body needs what the data learned in an earlier step: where that is missing, it is a [`Fault`].
#[must_use]
pub fn try_ask<D: Process, B: Serialize, E: Display>(
    to: impl Display,
    kind: impl Display,
    body: impl Fn(&D) -> Result<B, E> + Send + Sync + 'static,
) -> Ask<D> {
    Ask {
        command: try_say(to, kind, body),
        accepted: Vec::new(),
        refused: Vec::new(),
    }
}

fn try_say<D: Process, B: Serialize, E: Display>(
    to: impl Display,
    kind: impl Display,
    body: impl Fn(&D) -> Result<B, E> + Send + Sync + 'static,
) -> Say<D> {
    let kind = kind.to_string();
    let named = kind.clone();
    let body = move |data: &D| {
        let body = body(data).map_err(|missing| missing.to_string());
        let written = body.and_then(|body| D::write(&body));
        written.map_err(|reason| Fault::Unwritable {
            kind: named.clone(),
            reason,
        })
    };
    Say {
        to: to.to_string(),
        kind,
        body: Box::new(body),
    }
}

impl<D: Process> Ask<D> {
    /// This kind of reply grants the command; there is nothing to learn from it.
    #[must_use]
    pub fn granted_by(mut self, kind: impl Display) -> Self {
        self.accepted.push(Rule {
            kind: kind.to_string(),
            learn: None,
        });
        self
    }

    /// This kind of reply grants the command, and the data learns from its body.
    #[must_use]
    pub fn granted_with<B: DeserializeOwned, E: Display>(
        mut self,
        kind: impl Display,
        learn: impl Fn(&mut D, &B) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.accepted.push(Rule {
            kind: kind.to_string(),
            learn: Some(learning(learn)),
        });
        self
    }

    /// This kind of reply refuses the command; there is nothing to learn from it.
    #[must_use]
    pub fn refused_by(mut self, kind: impl Display) -> Self {
        self.refused.push(Rule {
            kind: kind.to_string(),
            learn: None,
        });
        self
    }

    /// This kind of reply refuses the command, and the data learns from its body.
    #[must_use]
    pub fn refused_with<B: DeserializeOwned, E: Display>(
        mut self,
        kind: impl Display,
        learn: impl Fn(&mut D, &B) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.refused.push(Rule {
            kind: kind.to_string(),
            learn: Some(learning(learn)),
        });
        self
    }
}

/// A saga that is being declared. Words about a step ([`undone_by`](Self::undone_by),
/// [`cancelled_by`](Self::cancelled_by), [`then`](Self::then), [`announce`](Self::announce)) belong to the step before them.
#[must_use]
pub struct Builder<D> {
    definition: Definition<D>,
    patience: Policy,
    misplaced: Option<Invalid>,
}

impl<D: Process> Builder<D> {
    /// How patient the saga is with the steps that follow, and with their undo.
    pub fn patience(mut self, policy: Policy) -> Self {
        self.patience = policy;
        self
    }

    /// A step that sends a command and awaits the answer.
    pub fn step(self, name: &str, ask: Ask<D>) -> Self {
        self.push(name, Action::Ask(ask), false)
    }

    /// The step from which there is no way back once it is granted.
    pub fn pivot(self, name: &str, ask: Ask<D>) -> Self {
        self.push(name, Action::Ask(ask), true)
    }

    /// A step that waits for an event from outside: somebody does something, when they do it. It has no deadline.
    pub fn wait(self, name: &str, kind: impl Display) -> Self {
        let event = Rule {
            kind: kind.to_string(),
            learn: None,
        };
        self.push(name, Action::Wait(event), false)
    }

    /// A step that waits for an event from outside, from whose body the data learns.
    pub fn wait_with<B: DeserializeOwned, E: Display>(
        self,
        name: &str,
        kind: impl Display,
        learn: impl Fn(&mut D, &B) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        let event = Rule {
            kind: kind.to_string(),
            learn: Some(learning(learn)),
        };
        self.push(name, Action::Wait(event), false)
    }

    /// What undoes the step. It is sent only if the step was granted, or stayed silent.
    pub fn undone_by(self, undo: Ask<D>) -> Self {
        self.about_the_step("undone_by", |step| step.undo = Some(undo))
    }

    /// What undoes the step when the saga is cancelled, where that is said in other words.
    pub fn cancelled_by(self, undo: Ask<D>) -> Self {
        self.about_the_step("cancelled_by", |step| step.cancel = Some(undo))
    }

    /// How the data changes when the step is done.
    pub fn then<E: Display>(
        self,
        change: impl Fn(&mut D) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.about_the_step("then", |step| step.then.push(changing(change)))
    }

    /// What is told to everybody when the step is done and the data has changed; nobody answers.
    pub fn announce(self, news: Say<D>) -> Self {
        self.about_the_step("announce", |step| step.announce.push(news))
    }

    /// How the data changes when everything has been undone, and what is told then.
    pub fn when_rolled_back<E: Display>(
        mut self,
        change: impl Fn(&mut D) -> Result<(), E> + Send + Sync + 'static,
        news: Say<D>,
    ) -> Self {
        self.definition.when_rolled_back.push(changing(change));
        self.definition.announce_rolled_back.push(news);
        self
    }

    /// That the saga may be cancelled, until when, and how.
    pub fn cancellable(mut self, cancellation: Cancellation<D>) -> Self {
        self.definition.cancellation = Some(cancellation);
        self
    }

    /// Ends the declaration.
    ///
    /// # Errors
    /// The first rule that the declaration breaks: see [`Invalid`].
    pub fn end(self) -> Result<Definition<D>, Invalid> {
        if let Some(invalid) = self.misplaced {
            return Err(invalid);
        }
        validate(&self.definition)?;
        Ok(self.definition)
    }

    fn push(mut self, name: &str, action: Action<D>, pivot: bool) -> Self {
        self.definition.steps.push(Step {
            name: name.to_owned(),
            pivot,
            policy: self.patience,
            action,
            undo: None,
            cancel: None,
            then: Vec::new(),
            announce: Vec::new(),
        });
        self
    }

    fn about_the_step(mut self, word: &'static str, say: impl FnOnce(&mut Step<D>)) -> Self {
        match self.definition.steps.last_mut() {
            Some(step) => say(step),
            None => self.misplaced = Some(Invalid::Misplaced { word }),
        }
        self
    }
}

fn learning<D: Process, B: DeserializeOwned, E: Display>(
    learn: impl Fn(&mut D, &B) -> Result<(), E> + Send + Sync + 'static,
) -> Learn<D> {
    Box::new(move |data, body| {
        let body = D::read(body).map_err(Reason::Unreadable)?;
        learn(data, &body).map_err(|reason| Reason::Illegal(reason.to_string()))
    })
}

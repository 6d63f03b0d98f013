//! What is said and heard in a step: commands, news, and the rules by which replies are understood.

use crate::{Fault, Process};

/// Writes the body of a message from the data.
pub(crate) type Body<D> = Box<dyn Fn(&D) -> Result<String, Fault> + Send + Sync>;
/// Changes the data by what a body says.
pub(crate) type Learn<D> = Box<dyn Fn(&mut D, &str) -> Result<(), Reason> + Send + Sync>;
/// Why a body changed nothing.
pub(crate) enum Reason {
    /// It is not what its kind promises.
    Unreadable(String),
    /// The data refuses what it says.
    Illegal(String),
}

/// What a step does.
pub enum Action<D> {
    /// It sends a command and awaits the answer.
    Ask(Ask<D>),
    /// It waits for an event from outside, for as long as it takes.
    Wait(Rule<D>),
}

/// A message that the saga says.
pub struct Say<D> {
    pub(crate) to: String,
    pub(crate) kind: String,
    pub(crate) body: Body<D>,
}

/// A command, and the replies that answer it.
pub struct Ask<D> {
    pub(crate) command: Say<D>,
    pub(crate) accepted: Vec<Rule<D>>,
    pub(crate) refused: Vec<Rule<D>>,
}

/// A kind of message that is waited for, and what the data learns from it.
pub struct Rule<D> {
    pub(crate) kind: String,
    pub(crate) learn: Option<Learn<D>>,
}

impl<D> Say<D> {
    /// Where the message goes.
    #[must_use]
    pub fn to(&self) -> &str {
        &self.to
    }

    /// The kind of the message.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }
}

impl<D> Ask<D> {
    /// The command.
    #[must_use]
    pub const fn command(&self) -> &Say<D> {
        &self.command
    }

    /// The kinds of reply that grant it.
    pub fn accepted(&self) -> impl Iterator<Item = &str> {
        self.accepted.iter().map(|rule| rule.kind.as_str())
    }

    /// The kinds of reply that refuse it.
    pub fn refused(&self) -> impl Iterator<Item = &str> {
        self.refused.iter().map(|rule| rule.kind.as_str())
    }

    /// Every kind of reply that answers it.
    pub fn answers(&self) -> impl Iterator<Item = &str> {
        self.accepted().chain(self.refused())
    }
}

impl<D: Process> Rule<D> {
    /// The kind of message.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    pub(crate) fn learn(&self, step: &str, data: &mut D, body: &str) -> Result<(), Fault> {
        let Some(learn) = &self.learn else {
            return Ok(());
        };
        learn(data, body).map_err(|reason| match reason {
            Reason::Unreadable(reason) => Fault::Unreadable {
                kind: self.kind.clone(),
                reason,
            },
            Reason::Illegal(reason) => Fault::Illegal {
                step: step.to_owned(),
                reason,
            },
        })
    }
}

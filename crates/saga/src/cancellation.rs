//! How a saga is cancelled while it runs: until when, who decides, and what the data becomes.

use std::fmt::Display;

use crate::{
    Ask, Say,
    definition::{Change, changing},
};

/// How a saga may be cancelled: a semantic lock while that is open, and what the data becomes then
/// (countermeasure "semantic lock", Garcia-Molina & Salem, Sagas, 1987, as in Richardson, Microservices Patterns, 4.3).
#[must_use]
pub struct Cancellation<D> {
    pub(crate) until: String,
    pub(crate) arbiter: Option<Arbiter<D>>,
    pub(crate) locked: Vec<Change<D>>,
    pub(crate) released: Vec<Change<D>>,
    pub(crate) ended: Vec<Change<D>>,
    pub(crate) announce: Vec<Say<D>>,
}

/// Who decides whether it is too late, from a step on.
pub struct Arbiter<D> {
    pub(crate) from: String,
    pub(crate) ask: Ask<D>,
}

/// The last step at which a saga may be cancelled.
pub fn until<D>(step: &str) -> Cancellation<D> {
    Cancellation {
        until: step.to_owned(),
        arbiter: None,
        locked: Vec::new(),
        released: Vec::new(),
        ended: Vec::new(),
        announce: Vec::new(),
    }
}

impl<D> Cancellation<D> {
    /// From this step on the receiver of that command decides: it may have done what cannot be undone. Before, the saga
    /// decides by itself, at the next answer.
    pub fn decided_by(self, from: &str, ask: Ask<D>) -> Self {
        let arbiter = Some(Arbiter {
            from: from.to_owned(),
            ask,
        });
        Self { arbiter, ..self }
    }

    /// How the data is locked while the cancellation is open.
    pub fn locked<E: Display>(
        mut self,
        change: impl Fn(&mut D) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.locked.push(changing(change));
        self
    }

    /// How the data goes on where it was, when it is too late.
    pub fn released<E: Display>(
        mut self,
        change: impl Fn(&mut D) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.released.push(changing(change));
        self
    }

    /// What the data becomes when everything has been undone.
    pub fn ended<E: Display>(
        mut self,
        change: impl Fn(&mut D) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.ended.push(changing(change));
        self
    }

    /// What is told after each of these changes; nobody answers.
    pub fn announce(mut self, news: Say<D>) -> Self {
        self.announce.push(news);
        self
    }

    /// The last step at which the saga may be cancelled.
    #[must_use]
    pub fn last_step(&self) -> &str {
        &self.until
    }

    /// Who decides whether it is too late, where somebody does.
    #[must_use]
    pub const fn arbiter(&self) -> Option<&Arbiter<D>> {
        self.arbiter.as_ref()
    }
}

impl<D> Arbiter<D> {
    /// The first step that only the arbiter can answer for.
    #[must_use]
    pub fn from(&self) -> &str {
        &self.from
    }

    /// What it is asked.
    #[must_use]
    pub const fn ask(&self) -> &Ask<D> {
        &self.ask
    }
}

//! A state machine as a table. What follows from the table (checks, final states, diagrams, tests)
//! is derived from it, so that none of them can disagree with it.

use std::fmt::Debug;

use thiserror::Error;

/// How a state machine calls the absence of its aggregate.
const NOTHING: &str = "(nothing)";

/// A step that an aggregate may not take. Names both states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{aggregate} cannot go from {from} to {to}")]
pub struct Illegal {
    /// Whose state it is: `order`, `ticket`, `payment`, `kitchen` or `delivery`.
    pub aggregate: &'static str,
    /// The state it is in.
    pub from: &'static str,
    /// The state it was told to take.
    pub to: &'static str,
}

/// The states of one kind of aggregate, and the ways between them.
///
/// This is for the write side. A reader that folds messages from several topics keeps the highest
/// version it was told and infers nothing: version 5 may reach it before 3.
pub trait Machine: Copy + Eq + Debug + 'static {
    /// Whose states these are.
    const AGGREGATE: &'static str;
    /// The states in which an aggregate may begin. More than one where a tombstone may be the first
    /// thing that is known of it.
    const INITIAL: &'static [Self];
    /// Every legal step.
    const TRANSITIONS: &'static [(Self, Self)];

    /// Every state.
    fn all() -> &'static [Self];

    /// The state's word.
    fn word(self) -> &'static str;

    /// Every legal step, for tests, diagrams and views.
    #[must_use]
    fn transitions() -> &'static [(Self, Self)] {
        Self::TRANSITIONS
    }

    /// Begins an aggregate in this state.
    ///
    /// # Errors
    /// When nothing begins in this state.
    fn begin(self) -> Result<Self, Illegal> {
        if Self::INITIAL.contains(&self) {
            return Ok(self);
        }
        Err(Illegal {
            aggregate: Self::AGGREGATE,
            from: NOTHING,
            to: self.word(),
        })
    }

    /// Whether `next` may follow. A state never follows itself: a repetition is no step.
    #[must_use]
    fn may_move_to(self, next: Self) -> bool {
        Self::TRANSITIONS.contains(&(self, next))
    }

    /// Whether this is `milestone`, or a state after it on some way through the table. Where there
    /// is only one way, as for kitchen and delivery, what leads to the milestone was done then, and
    /// doing it again is a repetition.
    #[must_use]
    fn has_reached(self, milestone: Self) -> bool {
        let mut after = vec![milestone];
        let mut next = 0;
        while let Some(&state) = after.get(next) {
            for &(_, to) in Self::TRANSITIONS.iter().filter(|(from, _)| *from == state) {
                if !after.contains(&to) {
                    after.push(to);
                }
            }
            next += 1;
        }
        after.contains(&self)
    }

    /// Takes the step to `next`.
    ///
    /// # Errors
    /// When the table has no such step; the error names both states.
    fn move_to(self, next: Self) -> Result<Self, Illegal> {
        if self.may_move_to(next) {
            return Ok(next);
        }
        Err(Illegal {
            aggregate: Self::AGGREGATE,
            from: self.word(),
            to: next.word(),
        })
    }

    /// Whether no step leads on from here.
    #[must_use]
    fn is_final(self) -> bool {
        !Self::TRANSITIONS.iter().any(|(from, _)| *from == self)
    }

    /// The machine as a Mermaid state diagram.
    #[must_use]
    fn diagram() -> String {
        let begins = Self::INITIAL.iter().map(|first| ("[*]", first.word()));
        let steps = Self::TRANSITIONS
            .iter()
            .map(|(from, to)| (from.word(), to.word()));
        let ends = Self::all()
            .iter()
            .filter(|s| s.is_final())
            .map(|last| (last.word(), "[*]"));
        let mut text = String::from("stateDiagram-v2\n");
        for (from, to) in begins.chain(steps).chain(ends) {
            text.push_str(&format!("    {from} --> {to}\n"));
        }
        text
    }
}

/// A state enum with its table.
macro_rules! machine {
    (
        $(#[$meta:meta])*
        $name:ident, $aggregate:literal, $what:literal
        states { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }
        begins in { $($first:ident),+ }
        moves { $($from:ident => $($to:ident),+;)+ }
    ) => {
        $crate::words::words! {
            $(#[$meta])*
            $name, $what { $($(#[$doc])* $variant = $word),+ }
        }

        impl $crate::machine::Machine for $name {
            const AGGREGATE: &'static str = $aggregate;
            const INITIAL: &'static [Self] = &[$(Self::$first),+];
            const TRANSITIONS: &'static [(Self, Self)] =
                &[$($((Self::$from, Self::$to)),+),+];

            fn all() -> &'static [Self] {
                Self::ALL
            }

            fn word(self) -> &'static str {
                self.as_str()
            }
        }
    };
}

pub(crate) use machine;

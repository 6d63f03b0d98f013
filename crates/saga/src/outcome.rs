//! What follows from an input: what has to be sent, and what has to be remembered.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What follows from an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What the input was to the saga.
    pub verdict: Verdict,
    /// What has to be sent, in this order.
    pub effects: Vec<Effect>,
    /// What has to be added to the history, in this order.
    pub records: Vec<Record>,
}

/// What an input was to the saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It moved the saga.
    Applied,
    /// It came early and is kept.
    Kept,
    /// It was not awaited, or not any more: no effect.
    Stale,
    /// It was asked of the saga by somebody, and cannot be: no effect.
    Refused(Refusal),
}

/// Why a saga does not do what somebody asks of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has ended.
    #[error("it has ended")]
    Ended,
    /// It is undoing what it did already.
    #[error("it is going back already")]
    GoingBack,
    /// It is beyond the last step at which that is possible.
    #[error("it has gone too far")]
    TooLate,
    /// Its definition has no way to do that.
    #[error("its definition does not provide for that")]
    NotProvided,
    /// It awaits nothing that could be asked again.
    #[error("it awaits no answer")]
    NothingAwaited,
    /// It stands at another step than the one that the operator saw.
    #[error("it stands at another step")]
    AnotherStep,
    /// It awaits an answer, and nobody is overdue with it.
    #[error("the answer that it awaits is not overdue")]
    InTime,
    /// Everything behind the pivot rests on the pivot's answer.
    #[error("its pivot cannot be skipped")]
    Pivot,
    /// It awaits the arbiter's word on whether it may be cancelled.
    #[error("it awaits whether it may be cancelled")]
    Arbitrated,
}

/// What has to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The command that is awaited from now on. Whoever stores the instance stores this with it, to send it again.
    Command(Speech),
    /// News that nobody answers.
    News(Speech),
    /// The awaited command again, as it was sent the first time, with the same id.
    Again(Uuid),
}

/// A message that is said for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speech {
    /// Its id.
    pub id: Uuid,
    /// Where it goes.
    pub to: String,
    /// Its kind.
    pub kind: String,
    /// The version of the data that says it.
    pub version: i64,
    /// Its body, as [`crate::Process::write`] wrote it.
    pub body: String,
}

/// One line of a saga's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its number, from 1, without gaps.
    pub number: u32,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The step at which it happened.
    pub step: String,
    /// What happened.
    pub what: What,
    /// The message it is about.
    pub message: Option<Uuid>,
    /// The kind of that message.
    pub kind: Option<String>,
    /// The attempt at the step's command; 0 where there is none.
    pub attempt: u32,
    /// Who wanted it, where somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered: Option<Ordered>,
}

/// Who stepped in, and why: the audit of what an operator does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ordered {
    /// Who it was.
    pub by: String,
    /// Why.
    pub why: String,
}

/// What happened to a saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum What {
    /// The step's command was sent.
    Sent,
    /// The awaited command, an undo or not, was sent again.
    Resent,
    /// The step was granted.
    Granted,
    /// The step was refused.
    Refused,
    /// The event that the step waits for came.
    Happened,
    /// An event came before its step and is kept.
    Kept,
    /// A message was not awaited, or not any more.
    Stale,
    /// The step's undo was sent.
    UndoSent,
    /// The step was undone.
    Undone,
    /// All attempts stayed without an answer.
    Stuck,
    /// Every step was done.
    Completed,
    /// Everything that was done has been undone.
    RolledBack,
    /// Somebody asked for it to be cancelled.
    CancelAsked,
    /// The arbiter was asked whether it may be.
    ArbiterAsked,
    /// It may be cancelled.
    CancelGranted,
    /// It was too late to cancel it: it goes on.
    CancelRefused,
    /// An operator had the awaited command sent again.
    Retried,
    /// An operator had it go on without the answer.
    Skipped,
    /// An operator had it go back.
    SentBack,
}

impl What {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::Sent,
        Self::Resent,
        Self::Granted,
        Self::Refused,
        Self::Happened,
        Self::Kept,
        Self::Stale,
        Self::UndoSent,
        Self::Undone,
        Self::Stuck,
        Self::Completed,
        Self::RolledBack,
        Self::CancelAsked,
        Self::ArbiterAsked,
        Self::CancelGranted,
        Self::CancelRefused,
        Self::Retried,
        Self::Skipped,
        Self::SentBack,
    ];

    /// The word under which it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "SENT",
            Self::Resent => "RESENT",
            Self::Granted => "GRANTED",
            Self::Refused => "REFUSED",
            Self::Happened => "HAPPENED",
            Self::Kept => "KEPT",
            Self::Stale => "STALE",
            Self::UndoSent => "UNDO_SENT",
            Self::Undone => "UNDONE",
            Self::Stuck => "STUCK",
            Self::Completed => "COMPLETED",
            Self::RolledBack => "ROLLED_BACK",
            Self::CancelAsked => "CANCEL_ASKED",
            Self::ArbiterAsked => "ARBITER_ASKED",
            Self::CancelGranted => "CANCEL_GRANTED",
            Self::CancelRefused => "CANCEL_REFUSED",
            Self::Retried => "RETRIED",
            Self::Skipped => "SKIPPED",
            Self::SentBack => "SENT_BACK",
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for What {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let what = Self::ALL.into_iter().find(|what| what.as_str() == word);
        what.ok_or_else(|| format!("{word:?} is nothing that happens to a saga"))
    }
}

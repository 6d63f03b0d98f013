//! How far one saga has come.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How far one saga has come. Steps are remembered by name: a deploy may reorder them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Instance {
    /// The name of its definition.
    pub definition: String,
    /// The version of the definition that it began with.
    pub version: u32,
    /// What it is doing.
    pub state: State,
    /// The step that is being done, waited at, or undone; of an ended saga the last one.
    pub step: String,
    /// The command whose answer moves the saga on.
    pub awaited: Option<Awaited>,
    /// How many records its history has.
    pub records: u32,
    /// What few sagas have.
    #[serde(default, skip_serializing_if = "Memory::is_empty")]
    pub memory: Memory,
}

/// What a saga is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// It awaits the answer to the command of its step.
    Forward,
    /// It waits for somebody outside, for as long as it takes.
    Waiting,
    /// It awaits the answer to the undo of its step.
    Backward,
    /// Before it begins its step, it awaits whether it may still be cancelled.
    Cancelling,
    /// It stayed without an answer to all its attempts, and can neither go on nor back by itself.
    Stuck,
    /// Every step was done.
    Completed,
    /// Everything that was done has been undone.
    RolledBack,
}

/// The command that an answer is awaited to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Awaited {
    /// The id of the command, which the answer names.
    pub id: Uuid,
    /// The kind of the command.
    pub kind: String,
    /// What the command is for.
    pub purpose: Purpose,
    /// How often it was sent, from 1.
    pub attempt: u32,
    /// When it was decided to send it, the last time.
    pub sent_at: DateTime<Utc>,
}

/// What a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Purpose {
    /// It does its step.
    Do,
    /// It undoes its step.
    Undo,
    /// It asks the arbiter whether the saga may still be cancelled, before its step.
    Arbitrate,
}

/// What few sagas have to remember. Every field may be missing: what is stored stays readable when one is added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Memory {
    /// The steps that are undone after the current one, the next one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undo: Vec<String>,
    /// Events from outside whose step has not been reached, one of each kind at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Kept>,
    /// Whether somebody has asked for it to be cancelled, and was not refused: as soon as it can, it goes back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelling: bool,
}

/// An event from outside that came before its step.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Kept {
    /// The id of the message.
    pub id: Uuid,
    /// Its kind.
    pub kind: String,
    /// Its body, as it came.
    pub body: String,
}

impl Instance {
    /// Whether something may still happen to it.
    #[must_use]
    pub const fn is_alive(&self) -> bool {
        !matches!(self.state, State::Completed | State::RolledBack)
    }

    /// Whether it is undoing what it did, or got stuck at that.
    #[must_use]
    pub fn is_going_back(&self) -> bool {
        self.awaited
            .as_ref()
            .is_some_and(|awaited| awaited.purpose == Purpose::Undo)
    }
}

impl Memory {
    /// Whether there is nothing to remember.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.undo.is_empty() && self.kept.is_empty() && !self.cancelling
    }
}

impl Purpose {
    /// The word under which it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Do => "DO",
            Self::Undo => "UNDO",
            Self::Arbitrate => "ARBITRATE",
        }
    }
}

impl FromStr for Purpose {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let purpose = [Self::Do, Self::Undo, Self::Arbitrate]
            .into_iter()
            .find(|purpose| purpose.as_str() == word);
        purpose.ok_or_else(|| format!("{word:?} is no purpose of a command"))
    }
}

impl State {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Forward,
        Self::Waiting,
        Self::Backward,
        Self::Cancelling,
        Self::Stuck,
        Self::Completed,
        Self::RolledBack,
    ];

    /// The word under which it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forward => "FORWARD",
            Self::Waiting => "WAITING",
            Self::Backward => "BACKWARD",
            Self::Cancelling => "CANCELLING",
            Self::Stuck => "STUCK",
            Self::Completed => "COMPLETED",
            Self::RolledBack => "ROLLED_BACK",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let state = Self::ALL.into_iter().find(|state| state.as_str() == word);
        state.ok_or_else(|| format!("{word:?} is no state of a saga"))
    }
}

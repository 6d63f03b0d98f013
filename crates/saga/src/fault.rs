//! Why an input could not be applied.

/// Why an input could not be applied. The instance and its data are as they were before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The message answers the awaited command, with a kind that the step does not know.
    #[error("step {step:?} awaits an answer to {command}, and {kind} is none that it knows")]
    UnknownAnswer {
        /// The step that awaits the answer.
        step: String,
        /// The kind of the awaited command.
        command: String,
        /// The kind of the answer.
        kind: String,
    },
    /// The body of a message is not what its kind promises.
    #[error("body of {kind} is malformed: {reason}")]
    Unreadable {
        /// The kind of the message.
        kind: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A body could not be written.
    #[error("body of {kind} cannot be written: {reason}")]
    Unwritable {
        /// The kind of the message.
        kind: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The data refuses the change that the definition asks for.
    #[error("step {step:?} cannot change the data: {reason}")]
    Illegal {
        /// The step that asked for it.
        step: String,
        /// The data's own words.
        reason: String,
    },
    /// The instance belongs to another definition, or stands at a step that this version does not have.
    #[error(
        "definition {definition:?} version {version} has no step {step:?}: give the saga the version it began with"
    )]
    UnknownStep {
        /// The definition that was given.
        definition: String,
        /// Its version.
        version: u32,
        /// The step where the instance stands.
        step: String,
    },
}

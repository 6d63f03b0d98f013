//! What could be wrong with a system like this: each is put into the run on purpose, and has to be found.

/// A defect that is put into the system, to see whether it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// A consumer does not look whether it knows a message.
    NoDeduplication,
    /// A relay sends two rows in the wrong order.
    ReorderingRelay,
    /// A relay skips a row.
    ForgetfulRelay,
    /// Each call to the gateway has a key of its own.
    FreshGatewayKeys,
    /// What has to be undone is taken for undone.
    SkippedCompensation,
    /// An offset is stored before the batch is committed.
    OffsetBeforeCommit,
    /// The view takes whatever it hears last.
    ViewGoesBackwards,
    /// Any reply counts, whatever it answers.
    StaleRepliesCount,
    /// The deadline runs from the decision, not from the publication.
    DeadlineFromDecision,
    /// A payment that was voided is forgotten.
    NoTombstone,
    /// An event that comes before its step is dropped.
    EarlyEventsDropped,
    /// A command that is known is not answered again.
    SilentAboutDuplicates,
    /// A command that is sent again gets a new id.
    ResentUnderANewId,
}

impl Defect {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::NoDeduplication,
        Self::ReorderingRelay,
        Self::ForgetfulRelay,
        Self::FreshGatewayKeys,
        Self::SkippedCompensation,
        Self::OffsetBeforeCommit,
        Self::ViewGoesBackwards,
        Self::StaleRepliesCount,
        Self::DeadlineFromDecision,
        Self::NoTombstone,
        Self::EarlyEventsDropped,
        Self::SilentAboutDuplicates,
        Self::ResentUnderANewId,
    ];
}

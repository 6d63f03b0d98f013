//! What a service says about its messages; everything around it is the [`Processor`](crate::Processor)'s work.

use sea_orm::{DatabaseTransaction, DbErr};

use crate::{Fault, Message, Outgoing, Stamp};

/// Whether a message is for this handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// It is handled.
    Handle,
    /// It is known, and for somebody else.
    Ignore,
    /// The contract does not know it: a dead letter, neither a crash nor a silent skip.
    Unknown,
}

/// Handles the messages of a batch: load what they need, decide purely, save.
///
/// A handler cannot forget to deduplicate, answer twice, or cost a statement per message: it is given each message once,
/// in the order of its key, with the aggregates of the whole batch loaded in one round trip and saved in one more.
/// Transaction, inbox, outbox, offsets, retries and parking are not its business.
pub trait Handler: Send + Sync + 'static {
    /// The aggregates that a batch needs.
    type World: Send;
    /// What is to be done after the commit, for instance waking a worker.
    type Effects: Send + 'static;

    /// Whether messages of `kind` on `topic` (without prefix) are for this handler.
    fn interest(&self, topic: &str, kind: &str) -> Interest;

    /// Whether handled messages are remembered in the inbox. Only a handler that is idempotent by itself, and gives a message
    /// that comes again its first answer again (same id, same bytes), or answers nothing, may say no: a message that comes again
    /// is then given to it again.
    fn remembers(&self) -> bool {
        true
    }

    /// Loads and locks, in the order of their keys, the aggregates that `messages` need. One round trip for all.
    ///
    /// # Errors
    /// The database's.
    fn load(
        &self,
        db: &DatabaseTransaction,
        messages: &[Message],
    ) -> impl Future<Output = Result<Self::World, DbErr>> + Send;

    /// Decides about one message, purely: changes `world` and returns what is to be published. A message
    /// [answering](Outgoing::answering) this one is kept as its reply and sent again when the message comes again.
    ///
    /// # Errors
    /// A [`Fault`] is tried again a bounded number of times, alone, and then parked.
    fn decide(
        &self,
        world: &mut Self::World,
        message: &Message,
        stamp: &mut Stamp,
    ) -> Result<Vec<Outgoing>, Fault>;

    /// Saves what `world` has become. One round trip for all.
    ///
    /// # Errors
    /// The database's.
    fn save(
        &self,
        db: &DatabaseTransaction,
        world: Self::World,
    ) -> impl Future<Output = Result<Self::Effects, DbErr>> + Send;

    /// The batch is committed.
    fn committed(&self, effects: Self::Effects);
}

//! What a saga needs to know of the data that it works on.

use serde::{Serialize, de::DeserializeOwned};

/// The data that a saga works on: what the steps read to say something, and change when they hear something.
///
/// The saga changes a copy and hands it back when everything succeeded, hence `Clone`.
pub trait Process: Clone + 'static {
    /// Counts one more message of this aggregate and returns its number: the aggregate's version.
    /// Called once for each message that is said for the first time, before its body is asked for.
    fn next_version(&mut self) -> i64;

    /// Whether the body is what its kind promises, and speaks of this data. Asked of every message before it counts,
    /// also where a step has nothing to learn from it.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    fn check(&self, kind: &str, body: &str) -> Result<(), String>;

    /// An operator had the saga go back, before its pivot: nobody refused, and nobody was silent for too long.
    fn sent_back(&mut self) {}

    /// Reads the body of a message.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    fn read<B: DeserializeOwned>(body: &str) -> Result<B, String>;

    /// Writes the body of a message.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    fn write<B: Serialize>(body: &B) -> Result<String, String>;
}

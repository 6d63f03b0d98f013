//! The services as they are in production, but for what surrounds their decisions: their tables are maps here.

mod customers;
mod deliveries;
mod kitchens;
mod orders;
mod payments;
mod restaurants;
mod views;

use contracts::Topic;
use messaging::{Fault, Interest, Message, Outgoing, Stamp};

pub(crate) use customers::Customers;
pub(crate) use deliveries::Deliveries;
pub(crate) use kitchens::Kitchens;
pub(crate) use orders::Orders;
pub(crate) use payments::{Call, Payments};
pub(crate) use restaurants::Restaurants;
pub(crate) use views::Views;

/// A consumer of topics.
pub(crate) trait Service {
    /// Its name, as a source of messages.
    fn name(&self) -> &'static str;

    /// What it reads.
    fn topics(&self) -> &'static [Topic];

    /// Whether a message is for it.
    fn interest(&self, message: &Message) -> Interest;

    /// Whether it keeps an inbox.
    fn remembers(&self) -> bool {
        true
    }

    /// Loads, decides, saves.
    fn decide(&mut self, message: &Message, stamp: &mut Stamp) -> Result<Vec<Outgoing>, Fault>;
}

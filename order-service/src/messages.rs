//! What the participants answer: given to the saga of their order.

use contracts::is_known;
use saga_postgres::Orchestrator;

use crate::{domain::Order, saga::definition};

/// Leads orders through their saga; handles `order-reply`.
pub type Orders = Orchestrator<Order>;

/// An orchestrator of all the definitions that orders may be under way on.
///
/// # Errors
/// A definition breaks a rule.
pub fn orchestrator() -> Result<Orders, saga::Invalid> {
    Ok(Orchestrator::new(definition()?.into(), is_known))
}

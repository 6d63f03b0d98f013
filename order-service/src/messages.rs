//! What the participants answer: given to the saga of their order.

use contracts::is_known;
use saga::Policy;
use saga_postgres::{Definitions, Invalid, Orchestrator};

use crate::{
    domain::Order,
    saga::{definition, version_1},
};

/// Leads orders through their saga; handles `order-reply`.
pub type Orders = Orchestrator<Order>;

/// All the definitions that orders may be under way on, with so much patience in each step.
///
/// # Errors
/// A definition breaks a rule, or two have one version.
pub fn definitions(patience: Policy) -> Result<Definitions<Order>, Invalid> {
    let old = version_1::definition(patience)?;
    Definitions::from(definition(patience)?).and(old)
}

/// An orchestrator of all [`definitions`].
///
/// # Errors
/// See [`definitions`].
pub fn orchestrator(patience: Policy) -> Result<Orders, Invalid> {
    Ok(Orchestrator::new(definitions(patience)?, is_known))
}

//! Customers, and the verdicts on the customers of orders. Pure: ids and times come in as values.

mod customer;
mod verification;

pub use customer::{Customer, CustomerState};
pub use verification::{VERSION, Verification};

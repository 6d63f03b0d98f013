//! A customer as clients see them.

use chrono::{DateTime, Utc};
use contracts::CustomerId;
use serde::Serialize;
use service::Problem;
use utoipa::ToSchema;

use crate::domain::{Customer, CustomerState};

/// A customer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Customer)]
pub(super) struct CustomerView {
    customer_id: CustomerId,
    name: String,
    email: String,
    state: CustomerState,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Customer> for CustomerView {
    fn from(customer: Customer) -> Self {
        Self {
            customer_id: customer.customer_id,
            name: customer.name,
            email: customer.email,
            state: customer.state,
            version: customer.version,
            created_at: customer.created_at,
            updated_at: customer.updated_at,
        }
    }
}

/// There is no customer of this id.
pub(super) fn unknown(id: CustomerId) -> Problem {
    Problem::not_found(format!("there is no customer {id}"))
}

//! `POST /customers`: a new customer.

use axum::extract::State;
use contracts::CustomerId;
use futures_util::FutureExt;
use garde::Validate;
use messaging::Store;
use serde::{Deserialize, Serialize};
use service::{
    Problem,
    extract::Keyed,
    idempotency::{Answer, Once},
};
use utoipa::ToSchema;

use super::view::CustomerView;
use crate::{domain::Customer, store};

/// A new customer.
#[derive(Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCustomer {
    /// What they are called.
    #[garde(length(chars, min = 1, max = 200), custom(legible))]
    #[schema(min_length = 1, max_length = 200, example = "Ada")]
    name: String,
    /// Where they get their letters.
    #[garde(length(chars, max = 254), custom(legible), custom(address))]
    #[schema(format = Email, max_length = 254, example = "ada@example.org")]
    email: String,
}

/// A text with something to read in it, and nothing that cannot be read.
fn legible(text: &str, (): &()) -> garde::Result {
    if text.trim().is_empty() {
        return Err(garde::Error::new("must not be blank"));
    }
    if text.chars().any(char::is_control) {
        return Err(garde::Error::new("must not contain control characters"));
    }
    Ok(())
}

/// Something that a letter could be sent to. Whether it arrives, only a letter can tell.
fn address(text: &str, (): &()) -> garde::Result {
    let is_address = text.rsplit_once('@').is_some_and(|(user, host)| {
        let spaced = text.contains(char::is_whitespace);
        !user.is_empty() && !user.contains('@') && !host.is_empty() && !spaced
    });
    match is_address {
        true => Ok(()),
        false => Err(garde::Error::new("must be an address like ada@example.org")),
    }
}

/// A new customer, who may order at once.
#[utoipa::path(
    post,
    path = "/customers",
    tag = "customers",
    params(Once),
    request_body = NewCustomer,
    responses(
        (status = CREATED, body = CustomerView, headers(("Location" = String))),
        (status = "4XX", body = Problem),
        Once
    )
)]
pub(super) async fn register_customer(
    State(store): State<Store>,
    Keyed { once, body }: Keyed<NewCustomer>,
) -> Result<Answer, Problem> {
    let NewCustomer { name, email } = body;
    let id = CustomerId::new(ambient::new_id());
    let customer = Customer::register(id, name, email, ambient::now());
    let view = CustomerView::from(customer.clone());
    let answer = Answer::created(Some(format!("/customers/{id}")), &view)?;
    let registered = once.insert(&store, answer, |db| {
        async move { store::insert(&db, &customer).await }.boxed()
    });
    registered.await
}

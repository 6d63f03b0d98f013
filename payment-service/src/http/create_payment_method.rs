//! `POST /payment-methods`: exchanges a card for a token, and keeps the token only.

use std::time::Duration;

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use contracts::{CustomerId, PaymentMethodId};
use garde::Validate;
use serde::{Deserialize, Serialize};
use service::{Problem, extract::Json};
use utoipa::ToSchema;

use super::Api;
use crate::{
    domain::{Card, Expiry, Method, Secret, card},
    gateway::Tokenised,
    store,
};

const RETRY_AFTER: Duration = Duration::from_secs(2);
const LONGEST_HOLDER: usize = 100;

/// A card, as its holder types it. Nothing of it is kept but its brand, its last four digits and its last month.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewPaymentMethod {
    /// Whose it is.
    #[garde(skip)]
    customer_id: CustomerId,
    /// 12 to 19 digits, in groups or not.
    #[garde(custom(check_card_number))]
    #[schema(value_type = String, example = "4242 4242 4242 4242")]
    card_number: Secret,
    /// The card's last month.
    #[garde(range(min = 1, max = 12))]
    #[schema(minimum = 1, maximum = 12, example = 12)]
    expiry_month: i16,
    /// Its year, four digits.
    #[garde(range(min = 2000, max = 2099))]
    #[schema(minimum = 2000, maximum = 2099, example = 2030)]
    expiry_year: i16,
    /// 3 or 4 digits.
    #[garde(custom(check_cvc))]
    #[schema(value_type = String, example = "123")]
    cvc: Secret,
    /// The name on the card.
    #[garde(custom(check_holder))]
    #[schema(value_type = String, example = "A. Customer")]
    holder: Secret,
}

/// What the card is called from now on, and what people recognise it by.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentMethod {
    payment_method_id: PaymentMethodId,
    #[schema(example = "visa")]
    brand: String,
    #[schema(example = "4242")]
    last4: String,
}

/// Exchanges a card for a token, and keeps the token only.
#[utoipa::path(
    post,
    path = "/payment-methods",
    tag = "payment",
    request_body = NewPaymentMethod,
    responses(
        (status = CREATED, body = PaymentMethod),
        (status = "4XX", body = Problem),
        (status = SERVICE_UNAVAILABLE, body = Problem, description = "The gateway is away"),
    )
)]
pub(super) async fn create_payment_method(
    State(api): State<Api>,
    Json(new): Json<NewPaymentMethod>,
) -> Result<(StatusCode, Json<PaymentMethod>), Problem> {
    let now = ambient::now();
    let customer_id = new.customer_id;
    let card = new.card(now)?;
    let method = tokenise(&api, &card, customer_id).await?;
    store::insert_method(api.store.db(), &method, now).await?;
    let answer = PaymentMethod {
        payment_method_id: method.id,
        brand: method.brand,
        last4: method.last4,
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Asks the gateway, with no transaction open.
async fn tokenise(api: &Api, card: &Card, customer_id: CustomerId) -> Result<Method, Problem> {
    let tokenised = api.gateway.tokenise(card).await.map_err(|error| {
        tracing::warn!(%error, "a card could not be exchanged for a token");
        Problem::unavailable(
            "the payment gateway cannot be asked at the moment",
            RETRY_AFTER,
        )
    })?;
    match tokenised {
        Tokenised::Refused(field) => Err(Problem::invalid(field, "the gateway refuses it")),
        Tokenised::Token {
            token,
            brand,
            last4,
        } => Ok(Method {
            id: PaymentMethodId::new(ambient::new_id()),
            customer_id,
            token,
            brand,
            last4,
            expiry: card.expiry,
        }),
    }
}

impl NewPaymentMethod {
    /// The card, unless it has expired.
    fn card(self, now: DateTime<Utc>) -> Result<Card, Problem> {
        let number = card::number(&self.card_number);
        let number = number.map_err(|reason| Problem::invalid("cardNumber", reason))?;
        let expiry = Expiry {
            year: self.expiry_year,
            month: self.expiry_month,
        };
        if expiry.has_passed(now) {
            let problem = Problem::invalid("expiryMonth", "the card has expired");
            return Err(problem.with("expiryYear", "the card has expired"));
        }
        Ok(Card {
            number,
            expiry,
            cvc: self.cvc,
        })
    }
}

fn check_card_number(typed: &Secret, (): &()) -> garde::Result {
    card::number(typed).map(drop).map_err(garde::Error::new)
}

fn check_cvc(typed: &Secret, (): &()) -> garde::Result {
    card::check_cvc(typed).map_err(garde::Error::new)
}

/// A name has no digits: what has may be a card number in the wrong field.
fn check_holder(typed: &Secret, (): &()) -> garde::Result {
    let name = typed.expose().trim();
    if name.is_empty() || name.chars().count() > LONGEST_HOLDER {
        return Err(garde::Error::new("must be 1 to 100 characters"));
    }
    match name.chars().any(char::is_numeric) {
        true => Err(garde::Error::new("must be a name, without digits")),
        false => Ok(()),
    }
}

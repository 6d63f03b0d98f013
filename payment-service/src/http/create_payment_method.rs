//! `POST /payment-methods`: exchanges a card for a token, and keeps the token only.

use std::time::Duration;

use axum::extract::State;
use chrono::{DateTime, Utc};
use contracts::{CustomerId, PaymentMethodId};
use futures_util::FutureExt;
use garde::Validate;
use serde::{Deserialize, Serialize, Serializer};
use service::{
    Problem,
    extract::{IdempotencyKey, Keyed},
    idempotency::{Answer, Once},
};
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
///
/// What it serialises is what an `Idempotency-Key` is bound to. Number and CVC are left out: there are so few of them
/// that a hash of them could be guessed.
#[derive(Deserialize, Serialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewPaymentMethod {
    /// Whose it is.
    #[garde(skip)]
    customer_id: CustomerId,
    /// 12 to 19 digits, in groups or not.
    #[garde(custom(check_card_number))]
    #[serde(serialize_with = "left_out")]
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
    #[serde(serialize_with = "left_out")]
    #[schema(value_type = String, example = "123")]
    cvc: Secret,
    /// The name on the card.
    #[garde(custom(check_holder))]
    #[serde(serialize_with = "exposed")]
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

/// Exchanges a card for a token, and keeps the token only. To an `Idempotency-Key` the card's number and CVC are no part of the
/// body: the same key with another card gets the first card's answer.
#[utoipa::path(
    post,
    path = "/payment-methods",
    tag = "payment",
    params(Once),
    request_body = NewPaymentMethod,
    responses(
        (status = CREATED, body = PaymentMethod),
        (status = "4XX", body = Problem),
        (status = SERVICE_UNAVAILABLE, body = Problem, description = "The gateway is away"),
        Once
    )
)]
pub(super) async fn create_payment_method(
    State(api): State<Api>,
    Keyed { once, body }: Keyed<NewPaymentMethod>,
) -> Result<Answer, Problem> {
    check_key(once.key(), &body.card_number)?;
    let now = ambient::now();
    let exchange = async {
        let customer_id = body.customer_id;
        let method = tokenise(&api, &body.card(now)?, customer_id).await?;
        let answer = Answer::created(None, &PaymentMethod::from(&method))?;
        Ok((answer, method))
    };
    let created = once.insert_after(&api.store, api.lease, exchange, move |db, method| {
        async move { store::insert_method(&db, &method, now).await }.boxed()
    });
    created.await
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

impl From<&Method> for PaymentMethod {
    fn from(method: &Method) -> Self {
        Self {
            payment_method_id: method.id,
            brand: method.brand.clone(),
            last4: method.last4.clone(),
        }
    }
}

/// Keys are kept, and card numbers are not.
fn check_key(key: Option<&str>, typed: &Secret) -> Result<(), Problem> {
    let digits = |text: &str| Secret::new(text.chars().filter(char::is_ascii_digit).collect());
    let number = digits(typed.expose());
    match key.is_some_and(|key| digits(key).expose().contains(number.expose())) {
        true => Err(Problem::malformed(
            IdempotencyKey::HEADER,
            "must not be made of the card's number",
        )),
        false => Ok(()),
    }
}

fn left_out<S: Serializer>(_: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_none()
}

fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
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

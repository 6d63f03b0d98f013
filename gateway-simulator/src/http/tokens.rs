//! `POST /v1/tokens`: a card in, a token out. This is the only place that ever sees a card.

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use service::{Problem, extract::Json};

use super::Gateway;
use crate::{domain::Card, store::Token};

/// A card. No `Debug`: it must not get into a log.
#[derive(Deserialize, garde::Validate, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub(super) struct NewToken {
    #[schema(example = "4242 4242 4242 4242")]
    card_number: String,
    #[schema(minimum = 1, maximum = 12, example = 12)]
    expiry_month: u8,
    #[schema(example = 2030)]
    expiry_year: u16,
    #[schema(example = "123")]
    cvc: String,
}

/// What stands for the card from now on.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Tokenised {
    token: String,
    brand: String,
    last4: String,
}

/// Exchanges a card for a token.
#[utoipa::path(
    post, path = "/v1/tokens", request_body = NewToken,
    responses((status = 201, body = Tokenised), Problem)
)]
pub(super) async fn create(
    State(gateway): State<Gateway>,
    Json(new): Json<NewToken>,
) -> Result<(StatusCode, Json<Tokenised>), Problem> {
    let now = ambient::now();
    let NewToken {
        card_number,
        expiry_month,
        expiry_year,
        cvc,
    } = &new;
    let card = Card {
        number: card_number,
        expiry_month: *expiry_month,
        expiry_year: *expiry_year,
        cvc,
    };
    let card = card
        .recognise(now)
        .map_err(|refusal| Problem::invalid(refusal.field, refusal.detail))?;
    let token = format!("tok_{}", ambient::new_id().simple());
    gateway
        .store
        .keep(
            &Token {
                token: &token,
                card,
            },
            now,
        )
        .await?;
    let answer = Tokenised {
        token,
        brand: card.brand.to_owned(),
        last4: card.last4.to_owned(),
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

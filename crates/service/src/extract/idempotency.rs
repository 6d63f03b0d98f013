//! The `Idempotency-Key` header: requests with the same key are one request.

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::request::Parts,
};

use crate::Problem;

/// What the client calls this request, however often it sends it: 1 to 255 visible ASCII characters.
///
/// `IdempotencyKey` requires it, `Option<IdempotencyKey>` does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub String);

impl IdempotencyKey {
    /// The header.
    pub const HEADER: &'static str = "Idempotency-Key";
    /// Characters.
    pub const MAX_LENGTH: usize = 255;
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(parts)?
            .ok_or_else(|| Problem::malformed(IdempotencyKey::HEADER, "this header is required"))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        read(parts)
    }
}

fn read(parts: &Parts) -> Result<Option<IdempotencyKey>, Problem> {
    let mut values = parts.headers.get_all(IdempotencyKey::HEADER).iter();
    let key = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(key), None) => key.as_bytes(),
        (Some(_), Some(_)) => {
            return Err(Problem::malformed(
                IdempotencyKey::HEADER,
                "given more than once",
            ));
        }
    };
    if key.is_empty()
        || key.len() > IdempotencyKey::MAX_LENGTH
        || !key.iter().all(u8::is_ascii_graphic)
    {
        let detail = "must be 1 to 255 visible ASCII characters without spaces";
        return Err(Problem::malformed(IdempotencyKey::HEADER, detail));
    }
    Ok(Some(IdempotencyKey(
        String::from_utf8_lossy(key).into_owned(),
    )))
}

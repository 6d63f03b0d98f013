//! A JSON body that creates something, with the key that its client gave it.

use axum::extract::{FromRequest, OptionalFromRequestParts, Request};
use garde::Validate;
use serde::{Serialize, de::DeserializeOwned};

use super::{IdempotencyKey, Json};
use crate::{Problem, idempotency::Once};

/// A JSON body, and what makes its request happen once. The header is optional.
///
/// Rejections: those of [`Json`] and of [`IdempotencyKey`].
#[derive(Debug, Clone)]
pub struct Keyed<T> {
    /// Does what the request asks for.
    pub once: Once,
    /// What the request asks for.
    pub body: T,
}

impl<S, T> FromRequest<S> for Keyed<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Validate<Context = ()> + Serialize,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let key =
            <IdempotencyKey as OptionalFromRequestParts<S>>::from_request_parts(&mut parts, state)
                .await?;
        // Not the route: where a path has an id, the key belongs to what has that id.
        let named = key.map(|key| (key, format!("{} {}", parts.method, parts.uri.path())));
        let Json(body) = Json::from_request(Request::from_parts(parts, body), state).await?;
        let once = match named {
            Some((key, operation)) => Once::named(key, operation, &body)?,
            None => Once::unnamed(),
        };
        Ok(Self { once, body })
    }
}

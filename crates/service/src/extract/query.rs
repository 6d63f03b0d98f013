//! The query string: read, understood and validated.

use std::error::Error;

use axum::{extract::FromRequestParts, http::request::Parts};
use garde::Validate;
use serde::de::DeserializeOwned;

use super::{complaint, json};
use crate::Problem;

/// The parameters of the query string. What cannot be understood is a 400, what is refused a 422; both name the
/// parameter.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<S, T> FromRequestParts<S> for Query<T>
where
    S: Sync,
    T: DeserializeOwned + Validate<Context = ()>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let axum::extract::Query(value) = axum::extract::Query::<T>::try_from_uri(&parts.uri)
            .map_err(|rejection| refusal(&rejection))?;
        json::validate(&value)?;
        Ok(Self(value))
    }
}

/// The cause of the rejection reads `path: message`, or `message` alone where it is about the whole query.
fn refusal(rejection: &dyn Error) -> Problem {
    let text = rejection
        .source()
        .map_or_else(|| rejection.to_string(), ToString::to_string);
    let (path, message) = text
        .split_once(": ")
        .filter(|(path, _)| !path.contains(' '))
        .unwrap_or((".", &text));
    let (field, detail) = complaint::of_serde(&path, message);
    if field.is_empty() {
        Problem::unreadable(format!("the query: {detail}"))
    } else {
        Problem::malformed(field, detail)
    }
}

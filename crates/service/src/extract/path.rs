//! The parts of a path, such as ids.

use axum::{
    extract::{FromRequestParts, RawPathParams, path::ErrorKind, rejection::PathRejection},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use crate::Problem;

/// The parameters of the matched path. What cannot be understood is a 400 that names the parameter.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<S, T> FromRequestParts<S> for Path<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Send,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(error)) => {
                Err(refusal(error.into_kind(), &names(parts, state).await))
            }
            Err(error) => Err(Problem::internal(&error)),
        }
    }
}

/// The names of the parameters, in the order of the path.
async fn names<S: Send + Sync>(parts: &mut Parts, state: &S) -> Vec<String> {
    match RawPathParams::from_request_parts(parts, state).await {
        Ok(parameters) => parameters.iter().map(|(name, _)| name.to_owned()).collect(),
        Err(_) => Vec::new(),
    }
}

fn refusal(kind: ErrorKind, names: &[String]) -> Problem {
    let name = |index: usize| {
        names
            .get(index)
            .cloned()
            .unwrap_or_else(|| "path".to_owned())
    };
    match kind {
        ErrorKind::ParseErrorAtKey {
            key, expected_type, ..
        } => Problem::malformed(key, format!("expected {expected_type}")),
        ErrorKind::ParseErrorAtIndex {
            index,
            expected_type,
            ..
        } => Problem::malformed(name(index), format!("expected {expected_type}")),
        ErrorKind::ParseError { expected_type, .. } => {
            Problem::malformed(name(0), format!("expected {expected_type}"))
        }
        ErrorKind::InvalidUtf8InPathParam { key } => Problem::malformed(key, "expected UTF-8"),
        ErrorKind::DeserializeError { key, message, .. } => Problem::malformed(key, message),
        ErrorKind::Message(message) => Problem::malformed(name(0), message),
        wrong => Problem::internal(&Misdeclared(wrong.to_string())),
    }
}

/// The handler asks for parameters that its route does not have.
#[derive(Debug, thiserror::Error)]
#[error("a handler does not fit its route: {0}")]
struct Misdeclared(String);

//! A JSON body: read, understood and validated, or a problem that says why not.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use garde::Validate;
use serde::{Serialize, de::DeserializeOwned};

use super::complaint;
use crate::Problem;

/// A JSON body, also as an answer.
///
/// Rejections: 415 for another content type, 400 for what is no JSON, 422 for a field
/// that is missing, unknown (with `deny_unknown_fields`), of the wrong type or refused by its validation.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

/// A JSON body that may be left out.
#[derive(Debug, Clone, Copy)]
pub struct OptionalJson<T>(pub Option<T>);

impl<S, T> FromRequest<S> for Json<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Validate<Context = ()>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        require_json(request.headers())?;
        parse(&read(request, state).await?).map(Self)
    }
}

impl<S, T> FromRequest<S> for OptionalJson<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Validate<Context = ()>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let content_type = require_json(request.headers());
        let body = read(request, state).await?;
        if body.is_empty() {
            return Ok(Self(None));
        }
        content_type?;
        parse(&body).map(|value| Self(Some(value)))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = content_type
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "Content-Type must be application/json",
    )
    .with("Content-Type", "must be application/json"))
}

/// The server has taken the body already, within its limits.
async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    let body = Bytes::from_request(request, state).await;
    body.map_err(|rejection| Problem::new(rejection.status(), "the body cannot be read"))
}

/// Understands and validates a whole body.
fn parse<T>(body: &[u8]) -> Result<T, Problem>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value: T =
        serde_path_to_error::deserialize(&mut deserializer).map_err(|error| refusal(&error))?;
    deserializer
        .end()
        .map_err(|_| Problem::unreadable("the body goes on behind its JSON value"))?;
    // Serde would read a list as an object whose fields come in their order.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "the body: must be an object, and is a list",
        ));
    }
    validate(&value)?;
    Ok(value)
}

fn refusal(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let inner = error.inner();
    if !inner.is_data() {
        let (line, column) = (inner.line(), inner.column());
        return Problem::unreadable(format!(
            "the body is no JSON: see line {line}, column {column}"
        ));
    }
    let (field, detail) = complaint::of_serde(error.path(), &inner.to_string());
    if field.is_empty() {
        return Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("the body: {detail}"),
        );
    }
    Problem::invalid(field, detail)
}

/// Runs the validation that the type declares; all fields that fail are named.
pub(super) fn validate(value: &impl Validate<Context = ()>) -> Result<(), Problem> {
    let Err(report) = value.validate() else {
        return Ok(());
    };
    let mut errors = report.iter().map(|(path, error)| {
        let field = complaint::camel_case(&path.to_string());
        (field, error.message().to_owned())
    });
    let Some((field, detail)) = errors.next() else {
        return Ok(());
    };
    Err(errors.fold(
        Problem::invalid(field, detail),
        |problem, (field, detail)| problem.with(field, detail),
    ))
}

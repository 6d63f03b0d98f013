//! Executes a command and answers, in the way that the card makes it answer.

use std::io;

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use service::{
    Problem,
    extract::{IdempotencyKey, Json},
    idempotency::REPLAYED,
};

use super::{Delays, Gateway};
use crate::{
    domain::{Behaviour, Command},
    store::{Error, Executed, Stamp},
};

/// Executes `command` and answers.
pub(super) async fn to(
    gateway: &Gateway,
    IdempotencyKey(key): IdempotencyKey,
    command: Command,
) -> Result<Response, Problem> {
    let stamp = Stamp {
        key,
        now: ambient::now(),
        id: ambient::new_id(),
    };
    let executed = gateway.store.execute(command, &stamp).await?;
    Ok(deliver(executed, gateway.delays).await)
}

/// The ledger is written by now; only the answer is late or lost.
async fn deliver(executed: Executed, delays: Delays) -> Response {
    tokio::time::sleep(delays.latency).await;
    match executed {
        Executed {
            answer,
            repeated: true,
            ..
        } => ([(REPLAYED, "true")], Json(answer)).into_response(),
        Executed {
            behaviour: Behaviour::LosesAnswers,
            ..
        } => cut_off(),
        Executed {
            answer, behaviour, ..
        } => {
            if behaviour == Behaviour::AnswersLate {
                tokio::time::sleep(delays.late).await;
            }
            Json(answer).into_response()
        }
    }
}

/// Closes the connection instead of answering: a body that fails leaves the server no other choice.
fn cut_off() -> Response {
    let failing = stream::iter([Err::<Bytes, _>(io::Error::other(
        "the answer is lost on purpose",
    ))]);
    Body::from_stream(failing).into_response()
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::UnknownToken => {
                Self::not_found(error.to_string()).with("token", "is not known here")
            }
            Error::UnknownAuthorisation(_) => Self::not_found(error.to_string()),
            Error::KeyTaken => Self::invalid("Idempotency-Key", "was used for another request"),
            Error::Illegal(illegal) => Self::conflict(illegal.to_string()),
            Error::Database(error) => error.into(),
        }
    }
}

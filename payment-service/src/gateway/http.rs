//! The gateway over HTTP.

use std::{error::Error, fmt::Write, time::Duration};

use contracts::{Code, Money, OrderId, Reason};
use futures_util::FutureExt;
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Asked, Authorised, Failure, Gateway, Hold, Key, Tokenised};
use crate::domain::{Card, Secret};

/// Connections that wait for their next call; each costs some memory on both sides.
const IDLE_CONNECTIONS: usize = 32;
/// Sooner than servers close connections that nobody uses: a call must not meet one that is just being closed.
const IDLE: Duration = Duration::from_secs(10);

/// A client of a gateway; keeps its connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewToken<'a> {
    card_number: &'a str,
    expiry_month: i16,
    expiry_year: i16,
    cvc: &'a str,
}

#[derive(Deserialize)]
struct NewTokenAnswer {
    token: Secret,
    brand: String,
    last4: String,
}

/// What the gateway calls the parts of a card.
const CARD: [&str; 4] = ["cardNumber", "expiryMonth", "expiryYear", "cvc"];

#[derive(Default, Deserialize)]
struct GatewayProblem {
    #[serde(default)]
    errors: Vec<FieldProblem>,
}

#[derive(Deserialize)]
struct FieldProblem {
    field: String,
}

#[derive(Serialize)]
struct NewAuthorisation<'a> {
    token: &'a str,
    amount: Money,
    reference: OrderId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthorisationAnswer {
    authorisation_id: String,
    outcome: Verdict,
    #[serde(default)]
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Verdict {
    Approved,
    Declined,
}

impl Client {
    /// A client of the gateway at `base`, with so much patience per question.
    ///
    /// # Errors
    /// The machine cannot give it what it needs.
    pub fn new(base: &Url, patience: Duration) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            // The gateway is named by a setting; a proxy of the environment has no part in it.
            .no_proxy()
            .tcp_nodelay(true)
            .timeout(patience)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .pool_idle_timeout(IDLE)
            .build()?;
        let base = base.as_str().trim_end_matches('/').to_owned();
        Ok(Self { http, base })
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}/v1/{path}", self.base))
    }

    fn keyed(&self, path: &str, key: &Key) -> RequestBuilder {
        let request = self.post(path).header("Idempotency-Key", &key.text);
        match key.trace {
            Some(trace) => request.header("traceparent", trace.child().to_string()),
            None => request,
        }
    }

    /// Does `action` with an authorisation. It answers with what it did, which is known already.
    fn act<'a>(
        &'a self,
        action: &'static str,
        key: &'a Key,
        authorisation: &'a str,
    ) -> Asked<'a, ()> {
        let request = self.keyed(&format!("authorisations/{authorisation}/{action}"), key);
        async move {
            let response = send(request).await?;
            match response.status().is_success() {
                true => Ok(()),
                false => Err(unusable(&response)),
            }
        }
        .boxed()
    }
}

impl Gateway for Client {
    fn tokenise<'a>(&'a self, card: &'a Card) -> Asked<'a, Tokenised> {
        let request = self.post("tokens").json(&NewToken {
            card_number: card.number.expose(),
            expiry_month: card.expiry.month,
            expiry_year: card.expiry.year,
            cvc: card.cvc.expose(),
        });
        async move {
            let response = send(request).await?;
            if response.status() == StatusCode::UNPROCESSABLE_ENTITY {
                return refused(response).await;
            }
            let NewTokenAnswer {
                token,
                brand,
                last4,
            } = read(response).await?;
            Ok(Tokenised::Token {
                token,
                brand,
                last4,
            })
        }
        .boxed()
    }

    fn authorise<'a>(&'a self, key: &'a Key, hold: &'a Hold) -> Asked<'a, Authorised> {
        let request = self.keyed("authorisations", key).json(&NewAuthorisation {
            token: hold.token.expose(),
            amount: hold.amount,
            reference: hold.reference,
        });
        async move {
            let response = send(request).await?;
            let refusals = [StatusCode::NOT_FOUND, StatusCode::UNPROCESSABLE_ENTITY];
            if refusals.contains(&response.status()) {
                return refused_for_good(response).await;
            }
            let answer: AuthorisationAnswer = read(response).await?;
            Ok(match answer.outcome {
                Verdict::Approved => Authorised::Approved(answer.authorisation_id),
                Verdict::Declined => Authorised::Declined(declined(answer.reason)),
            })
        }
        .boxed()
    }

    fn capture<'a>(&'a self, key: &'a Key, authorisation: &'a str) -> Asked<'a, ()> {
        self.act("capture", key, authorisation)
    }

    fn void<'a>(&'a self, key: &'a Key, authorisation: &'a str) -> Asked<'a, ()> {
        self.act("void", key, authorisation)
    }

    fn refund<'a>(&'a self, key: &'a Key, authorisation: &'a str) -> Asked<'a, ()> {
        self.act("refund", key, authorisation)
    }
}

/// Which part of the card is refused. Only names that we know are passed on, and no words of the gateway.
async fn refused(response: Response) -> Result<Tokenised, Failure> {
    let bytes = response.bytes().await.map_err(away)?;
    let problem: GatewayProblem = serde_json::from_slice(&bytes).unwrap_or_default();
    let named = |part: &&str| problem.errors.iter().any(|error| error.field == **part);
    let field = CARD.into_iter().find(named);
    Ok(Tokenised::Refused(field.unwrap_or("cardNumber")))
}

/// What the gateway itself says is wrong with an authorisation, and will be wrong the next time. Any other refusal, for
/// instance of a proxy on the way, says nothing about the hold: it may stand, and is asked for again.
async fn refused_for_good(response: Response) -> Result<Authorised, Failure> {
    let unusable = unusable(&response);
    let bytes = response.bytes().await.map_err(away)?;
    let problem: GatewayProblem = serde_json::from_slice(&bytes).unwrap_or_default();
    let names = |field: &str| {
        problem
            .errors
            .iter()
            .any(|error| error.field.starts_with(field))
    };
    if names("token") {
        let detail = "The gateway does not know the card any more.";
        return Ok(Authorised::Declined(Reason::new(
            Code::CARD_UNUSABLE,
            detail,
        )));
    }
    if names("amount") {
        let detail = "The gateway does not hold such an amount.";
        return Ok(Authorised::Declined(Reason::new(
            Code::TOTAL_TOO_LARGE,
            detail,
        )));
    }
    Err(unusable)
}

/// The issuer's reason in our words. One that we do not know is passed on as it is.
fn declined(reason: Option<String>) -> Reason {
    match reason {
        Some(code) if code == Code::INSUFFICIENT_FUNDS.as_str() => {
            Reason::new(Code::INSUFFICIENT_FUNDS, "The card lacks the money.")
        }
        Some(code) if code != Code::CARD_DECLINED.as_str() => {
            Reason::new(Code::from(code), "The issuer declined the card.")
        }
        _ => Reason::new(Code::CARD_DECLINED, "The issuer declined the card."),
    }
}

/// Sends a question. What may be answered later is a failure here: a server that fails or is too busy.
async fn send(request: RequestBuilder) -> Result<Response, Failure> {
    let response = request.send().await.map_err(away)?;
    let status = response.status();
    let later = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    if status.is_server_error() || later.contains(&status) {
        return Err(Failure::Away(format!("HTTP {}", status.as_u16())));
    }
    Ok(response)
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Failure> {
    if !response.status().is_success() {
        return Err(unusable(&response));
    }
    let bytes = response.bytes().await.map_err(away)?;
    // Neither the body nor serde's message is repeated: there may be a token in it.
    serde_json::from_slice(&bytes)
        .map_err(|_| Failure::Unusable("its JSON has another form".to_owned()))
}

fn unusable(response: &Response) -> Failure {
    Failure::Unusable(format!("HTTP {}", response.status().as_u16()))
}

/// The error with its causes, without the address, which is in the settings.
fn away(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        // Writing to a String cannot fail.
        let _ = write!(text, ": {inner}");
        cause = inner.source();
    }
    Failure::Away(text)
}

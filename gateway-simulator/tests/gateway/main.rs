//! The simulator as payment-service meets it: over HTTP, on a real database.
#![expect(
    clippy::unwrap_used,
    reason = "test code: what breaks should end the test"
)]

mod cards;
mod idempotency;
mod money;

use std::net::SocketAddr;

use gateway_simulator::{Config, NAME, run};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use service::{Context, Settings};
use testing::Database;
use tokio::task::JoinHandle;

/// A running simulator. Stopped by [`Gateway::stop`], or left to the end of the test.
struct Gateway {
    address: SocketAddr,
    context: Context,
    running: JoinHandle<anyhow::Result<()>>,
    client: reqwest::Client,
}

impl Gateway {
    /// The simulator on `database`, whose late answers come after so many milliseconds.
    async fn start(database: &Database, late_ms: u64) -> Self {
        let service = Settings::local(NAME, Some(database.url()));
        let config = Config {
            service,
            latency_ms: 0,
            late_ms,
        };
        let context = Context::new(&config.service);
        let running = tokio::spawn(run(config, context.clone()));
        let address = context.address().await;
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            address,
            context,
            running,
            client,
        }
    }

    /// Ends as a process ends on SIGTERM.
    async fn stop(self) {
        drop(self.client);
        self.context.shutdown.cancel();
        self.running.await.unwrap().unwrap();
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("http://{}{path}", self.address))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("http://{}{path}", self.address))
    }

    async fn token(&self, number: &str) -> String {
        let answer = self
            .post("/v1/tokens")
            .json(&card(number))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        word(&read(answer).await, "token")
    }

    /// A request for a hold of 12.50 EUR.
    fn hold(&self, token: &str, reference: &str, key: &str) -> RequestBuilder {
        let amount = json!({"amount": 1_250, "currency": "EUR"});
        let body = json!({"token": token, "amount": amount, "reference": reference});
        self.post("/v1/authorisations")
            .header("Idempotency-Key", key)
            .json(&body)
    }

    fn act(&self, authorisation: &str, action: &str, key: &str) -> RequestBuilder {
        self.post(&format!("/v1/authorisations/{authorisation}/{action}"))
            .header("Idempotency-Key", key)
    }

    /// The id of a hold that was approved.
    async fn held(&self, number: &str, reference: &str) -> String {
        let token = self.token(number).await;
        let answer = good(self.hold(&token, reference, &format!("{reference}-hold"))).await;
        assert_eq!(answer["outcome"], "APPROVED");
        word(&answer, "authorisationId")
    }

    /// The kinds of the entries under `reference`, in their order.
    async fn ledger(&self, reference: &str) -> Vec<String> {
        let answer = good(self.get(&format!("/v1/ledger?reference={reference}"))).await;
        let entries = answer["entries"].as_array().unwrap();
        entries.iter().map(|entry| word(entry, "kind")).collect()
    }
}

fn card(number: &str) -> Value {
    let cvc = if number.starts_with('3') {
        "1234"
    } else {
        "123"
    };
    json!({"cardNumber": number, "expiryMonth": 12, "expiryYear": 2099, "cvc": cvc})
}

async fn read(answer: Response) -> Value {
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

/// The answer of a request that must succeed.
async fn good(request: RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    read(answer).await
}

/// The problem of a request that must be refused with `status`.
async fn refused(request: RequestBuilder, status: StatusCode) -> Value {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), status);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    read(answer).await
}

fn word(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap().to_owned()
}

//! HTTP as a client behind a load balancer has it: every attempt goes to the next instance, and none waits for ever.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Method;
use tokio::time::sleep;

use crate::platform::{Platform, Probe};

/// Takes orders.
pub const ORDERS: &str = "order-service";
/// Knows customers.
pub const CUSTOMERS: &str = "customer-service";
/// Knows restaurants and tickets.
pub const RESTAURANTS: &str = "restaurant-service";
/// Holds and takes money.
pub const PAYMENTS: &str = "payment-service";
/// Cooks.
pub const KITCHEN: &str = "kitchen-service";
/// Delivers.
pub const DELIVERY: &str = "delivery-service";
/// Shows orders.
pub const VIEW: &str = "order-view";
/// Publishes what services say.
pub const RELAY: &str = "message-relay";
/// Stands for a card network.
pub const GATEWAY: &str = "gateway-simulator";

/// After this nobody waits for an answer any longer: it may be a process that stands still.
const PATIENCE: Duration = Duration::from_secs(5);

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its HTTP status.
    pub status: u16,
    /// Its body, as text.
    pub body: String,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Who is asked.
    pub service: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// What is to be done.
    pub method: Method,
    /// JSON, if there is any.
    pub body: &'a str,
    /// The `Idempotency-Key`, if there is any.
    pub key: Option<&'a str>,
}

/// Talks to all services.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    addresses: Arc<BTreeMap<String, Vec<String>>>,
    tally: Arc<Tally>,
}

/// What was sent.
#[derive(Debug, Default)]
pub struct Tally {
    requests: AtomicU64,
    retries: AtomicU64,
}

impl Tally {
    /// Requests, those too that were sent again.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Those that were sent again.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }
}

impl<'a> Request<'a> {
    /// Reads something.
    pub fn get(service: &'a str, path: &'a str) -> Self {
        Self {
            service,
            path,
            method: Method::GET,
            body: "",
            key: None,
        }
    }

    /// Asks for something to be done.
    pub fn post(service: &'a str, path: &'a str, body: &'a str) -> Self {
        Self {
            method: Method::POST,
            body,
            ..Self::get(service, path)
        }
    }

    /// Puts something in the place of what was there.
    pub fn put(service: &'a str, path: &'a str, body: &'a str) -> Self {
        Self {
            method: Method::PUT,
            ..Self::post(service, path, body)
        }
    }

    /// With an `Idempotency-Key`.
    pub fn keyed(service: &'a str, path: &'a str, body: &'a str, key: &'a str) -> Self {
        Self {
            key: Some(key),
            ..Self::post(service, path, body)
        }
    }
}

impl Client {
    /// A client of all services of a platform.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn new(platform: &Platform) -> anyhow::Result<Self> {
        let mut addresses: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for member in platform
            .members
            .iter()
            .filter(|member| member.probe == Probe::Http)
        {
            let service = member.service().to_owned();
            addresses.entry(service).or_default().push(member.address());
        }
        Ok(Self {
            http: reqwest::Client::builder()
                .no_proxy()
                .timeout(PATIENCE)
                .build()?,
            addresses: Arc::new(addresses),
            tally: Arc::default(),
        })
    }

    /// What was sent so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Sends once, to the instance whose turn it is. Nothing: it found nobody, or broke off, or took too long.
    pub async fn send(&self, turn: usize, request: &Request<'_>) -> Option<Answer> {
        let instances = self.addresses.get(request.service)?;
        let address = instances.get(turn % instances.len())?;
        let url = format!("{address}{}", request.path);
        let mut builder = self.http.request(request.method.clone(), url);
        if !request.body.is_empty() {
            builder = builder
                .header("Content-Type", "application/json")
                .body(request.body.to_owned());
        }
        if let Some(key) = request.key {
            builder = builder.header("Idempotency-Key", key);
        }
        self.tally.requests.fetch_add(1, Ordering::Relaxed);
        let answer = builder.send().await.ok()?;
        let status = answer.status().as_u16();
        let body = answer.text().await.ok()?;
        Some(Answer { status, body })
    }

    /// Notes that something is sent again, and waits a little before that.
    pub async fn before_retry(&self, attempt: usize) {
        self.tally.retries.fetch_add(1, Ordering::Relaxed);
        sleep(pause(attempt)).await;
    }

    /// Sends until `done` has something to say about an answer, for as long as it takes. Every attempt is told, those too
    /// that got no answer.
    pub async fn insist<T>(
        &self,
        request: &Request<'_>,
        mut done: impl FnMut(Option<Answer>) -> Option<T>,
    ) -> T {
        let mut attempt = 0;
        loop {
            if let Some(value) = done(self.send(attempt, request).await) {
                return value;
            }
            self.before_retry(attempt).await;
            attempt += 1;
        }
    }
}

/// 50 ms, then ever longer, up to a second.
fn pause(attempt: usize) -> Duration {
    Duration::from_millis((50_u64 << attempt.min(5)).min(1_000))
}

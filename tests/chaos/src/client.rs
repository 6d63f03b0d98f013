//! HTTP as a client behind a load balancer has it: every attempt goes to the next instance, and none waits for ever.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Method;
use tokio::time::sleep;

use crate::platform::{Platform, Probe};

pub(crate) const ORDERS: &str = "order-service";
pub(crate) const CUSTOMERS: &str = "customer-service";
pub(crate) const RESTAURANTS: &str = "restaurant-service";
pub(crate) const PAYMENTS: &str = "payment-service";
pub(crate) const KITCHEN: &str = "kitchen-service";
pub(crate) const DELIVERY: &str = "delivery-service";
pub(crate) const VIEW: &str = "order-view";
pub(crate) const RELAY: &str = "message-relay";
pub(crate) const GATEWAY: &str = "gateway-simulator";

/// After this nobody waits for an answer any longer: it may be a process that stands still.
const PATIENCE: Duration = Duration::from_secs(5);

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Request<'a> {
    pub(crate) service: &'a str,
    pub(crate) path: &'a str,
    pub(crate) method: Method,
    /// JSON, if there is any.
    pub(crate) body: &'a str,
    pub(crate) key: Option<&'a str>,
}

/// Talks to all services.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    addresses: Arc<BTreeMap<String, Vec<String>>>,
    tally: Arc<Tally>,
}

/// What was sent.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    requests: AtomicU64,
    retries: AtomicU64,
}

impl Tally {
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }
}

impl<'a> Request<'a> {
    /// Reads something.
    pub(crate) fn get(service: &'a str, path: &'a str) -> Self {
        Self {
            service,
            path,
            method: Method::GET,
            body: "",
            key: None,
        }
    }

    /// Asks for something to be done.
    pub(crate) fn post(service: &'a str, path: &'a str, body: &'a str) -> Self {
        Self {
            method: Method::POST,
            body,
            ..Self::get(service, path)
        }
    }

    /// Puts something in the place of what was there.
    pub(crate) fn put(service: &'a str, path: &'a str, body: &'a str) -> Self {
        Self {
            method: Method::PUT,
            ..Self::post(service, path, body)
        }
    }

    /// With an `Idempotency-Key`.
    pub(crate) fn keyed(service: &'a str, path: &'a str, body: &'a str, key: &'a str) -> Self {
        Self {
            key: Some(key),
            ..Self::post(service, path, body)
        }
    }
}

impl Client {
    /// A client of all services of a platform.
    pub(crate) fn new(platform: &Platform) -> anyhow::Result<Self> {
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

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Sends once, to the instance whose turn it is. Nothing: it found nobody, or broke off, or took too long.
    pub(crate) async fn send(&self, turn: usize, request: &Request<'_>) -> Option<Answer> {
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
    pub(crate) async fn before_retry(&self, attempt: usize) {
        self.tally.retries.fetch_add(1, Ordering::Relaxed);
        sleep(pause(attempt)).await;
    }

    /// Sends until `done` has something to say about an answer, for as long as it takes. Every attempt is told, those too
    /// that got no answer.
    pub(crate) async fn insist<T>(
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

//! A client that costs little: kept connections, small bodies, addresses that were read once.

use std::time::Duration;

use anyhow::Context;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use visitor::client::{DELIVERY, KITCHEN, ORDERS, VIEW};
use visitor::platform::Platform;

/// After this nobody waits for an answer any longer.
const PATIENCE: Duration = Duration::from_secs(20);
/// A connection that nobody needs is closed before the server would do it.
const IDLE: Duration = Duration::from_secs(5);

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

/// Where the actions of an order are sent.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    pub(crate) orders: Uri,
    pub(crate) ready: Uri,
    pub(crate) picked_up: Uri,
    pub(crate) complete: Uri,
    view: String,
}

/// The connections of one thread.
#[derive(Debug, Clone)]
pub(crate) struct Connections(Client<HttpConnector, Full<Bytes>>);

impl Http {
    /// The addresses of a platform's first instances.
    ///
    /// # Errors
    /// A service is missing.
    pub(crate) fn of(platform: &Platform) -> anyhow::Result<Self> {
        let at = |service: &str, path: &str| -> anyhow::Result<Uri> {
            let address = platform.member(service)?.address();
            format!("{address}{path}").parse().context("an address")
        };
        Ok(Self {
            orders: at(ORDERS, "/orders")?,
            ready: at(KITCHEN, "/kitchen/ready")?,
            picked_up: at(DELIVERY, "/delivery/pickedup")?,
            complete: at(DELIVERY, "/delivery/complete")?,
            view: format!("{}/orders", platform.member(VIEW)?.address()),
        })
    }

    /// Where the view shows an order, at this version at least.
    ///
    /// # Errors
    /// The id is none.
    pub(crate) fn order(&self, id: &str, at_least: i64) -> anyhow::Result<Uri> {
        let text = format!("{}/{id}?atLeast={at_least}", self.view);
        text.parse().context("an order's address")
    }
}

impl Connections {
    /// None yet.
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self(
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE)
                .build(connector),
        )
    }

    /// Sends JSON. Nothing: there was no answer, or not in time.
    pub(crate) async fn post(&self, to: &Uri, body: String, key: Option<&str>) -> Option<Answer> {
        let mut request = Request::new(Full::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = to.clone();
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        if let Some(key) = key {
            let key = HeaderValue::from_str(key).ok()?;
            request.headers_mut().insert("idempotency-key", key);
        }
        self.send(request).await
    }

    /// Asks for something.
    pub(crate) async fn get(&self, from: Uri) -> Option<Answer> {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = from;
        self.send(request).await
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Option<Answer> {
        let exchange = async {
            let answer = self.0.request(request).await.ok()?;
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await.ok()?.to_bytes();
            Some(Answer { status, body })
        };
        tokio::time::timeout(PATIENCE, exchange)
            .await
            .ok()
            .flatten()
    }
}

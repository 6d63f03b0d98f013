//! A client that costs little and goes on: kept connections, small bodies, the next instance for each request, and for one that
//! found nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::ensure;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{sleep, timeout};
use visitor::client::{DELIVERY, KITCHEN, ORDERS, VIEW};
use visitor::platform::Platform;

/// After this nobody waits for an answer any longer.
const PATIENCE: Duration = Duration::from_secs(20);
/// A connection that nobody needs is closed before the server would do it.
const IDLE: Duration = Duration::from_secs(5);
/// How often a request that was lost goes to all instances again.
const ROUNDS: usize = 50;
/// Between two rounds: whoever was killed is about to be started again.
const ROUND: Duration = Duration::from_millis(100);

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

/// Where the actions of an order are sent.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    pub(crate) orders: Door,
    pub(crate) ready: Door,
    pub(crate) picked_up: Door,
    pub(crate) complete: Door,
    pub(crate) view: Door,
}

/// A path at every instance of its service, one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    instances: Arc<[String]>,
    turn: Arc<AtomicUsize>,
}

/// The connections of one thread.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    client: Client<HttpConnector, Full<Bytes>>,
    lost: Arc<Lost>,
}

/// Requests that got no answer and were sent again, to the next instance.
#[derive(Debug, Default)]
pub(crate) struct Lost {
    unreached: AtomicU64,
    broken: AtomicU64,
}

/// Why there was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// Nobody listens there.
    Unreached,
    /// The connection broke: whether it was done is open.
    Broken,
    /// It took too long.
    Late,
}

impl Http {
    /// The instances of a platform's services.
    ///
    /// # Errors
    /// A service is missing.
    pub(crate) fn of(platform: &Platform) -> anyhow::Result<Self> {
        let at = |service: &str, path: &str| {
            let instances = platform.instances(service).into_iter();
            Door::of(instances.map(|member| format!("{}{path}", member.address())))
        };
        Ok(Self {
            orders: at(ORDERS, "/orders")?,
            ready: at(KITCHEN, "/kitchen/ready")?,
            picked_up: at(DELIVERY, "/delivery/pickedup")?,
            complete: at(DELIVERY, "/delivery/complete")?,
            view: at(VIEW, "/orders")?,
        })
    }
}

impl Door {
    fn of(instances: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let instances: Arc<[String]> = instances.collect();
        ensure!(!instances.is_empty(), "a service has no instance");
        Ok(Self {
            instances,
            turn: Arc::default(),
        })
    }

    /// The instances that a request goes to as long as it is lost, beginning with the one whose turn it is.
    fn instances(&self) -> impl Iterator<Item = &str> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % self.instances.len();
        let all = self.instances.iter().cycle().skip(first);
        all.map(String::as_str).take(ROUNDS * self.instances.len())
    }
}

impl Lost {
    /// Those that found nobody listening.
    pub(crate) fn unreached(&self) -> u64 {
        self.unreached.load(Ordering::Relaxed)
    }

    /// Those whose connection broke before the answer was there.
    pub(crate) fn broken(&self) -> u64 {
        self.broken.load(Ordering::Relaxed)
    }
}

impl Connections {
    /// None yet.
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            client: Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE)
                .build(connector),
            lost: Arc::default(),
        }
    }

    /// What was lost on them.
    pub(crate) fn lost(&self) -> Arc<Lost> {
        Arc::clone(&self.lost)
    }

    /// Sends JSON. Nothing: there was no answer in time, or nobody to give one, for long.
    pub(crate) async fn post(&self, to: &Door, body: String, key: Option<&str>) -> Option<Answer> {
        let body = Bytes::from(body);
        let key = match key {
            Some(key) => Some(HeaderValue::from_str(key).ok()?),
            None => None,
        };
        self.ask(to, "", |request| {
            *request.body_mut() = Full::from(body.clone());
            *request.method_mut() = Method::POST;
            let headers = request.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            if let Some(key) = &key {
                headers.insert("idempotency-key", key.clone());
            }
        })
        .await
    }

    /// Asks for an order, at this version at least. Nothing: as [`post`](Self::post).
    pub(crate) async fn order(&self, view: &Door, id: &str, at_least: i64) -> Option<Answer> {
        let rest = format!("/{id}?atLeast={at_least}");
        self.ask(view, &rest, |_| {}).await
    }

    /// Asks until there is an answer. What was lost may have been done all the same: so everything that is asked for here may be
    /// asked for twice.
    async fn ask(
        &self,
        door: &Door,
        rest: &str,
        complete: impl Fn(&mut Request<Full<Bytes>>),
    ) -> Option<Answer> {
        for (attempt, instance) in (1..).zip(door.instances()) {
            let mut request = Request::new(Full::default());
            *request.uri_mut() = format!("{instance}{rest}").parse::<Uri>().ok()?;
            complete(&mut request);
            let lost = match self.send(request).await {
                Ok(answer) => return Some(answer),
                Err(Failure::Late) => return None,
                Err(Failure::Unreached) => &self.lost.unreached,
                Err(Failure::Broken) => &self.lost.broken,
            };
            lost.fetch_add(1, Ordering::Relaxed);
            if attempt % door.instances.len() == 0 {
                sleep(ROUND).await;
            }
        }
        None
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer, Failure> {
        let exchange = async {
            let answer = self.client.request(request).await.map_err(|error| {
                if error.is_connect() {
                    Failure::Unreached
                } else {
                    Failure::Broken
                }
            })?;
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await;
            let body = body.map_err(|_| Failure::Broken)?.to_bytes();
            Ok(Answer { status, body })
        };
        timeout(PATIENCE, exchange)
            .await
            .unwrap_or(Err(Failure::Late))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn door(instances: &[&str]) -> Door {
        Door::of(instances.iter().map(|&instance| instance.to_owned())).unwrap()
    }

    /// Where nobody listens.
    fn nobody() -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    }

    /// Takes a connection, reads a request, says this and hangs up; over and over.
    async fn says(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).await.unwrap();
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        address
    }

    #[test]
    fn every_request_begins_at_the_next_instance_and_goes_round_a_bounded_number_of_times() {
        let door = door(&["a", "b", "c"]);
        let first: Vec<_> = door.instances().take(4).collect();
        assert_eq!(first, ["a", "b", "c", "a"]);
        assert_eq!(door.instances().next(), Some("b"));
        assert_eq!(door.instances().count(), 3 * ROUNDS);
    }

    #[test]
    fn a_service_without_instances_is_refused() {
        assert!(Door::of(std::iter::empty()).is_err());
    }

    #[tokio::test]
    async fn who_finds_nobody_or_is_cut_off_asks_the_next_instance_and_that_is_counted() {
        let (gone, mute) = (nobody(), says("").await);
        let well =
            says("HTTP/1.1 201 Created\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").await;
        let connections = Connections::new();
        let door = door(&[&gone, &mute, &well]);
        let answer = connections.post(&door, "{}".to_owned(), Some("key")).await;
        let Answer { status, body } = answer.unwrap();
        assert_eq!((status, &*body), (201, &b"ok"[..]));
        let lost = connections.lost();
        assert_eq!((lost.unreached(), lost.broken()), (1, 1));
    }
}

//! What a running service shares with the process around it: when to stop, how it feels, what it spawned.

use std::{
    any::Any,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, anyhow};
use futures_util::FutureExt;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    Settings,
    health::Health,
    http::{self, Limits},
};

/// The surroundings of a running service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Context {
    /// Cancelled when the process must stop. Long-lived work ends when it sees that.
    pub shutdown: CancellationToken,
    /// What the process tells about its state.
    pub health: Health,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: String,
    http_addr: SocketAddr,
    tasks: TaskTracker,
    failure: Mutex<Option<anyhow::Error>>,
    address: watch::Sender<Option<SocketAddr>>,
}

impl Context {
    /// The surroundings of a service with these settings, before it serves.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let inner = Inner {
            name: settings.name.clone(),
            http_addr: settings.http_addr,
            tasks: TaskTracker::new(),
            failure: Mutex::new(None),
            address: watch::Sender::new(None),
        };
        Self {
            shutdown: CancellationToken::new(),
            health: Health::default(),
            inner: Arc::new(inner),
        }
    }

    /// Runs `work` beside the service. When it fails or panics the process stops, with that as its error: a service
    /// that lacks one of its parts is better restarted than kept. On shutdown it is waited for.
    pub fn spawn<F, E>(&self, name: &'static str, work: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<anyhow::Error>,
    {
        let context = self.clone();
        self.inner.tasks.spawn(async move {
            match AssertUnwindSafe(work).catch_unwind().await {
                Ok(Ok(())) => tracing::debug!(task = name, "ended"),
                Ok(Err(error)) => context.fail(error.into().context(format!("task {name} failed"))),
                Err(panic) => {
                    context.fail(anyhow!("task {name} panicked: {}", message(panic.as_ref())));
                }
            }
        });
    }

    /// Serves `router` until shutdown, together with the paths that every service has, and behind all limits.
    /// Requests that are under way then are finished.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn serve(&self, router: OpenApiRouter) -> anyhow::Result<()> {
        let address = self.inner.http_addr;
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!("HTTP_ADDR {address} cannot be bound: is another process there?")
        })?;
        let limits = Limits::default();
        let router = http::router(
            &self.inner.name,
            router,
            &self.health,
            &self.inner.tasks,
            limits,
        )?;
        let address = listener.local_addr()?;
        self.inner.address.send_replace(Some(address));
        tracing::info!(%address, "serving");
        http::serve(listener, router, self.shutdown.clone(), limits).await;
        Ok(())
    }

    /// The address that is served, as soon as it is.
    pub async fn address(&self) -> SocketAddr {
        let mut address = self.inner.address.subscribe();
        loop {
            if let Some(address) = *address.borrow_and_update() {
                return address;
            }
            // The sender lives in `self`.
            let _ = address.changed().await;
        }
    }

    /// Stops the process with `error`, unless it is already stopping with another one.
    pub(crate) fn fail(&self, error: anyhow::Error) {
        let mut failure = self
            .inner
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match failure.as_ref() {
            None => *failure = Some(error),
            Some(_) => tracing::warn!("failed too, while stopping: {error:#}"),
        }
        drop(failure);
        self.shutdown.cancel();
    }

    /// Waits for everything that was spawned.
    pub(crate) async fn tasks_to_end(&self) {
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    pub(crate) fn is_serving(&self) -> bool {
        self.inner.address.borrow().is_some()
    }

    /// How it went. Gives an error once.
    pub(crate) fn outcome(&self) -> anyhow::Result<()> {
        let failure = self
            .inner
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        failure.map_or(Ok(()), Err)
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

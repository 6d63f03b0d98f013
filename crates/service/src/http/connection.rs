//! Serves connections until shutdown, then finishes what is under way.

use std::{sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::sync::CancellationToken;

use super::{accept, limits::Limits};

/// Serves `router` until `shutdown`, then lets requests that are under way finish, for `limits.drain_time` at most.
///
/// Not axum's own loop: that one lets a client take for ever to send its headers.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    limits: Limits,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let connections = GracefulShutdown::new();
    let server = server(limits);
    while let Some((stream, place)) = next(&listener, &places, &shutdown).await {
        let service = TowerToHyperService::new(router.clone());
        let connection = connections.watch(server.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
            drop(place);
        });
    }
    drop(listener);
    drain(connections, limits.drain_time).await;
}

fn server(limits: Limits) -> http1::Builder {
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_buf_size(limits.buffer);
    server
}

/// The next connection and its place among those that are allowed; nothing at shutdown.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    shutdown: &CancellationToken,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let connection = async {
        let place = Arc::clone(places).acquire_owned().await.ok()?;
        Some((accept::next(listener).await, place))
    };
    shutdown.run_until_cancelled(connection).await.flatten()
}

async fn drain(connections: GracefulShutdown, patience: Duration) {
    let open = connections.count();
    if tokio::time::timeout(patience, connections.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(
            open,
            "connections were cut off: their requests took longer than the shutdown may"
        );
    }
}

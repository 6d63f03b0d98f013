//! Requests: too many, too long, broken off, panicking.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    http::{StatusCode, header},
    routing,
};
use service::http::Limits;
use tokio::sync::Semaphore;
use tower::ServiceExt;

use crate::{ask, get, served};

/// A route that answers when it is allowed to, and remembers that it came to its end.
fn slow(gate: &Arc<Semaphore>, finished: &Arc<AtomicBool>) -> Router {
    let (gate, finished) = (Arc::clone(gate), Arc::clone(finished));
    let handler = || async move {
        let passed = gate.acquire().await.is_ok();
        finished.store(passed, Ordering::SeqCst);
        "done"
    };
    Router::new()
        .route("/slow", routing::get(handler))
        .route("/quick", routing::get(|| async { "done" }))
}

#[tokio::test]
async fn what_exceeds_the_places_is_refused_at_once_and_health_is_not() {
    let (gate, finished) = (Arc::new(Semaphore::new(0)), Arc::default());
    let router = served(
        slow(&gate, &finished),
        Limits {
            requests: 1,
            ..Limits::default()
        },
    );
    let first = tokio::spawn(router.clone().oneshot(get("/slow")));
    let refused = loop {
        let answer = ask(&router, get("/quick")).await;
        if answer.status != StatusCode::OK {
            break answer;
        }
        tokio::task::yield_now().await;
    };
    refused.problem(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers[header::RETRY_AFTER], "1");
    assert_eq!(
        ask(&router, get("/health/live")).await.status,
        StatusCode::OK
    );
    gate.add_permits(1);
    assert_eq!(first.await.unwrap().unwrap().status(), StatusCode::OK);
    assert_eq!(ask(&router, get("/quick")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_answered_and_finished_nevertheless() {
    let (gate, finished) = (Arc::new(Semaphore::new(0)), Arc::default());
    let limits = Limits {
        request_time: Duration::from_millis(20),
        ..Limits::default()
    };
    let router = served(slow(&gate, &finished), limits);
    let answer = ask(&router, get("/slow")).await;
    answer.problem(StatusCode::SERVICE_UNAVAILABLE);
    gate.add_permits(1);
    until(&finished).await;
}

#[tokio::test]
async fn a_client_that_hangs_up_cancels_nothing() {
    let (gate, finished) = (Arc::new(Semaphore::new(0)), Arc::default());
    let router = served(slow(&gate, &finished), Limits::default());
    let abandoned = tokio::time::timeout(Duration::from_millis(20), router.oneshot(get("/slow")));
    assert!(abandoned.await.is_err());
    gate.add_permits(1);
    until(&finished).await;
}

async fn until(finished: &AtomicBool) {
    let finish = async {
        while !finished.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), finish)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_panic_is_a_problem_that_tells_nothing() {
    let handler = || async {
        assert!(std::hint::black_box(false), "4242424242424242");
        "unreachable"
    };
    let router = served(
        Router::new().route("/", routing::get(handler)),
        Limits::default(),
    );
    let answer = ask(&router, get("/")).await;
    answer.problem(StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!answer.text.contains("4242"));
}

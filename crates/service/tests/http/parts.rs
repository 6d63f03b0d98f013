//! Paths, queries and headers: what is refused, and what is named.

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    routing,
};
use serde::Deserialize;
use service::{
    extract::{IdempotencyKey, Path, Query, Trace},
    http::Limits,
};
use uuid::Uuid;

use crate::{ask, get, served};

#[derive(Debug, Deserialize, garde::Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Page {
    #[garde(skip)]
    customer_id: Option<Uuid>,
    #[garde(range(min = 1, max = 100))]
    #[serde(default = "ten")]
    page_size: u32,
}

const fn ten() -> u32 {
    10
}

fn routes() -> Router {
    let order = |Path(id): Path<Uuid>| async move { id.to_string() };
    let item = |Path((id, item)): Path<(Uuid, u32)>| async move { format!("{id} {item}") };
    let orders = |Query(page): Query<Page>| async move {
        format!("{:?} {}", page.customer_id, page.page_size)
    };
    let pay = |IdempotencyKey(key): IdempotencyKey| async move { key };
    let place =
        |key: Option<IdempotencyKey>| async move { key.map_or_else(String::new, |key| key.0) };
    let trace = |Trace(trace): Trace| async move { trace.to_string() };
    let routes = Router::new()
        .route("/orders", routing::get(orders).post(place))
        .route("/orders/{orderId}", routing::get(order))
        .route("/orders/{orderId}/items/{item}", routing::get(item))
        .route("/pay", routing::post(pay))
        .route("/trace", routing::get(trace));
    served(routes, Limits::default())
}

const ID: &str = "0190b5a0-0000-7000-8000-000000000001";

#[tokio::test]
async fn a_malformed_id_is_named() {
    assert_eq!(ask(&routes(), get(&format!("/orders/{ID}"))).await.text, ID);
    for (path, name) in [
        ("/orders/42".to_owned(), "orderId"),
        ("/orders/%ff".to_owned(), "orderId"),
        ("/orders/42/items/1".to_owned(), "orderId"),
        (format!("/orders/{ID}/items/first"), "item"),
    ] {
        let answer = ask(&routes(), get(&path)).await;
        assert_eq!(
            answer.problem(StatusCode::BAD_REQUEST),
            [name],
            "{path}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn a_malformed_query_is_named() {
    assert_eq!(ask(&routes(), get("/orders")).await.text, "None 10");
    for (query, name) in [
        ("customerId=42", "customerId"),
        ("pageSize=many", "pageSize"),
        ("pagesize=5", "pagesize"),
        ("pageSize=5&pageSize=6", "pageSize"),
    ] {
        let answer = ask(&routes(), get(&format!("/orders?{query}"))).await;
        assert_eq!(
            answer.problem(StatusCode::BAD_REQUEST),
            [name],
            "{query}: {}",
            answer.text
        );
    }
    for query in ["pageSize=0", "pageSize=101"] {
        let answer = ask(&routes(), get(&format!("/orders?{query}"))).await;
        assert_eq!(
            answer.problem(StatusCode::UNPROCESSABLE_ENTITY),
            ["pageSize"]
        );
    }
}

fn with_key(path: &str, keys: &[&str]) -> Request<Body> {
    let request = keys.iter().fold(Request::post(path), |request, key| {
        request.header("Idempotency-Key", *key)
    });
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn an_idempotency_key_is_one_short_word() {
    assert_eq!(ask(&routes(), with_key("/pay", &["a-1"])).await.text, "a-1");
    assert_eq!(ask(&routes(), with_key("/orders", &[])).await.text, "");
    let long = "k".repeat(256);
    for keys in [&[][..], &[""], &["a b"], &["a", "b"], &[long.as_str()]] {
        let answer = ask(&routes(), with_key("/pay", keys)).await;
        assert_eq!(
            answer.problem(StatusCode::BAD_REQUEST),
            ["Idempotency-Key"],
            "{keys:?}"
        );
    }
}

#[tokio::test]
async fn a_request_is_a_step_of_its_clients_trace() {
    let asked = |traces: &[&str]| {
        let request = traces
            .iter()
            .fold(Request::get("/trace"), |request, trace| {
                request.header("traceparent", *trace)
            });
        request.body(Body::empty()).unwrap()
    };
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let step = ask(&routes(), asked(&[trace])).await.text;
    assert!(
        step.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"),
        "{step}"
    );
    assert_ne!(step, trace);
    for unusable in [&[][..], &["nonsense"], &[trace, trace]] {
        let step = ask(&routes(), asked(unusable)).await.text;
        assert!(
            step.starts_with("00-") && !step.contains("4bf92f"),
            "{step}"
        );
    }
}

//! JSON bodies: what is refused, and which field is named.

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
    routing,
};
use serde::Deserialize;
use service::{
    extract::{Json, OptionalJson},
    http::Limits,
};
use uuid::Uuid;

use crate::{Answer, ask, post, served};

#[derive(Debug, Deserialize, garde::Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewOrder {
    #[garde(skip)]
    #[expect(dead_code, reason = "only read by serde")]
    customer_id: Uuid,
    #[garde(length(min = 1), dive)]
    order_items: Vec<Item>,
}

#[derive(Debug, Deserialize, garde::Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Item {
    #[garde(length(min = 1))]
    menu_item: String,
    #[garde(range(min = 1, max = 99))]
    quantity: u32,
}

async fn place(Json(order): Json<NewOrder>) -> String {
    order
        .order_items
        .iter()
        .map(|item| format!("{}×{}", item.quantity, item.menu_item))
        .collect()
}

async fn ready(OptionalJson(item): OptionalJson<Item>) -> String {
    item.map_or_else(|| "all".to_owned(), |item| item.menu_item)
}

fn routes() -> Router {
    let routes = Router::new()
        .route("/orders", routing::post(place))
        .route("/ready", routing::post(ready));
    served(routes, Limits::default())
}

async fn send(body: impl Into<Body>) -> Answer {
    ask(&routes(), post("/orders", body)).await
}

/// A good body with one thing changed.
fn body(good: &str, changed: &str) -> String {
    let order = r#"{"customerId":"0190b5a0-0000-7000-8000-000000000001","orderItems":[{"menuItem":"soup","quantity":2}]}"#;
    assert!(order.contains(good), "{good}");
    order.replace(good, changed)
}

#[tokio::test]
async fn a_good_body_is_understood() {
    assert_eq!(send(body("", "")).await.text, "2×soup");
}

/// Serde would take the members of a list for the fields of an object.
#[tokio::test]
async fn a_list_is_no_object() {
    let list = r#" ["0190b5a0-0000-7000-8000-000000000001",[{"menuItem":"soup","quantity":2}]]"#;
    let answer = send(list).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text.contains("must be an object"), "{}", answer.text);
}

#[tokio::test]
async fn fields_that_cannot_be_understood_are_named() {
    for (good, changed, field) in [
        (
            r#""quantity":2"#,
            r#""quantity":2,"price":1"#,
            "orderItems[0].price",
        ),
        (r#""menuItem":"soup","#, "", "orderItems[0].menuItem"),
        (
            r#""quantity":2"#,
            r#""quantity":"2""#,
            "orderItems[0].quantity",
        ),
        (
            r#""quantity":2"#,
            r#""quantity":-2"#,
            "orderItems[0].quantity",
        ),
        (
            r#""quantity":2"#,
            r#""quantity":2,"quantity":3"#,
            "orderItems[0].quantity",
        ),
        ("0190b5a0-", "", "customerId"),
        (r#""customerId""#, r#""customer""#, "customer"),
        (
            r#"{"customerId""#,
            r#"{"isAdmin":true,"customerId""#,
            "isAdmin",
        ),
    ] {
        let answer = send(body(good, changed)).await;
        assert_eq!(
            answer.problem(StatusCode::UNPROCESSABLE_ENTITY),
            [field],
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn values_that_are_refused_are_named_as_the_client_wrote_them() {
    for quantity in ["0", "100"] {
        let answer = send(body(
            r#""quantity":2"#,
            &format!(r#""quantity":{quantity}"#),
        ))
        .await;
        assert_eq!(
            answer.problem(StatusCode::UNPROCESSABLE_ENTITY),
            ["orderItems[0].quantity"]
        );
    }
    let answer = send(body(r#"{"menuItem":"soup","quantity":2}"#, "")).await;
    assert_eq!(
        answer.problem(StatusCode::UNPROCESSABLE_ENTITY),
        ["orderItems"]
    );
    let answer = send(body(r#""soup","quantity":2"#, r#""","quantity":0"#)).await;
    let both = ["orderItems[0].menuItem", "orderItems[0].quantity"];
    assert_eq!(answer.problem(StatusCode::UNPROCESSABLE_ENTITY), both);
}

#[tokio::test]
async fn no_answer_repeats_what_was_sent() {
    let answer = send(body(r#""quantity":2"#, r#""quantity":"4242424242424242""#)).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!answer.text.contains("4242"), "{}", answer.text);
}

#[tokio::test]
async fn what_is_no_json_is_a_bad_request() {
    for broken in [
        body("}]}", ""),
        body("}]}", "}]} {}"),
        body("}]}", "}]}}"),
        "hello".to_owned(),
        String::new(),
    ] {
        send(broken).await.problem(StatusCode::BAD_REQUEST);
    }
    send(&[0xff, 0xfe, b'{'][..])
        .await
        .problem(StatusCode::BAD_REQUEST);
    send("[]").await.problem(StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn another_content_type_is_refused() {
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "",
    ] {
        let request = Request::post("/orders")
            .header(header::CONTENT_TYPE, content_type)
            .body(body("", "").into());
        ask(&routes(), request.unwrap())
            .await
            .problem(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let none = Request::post("/orders").body(body("", "").into()).unwrap();
    ask(&routes(), none)
        .await
        .problem(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let charset =
        Request::post("/orders").header(header::CONTENT_TYPE, "application/json; charset=utf-8");
    let answer = ask(&routes(), charset.body(body("", "").into()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn more_than_64_kib_are_refused() {
    let fill = |length: usize| body("soup", &"s".repeat(length));
    let frame = body("soup", "").len();
    assert_eq!(send(fill(64 * 1024 - frame)).await.status, StatusCode::OK);
    send(fill(64 * 1024 - frame + 1))
        .await
        .problem(StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn an_optional_body_may_be_left_out_but_not_be_wrong() {
    let ready = |content_type: Option<&str>, body: &'static str| {
        let request = Request::post("/ready");
        let request = match content_type {
            Some(content_type) => request.header(header::CONTENT_TYPE, content_type),
            None => request,
        };
        request.body(Body::from(body)).unwrap()
    };
    let json = Some("application/json");
    assert_eq!(ask(&routes(), ready(None, "")).await.text, "all");
    assert_eq!(ask(&routes(), ready(json, "")).await.text, "all");
    let one = r#"{"menuItem":"soup","quantity":1}"#;
    assert_eq!(ask(&routes(), ready(json, one)).await.text, "soup");
    ask(&routes(), ready(None, one))
        .await
        .problem(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let answer = ask(&routes(), ready(json, "{}")).await;
    assert_eq!(
        answer.problem(StatusCode::UNPROCESSABLE_ENTITY),
        ["menuItem"]
    );
    ask(&routes(), ready(json, "null"))
        .await
        .problem(StatusCode::UNPROCESSABLE_ENTITY);
}

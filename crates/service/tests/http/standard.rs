//! The paths that every service has, and what is answered where there is none.

use axum::{
    Router,
    http::{StatusCode, header},
    routing,
};
use sea_orm::{SqlxPostgresConnector, sqlx::postgres::PgPoolOptions};
use service::{
    health::Health,
    http::{self, Limits},
};
use tokio_util::task::TaskTracker;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{ask, get, post, served};

#[tokio::test]
async fn an_unknown_path_and_a_wrong_method_are_problems() {
    let router = served(
        Router::new().route("/orders", routing::get(|| async {})),
        Limits::default(),
    );
    ask(&router, get("/order"))
        .await
        .problem(StatusCode::NOT_FOUND);
    let answer = ask(&router, post("/orders", "{}")).await;
    answer.problem(StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.headers[header::ALLOW], "GET,HEAD");
}

#[tokio::test]
async fn a_service_without_a_database_is_ready() {
    let router = served(Router::new(), Limits::default());
    assert_eq!(
        ask(&router, get("/health/live")).await.status,
        StatusCode::OK
    );
    let answer = ask(&router, get("/health/ready")).await;
    assert_eq!(
        (answer.status, answer.json()["ready"].as_bool()),
        (StatusCode::OK, Some(true))
    );
}

#[tokio::test]
async fn a_database_that_is_away_makes_a_service_unready_and_kafka_is_only_told() {
    let health = Health::default();
    health.inform("kafka", || serde_json::json!({"up": false}));
    let router = |health| {
        http::router(
            "test",
            OpenApiRouter::new(),
            health,
            &TaskTracker::new(),
            Limits::default(),
        )
        .unwrap()
    };
    let answer = ask(&router(&health), get("/health/ready")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["kafka"]["up"], false);
    let nowhere = PgPoolOptions::new()
        .acquire_timeout(std::time::Duration::from_millis(50))
        .connect_lazy("postgres://nobody@127.0.0.1:1/nothing")
        .unwrap();
    health.database(SqlxPostgresConnector::from_sqlx_postgres_pool(nowhere));
    let answer = ask(&router(&health), get("/health/ready")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json()["database"], "down");
    assert_eq!(answer.json()["kafka"]["up"], false);
}

/// Says hello.
#[utoipa::path(get, path = "/hello/{name}", responses((status = 200, body = String), service::Problem))]
async fn hello() -> &'static str {
    "hello"
}

#[tokio::test]
async fn the_api_describes_itself_and_its_problems() {
    let routes = OpenApiRouter::new().routes(routes!(hello));
    let router = http::router(
        "greeter",
        routes,
        &Health::default(),
        &TaskTracker::new(),
        Limits::default(),
    )
    .unwrap();
    let openapi = ask(&router, get("/openapi.json")).await.json();
    assert_eq!(openapi["info"]["title"], "greeter");
    let answers = &openapi["paths"]["/hello/{name}"]["get"]["responses"];
    let schema = &answers["default"]["content"]["application/problem+json"]["schema"]["$ref"];
    assert_eq!(schema, "#/components/schemas/Problem");
    assert_eq!(
        openapi["components"]["schemas"]["Problem"]["properties"]["status"]["type"],
        "integer"
    );
    assert!(openapi["components"]["schemas"]["FieldError"].is_object());
}

#[tokio::test]
async fn requests_are_counted_by_route_and_not_by_path() {
    let routes = Router::new().route("/metered/{id}", routing::get(|| async {}));
    let router = served(routes, Limits::default());
    ask(&router, get("/metrics")).await;
    ask(&router, get("/metered/17")).await;
    ask(&router, get("/made-up-by-a-client")).await;
    let metrics = ask(&router, get("/metrics")).await.text;
    assert!(
        metrics
            .contains(r#"http_requests_total{method="GET",route="/metered/{id}",status="200"} 1"#),
        "{metrics}"
    );
    assert!(metrics.contains(
        r#"http_request_duration_seconds_bucket{method="GET",route="/metered/{id}",le="0.005"}"#
    ));
    assert!(!metrics.contains("made-up"));
}

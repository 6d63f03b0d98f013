//! `POST /payment-methods` and `GET /payments`, over HTTP.

use std::sync::Arc;

use axum::http::StatusCode;
use payment_service::{
    gateway::{Client, Gateway},
    http::{Api, router},
};
use serde_json::{Value, json};
use service::{Context, Settings};
use uuid::Uuid;

use crate::{
    scene::{Instance, PATIENCE, Scene, authorise, new_order, next_year},
    scripted::Scripted,
};

/// The service's HTTP server.
pub(crate) struct Server {
    context: Context,
    base: String,
}

impl Server {
    pub(crate) async fn start(scene: &Scene, gateway: Arc<dyn Gateway>) -> Self {
        let instance = scene.instance_that_only_commits(9, gateway.clone());
        Self::beside(&instance, scene, gateway).await
    }

    /// The server of an instance, which opens calls that the instance makes.
    pub(crate) async fn beside(
        instance: &Instance,
        scene: &Scene,
        gateway: Arc<dyn Gateway>,
    ) -> Self {
        let context = Context::new(&Settings::local("payment-service", Some(scene.url())));
        let store = scene.store.clone();
        let api = Api {
            store,
            gateway,
            paying: instance.paying.clone(),
            lease: scene.patience * 2,
        };
        let (serving, routes) = (context.clone(), router(api));
        tokio::spawn(async move { serving.serve(routes).await });
        let base = format!("http://{}", context.address().await);
        Self { context, base }
    }

    pub(crate) async fn post(&self, body: &Value) -> (StatusCode, Value) {
        self.post_to("/payment-methods", body).await
    }

    pub(crate) async fn post_to(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let url = format!("{}{path}", self.base);
        let answer = reqwest::Client::new().post(url).json(body).send().await;
        let answer = answer.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    /// As a request that its client calls `key`.
    pub(crate) async fn post_as(&self, key: &str, body: &Value) -> (StatusCode, Value) {
        let url = format!("{}/payment-methods", self.base);
        let request = reqwest::Client::new().post(url).json(body);
        let answer = request.header("Idempotency-Key", key).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        let answer = reqwest::get(format!("{}{path}", self.base)).await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.context.shutdown.cancel();
    }
}

/// A request that is in order, for a card with this number.
pub(crate) fn request(number: &str) -> Value {
    json!({
        "customerId": ambient::new_id(), "cardNumber": number, "expiryMonth": 12,
        "expiryYear": next_year().year, "cvc": "737", "holder": "A. Customer",
    })
}

#[tokio::test]
async fn a_card_becomes_a_payment_method() {
    let scene = Scene::new().await;
    let server = Server::start(&scene, Arc::new(Scripted::default())).await;
    let (status, answer) = server.post(&request("4242 4242 4242 4242")).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(answer["brand"], "visa");
    assert_eq!(answer["last4"], "4242");
    answer["paymentMethodId"]
        .as_str()
        .unwrap()
        .parse::<Uuid>()
        .unwrap();
}

#[tokio::test]
async fn a_bad_field_is_named_and_its_value_is_not_repeated() {
    let scene = Scene::new().await;
    let server = Server::start(&scene, Arc::new(Scripted::default())).await;
    for (field, bad) in [
        ("cardNumber", json!("4242424242424241")),
        ("cardNumber", json!(4_242_424_242_424_242_u64)),
        ("cardNumber", json!("4242")),
        ("expiryMonth", json!(13)),
        ("expiryMonth", json!(0)),
        ("expiryYear", json!(99)),
        ("expiryYear", json!(2020)),
        ("cvc", json!("73")),
        ("cvc", json!("abc")),
        ("holder", json!("")),
        ("holder", json!("4242424242424242")),
        ("customerId", json!("4242424242424242")),
        ("pin", json!("1234")),
    ] {
        let mut body = request("4242424242424242");
        body[field] = bad.clone();
        let (status, problem) = server.post(&body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{field}: {bad}");
        let named = problem["errors"].as_array().unwrap();
        assert!(
            named.iter().any(|error| error["field"] == field),
            "{field}: {problem}"
        );
        assert!(!problem.to_string().contains("4242"), "{problem}");
    }
    let mut body = request("4242424242424242");
    body.as_object_mut().unwrap().remove("cvc");
    let (_, problem) = server.post(&body).await;
    assert_eq!(problem["errors"][0]["field"], "cvc");
}

#[tokio::test]
async fn while_the_gateway_is_away_no_card_is_taken() {
    let scene = Scene::new().await;
    let nobody = "http://127.0.0.1:1".parse().unwrap();
    let gateway = Arc::new(Client::new(&nobody, PATIENCE).unwrap());
    let server = Server::start(&scene, gateway).await;
    let (status, problem) = server.post(&request("4242424242424242")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(problem["status"], 503);
}

#[tokio::test]
async fn the_payment_of_an_order_is_shown_without_its_token() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted([]));
    let server = Server::start(&scene, gateway.clone()).await;
    let order = new_order();
    let (status, none) = server.get(&format!("/payments?orderId={order}")).await;
    assert_eq!((status, none), (StatusCode::OK, json!({"payments": []})));

    let service = scene.instance(0, gateway);
    let method = scene.method("tok_good", next_year()).await;
    let hold = authorise(order, scene.customer, method);
    service.handle(&[&hold]).await;
    scene.answer(&hold).await;
    let (_, shown) = server.get(&format!("/payments?orderId={order}")).await;
    let payment = &shown["payments"][0];
    assert_eq!(payment["state"], "AUTHORISED");
    assert_eq!(
        payment["amount"],
        json!({"amount": 2500, "currency": "EUR"})
    );
    assert_eq!(payment["authorisationId"], format!("hold-{order}"));
    assert_eq!(payment["answers"][0]["kind"], "PAYMENT_APPROVED");
    assert!(!shown.to_string().contains("tok_good"));

    let (status, problem) = server.get("/payments?orderId=1").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(problem["errors"][0]["field"], "orderId");
    assert_eq!(server.get("/payments").await.0, StatusCode::BAD_REQUEST);
}

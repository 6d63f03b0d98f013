//! The whole service, as its process runs it: Kafka, Postgres, HTTP and the gateway.

use axum::http::StatusCode;
use messaging::Incoming;
use payment_service::{Config, run};
use reqwest::Url;
use serde_json::Value;
use service::{Context, Settings};
use testing::Topics;
use uuid::Uuid;

use crate::{
    cards::request,
    scene::{Scene, TOPIC, authorise, new_order},
    simulator::Simulator,
};

fn config(scene: &Scene, topics: &Topics, gateway_url: Url) -> Config {
    let settings = Settings::local("payment-service", Some(scene.url()));
    Config {
        service: Settings {
            kafka_brokers: topics.brokers().to_owned(),
            topic_prefix: topics.prefix().to_owned(),
            ..settings
        },
        gateway_url,
        gateway_timeout_ms: 3_000,
        gateway_calls: 4,
    }
}

#[tokio::test]
async fn a_card_over_http_and_a_command_over_kafka_become_an_answer() {
    let (simulator, scene) = (Simulator::start().await, Scene::new().await);
    let topics = Topics::new(&[TOPIC], 2).await;
    let config = config(&scene, &topics, simulator.url.clone());
    let context = Context::new(&config.service);
    let service = tokio::spawn(run(config, context.clone()));
    let base = format!("http://{}", context.address().await);

    let mut body = request("4242424242424242");
    body["customerId"] = serde_json::json!(scene.customer);
    let url = format!("{base}/payment-methods");
    let answer = reqwest::Client::new().post(url).json(&body).send().await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let answer: Value = answer.json().await.unwrap();
    let method: Uuid = answer["paymentMethodId"].as_str().unwrap().parse().unwrap();

    let hold = authorise(new_order(), scene.customer, method.into());
    topics.deliver(&[Incoming::from(hold.clone())]);
    assert_eq!(scene.answer(&hold).await.kind, "PAYMENT_APPROVED");

    let ready = reqwest::get(format!("{base}/health/ready")).await.unwrap();
    let ready: Value = ready.json().await.unwrap();
    assert_eq!(ready["gateway"]["up"], true, "{ready}");
    context.shutdown.cancel();
    service.await.unwrap().unwrap();
}

//! The whole process: HTTP in front, Kafka behind, and a stop that finishes what is under way.

use contracts::{OrderId, Topic};
use messaging::Incoming;
use order_service::{Config, Limit, NAME, Patience, run};
use service::{Context, Settings};
use testing::{Database, Topics, eventually, outbox};

use crate::support::{answer, new_order};

#[tokio::test]
async fn a_process_takes_orders_and_goes_on_when_kafka_brings_a_reply() {
    let database = Database::new().await;
    let topics = Topics::new(&[Topic::OrderReply.as_str()], 2).await;
    let service = Settings {
        kafka_brokers: topics.brokers().to_owned(),
        topic_prefix: topics.prefix().to_owned(),
        ..Settings::local(NAME, Some(database.url()))
    };
    let context = Context::new(&service);
    let patience = Patience::default();
    let config = Config {
        service,
        patience,
        saga_history_days: 90,
        limit: Limit::default(),
    };
    let running = tokio::spawn(run(config, context.clone()));
    let address = context.address().await;

    let order = place(&format!("http://{address}/orders")).await;
    let db = database.connect(1).await;
    let asked = outbox(&db).await.pop().unwrap();
    let reply = answer(order, "CUSTOMER_APPROVED", Some(asked.message_id));
    topics.deliver(&[Incoming::from(reply)]);
    eventually("the ticket to be asked for", async || {
        let said = outbox(&db).await;
        said.iter()
            .any(|told| told.topic == Topic::OrderTicket.as_str())
            .then_some(())
    })
    .await;

    context.shutdown.cancel();
    running.await.unwrap().unwrap();
}

async fn place(orders: &str) -> OrderId {
    let order = reqwest::Client::new().post(orders).json(&new_order());
    let placed: serde_json::Value = order.send().await.unwrap().json().await.unwrap();
    placed["orderId"].as_str().unwrap().parse().unwrap()
}

//! The five topics and their dead-letter topics.

use std::time::Duration;

use anyhow::bail;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::types::RDKafkaErrorCode;

use crate::settings::Settings;

const TOPICS: [&str; 5] = [
    "order-customer",
    "order-ticket",
    "order-payment",
    "order-kitchen",
    "order-reply",
];
const PATIENCE: Duration = Duration::from_secs(30);

/// Creates the topics that are missing. All have the same number of partitions, and keep every
/// message: the view is rebuilt from them.
pub(crate) async fn create(settings: &Settings, brokers: &str) -> anyhow::Result<()> {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .create()?;
    let names: Vec<String> = TOPICS
        .iter()
        .flat_map(|topic| {
            ["", ".dlq"].map(|suffix| format!("{}{topic}{suffix}", settings.topic_prefix))
        })
        .collect();
    let topics = names.iter().map(|name| {
        // -1: as many copies as the cluster makes by default, one on a single node.
        NewTopic::new(name, settings.topic_partitions, TopicReplication::Fixed(-1))
            .set("retention.ms", "-1")
    });
    let options = AdminOptions::new()
        .request_timeout(Some(PATIENCE))
        .operation_timeout(Some(PATIENCE));
    for result in admin
        .create_topics(topics.collect::<Vec<_>>().iter(), &options)
        .await?
    {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => bail!("topic {topic}: {code}"),
        }
    }
    Ok(())
}

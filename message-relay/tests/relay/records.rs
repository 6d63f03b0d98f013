//! What a row looks like in Kafka.

use messaging::Outgoing;
use uuid::Uuid;

use crate::world::{SOURCE, TOPIC, World, outgoing};

async fn record(message: Outgoing) -> messaging::Raw {
    let world = World::new().await;
    world
        .store
        .transact(move |unit| {
            unit.publish(message);
            Box::pin(async { Ok::<_, sea_orm::DbErr>(()) })
        })
        .await
        .unwrap();
    let relay = world.start("relay-0");
    world.drained().await;
    relay.stop().await;
    let [record] = &world.topics.read(TOPIC).await[..] else {
        panic!("one record")
    };
    record.raw().clone()
}

#[tokio::test]
async fn a_row_becomes_a_cloud_event() {
    let (key, cause) = (ambient::new_id(), ambient::new_id());
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned();
    let message = Outgoing {
        causation: Some(cause),
        traceparent: Some(trace.clone()),
        ..outgoing(key, 7)
    };
    let record = record(message.clone()).await;
    let header = |name: &str| record.header(name).unwrap_or_default().to_owned();
    assert_eq!(record.key, Some(key.to_string()));
    assert_eq!(record.payload, message.body.as_bytes());
    assert_eq!(header("ce_specversion"), "1.0");
    assert_eq!(header("ce_id"), message.id.to_string());
    assert_eq!(header("ce_type"), "TICKET_CREATED");
    assert_eq!(header("ce_source"), format!("/{SOURCE}"));
    assert_eq!(header("ce_subject"), key.to_string());
    assert_eq!(header("ce_sequence"), "7");
    assert_eq!(header("ce_causationid"), cause.to_string());
    assert_eq!(header("traceparent"), trace);
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(
        header("ce_time")
            .parse::<chrono::DateTime<chrono::Utc>>()
            .unwrap(),
        message.time
    );
}

#[tokio::test]
async fn what_is_unknown_is_no_header_and_further_headers_are_kept() {
    let message = Outgoing {
        headers: Some(r#"{"reason": "unreadable", "consumer": "kitchen-service"}"#.to_owned()),
        ..outgoing(Uuid::nil(), 1)
    };
    let record = record(message).await;
    assert_eq!(record.header("ce_causationid"), None);
    assert_eq!(record.header("traceparent"), None);
    assert_eq!(record.header("reason"), Some("unreadable"));
    assert_eq!(record.header("consumer"), Some("kitchen-service"));
}

//! Topics read from their beginning to their ends, on a real Kafka.

use std::{collections::BTreeMap, time::Duration};

use futures_util::FutureExt;
use messaging::{
    History, Incoming,
    consumer::Settings,
    history::{Error, Offsets},
};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
    producer::{BaseProducer, BaseRecord, Producer},
};
use serde_json::json;
use testing::Topics;

const NAMES: [&str; 2] = ["numbers", "words"];
const PATIENCE: Duration = Duration::from_secs(30);

/// A place, and what is said there.
type Said = ((String, i32), i64, String);

async fn topics() -> Topics {
    Topics::new(&NAMES, 3).await
}

fn settings(topics: &Topics, names: &[&str]) -> Settings {
    Settings::new("reader", "0", topics.brokers(), topics.prefix(), names)
}

async fn open(topics: &Topics) -> History {
    let history = History::open(&settings(topics, &NAMES)).await;
    history.expect("the topics can be read")
}

/// So many records, in turns to the two topics; the key decides about the partition.
fn deliver(topics: &Topics, count: usize) {
    let record = |index: usize| {
        let (topic, key) = (NAMES[index % 2], ambient::new_id());
        Incoming::from(testing::message(
            topic,
            "ADD",
            key,
            &json!({ "index": index }),
        ))
    };
    let records: Vec<Incoming> = (0..count).map(record).collect();
    topics.deliver(&records);
}

fn said(record: &Incoming) -> Said {
    let raw = record.raw();
    let text = String::from_utf8_lossy(&raw.payload).into_owned();
    ((raw.topic.clone(), raw.partition), raw.offset, text)
}

async fn all(history: &mut History, ends: &Offsets) -> Vec<Said> {
    let mut all = Vec::new();
    let read = history.read_to(ends, |record| all.push(said(&record)));
    read.await.expect("the topics can be read");
    all
}

#[tokio::test]
async fn every_partition_is_read_to_its_end_in_its_order_and_nothing_behind_it() {
    let topics = topics().await;
    deliver(&topics, 200);
    let mut history = open(&topics).await;
    let ends = history.ends().await.expect("the ends");
    deliver(&topics, 100);
    assert_eq!((ends.len(), history.behind(&ends)), (6, 200));
    let mut read: BTreeMap<_, Vec<i64>> = BTreeMap::new();
    for (place, offset, _) in all(&mut history, &ends).await {
        read.entry(place).or_default().push(offset);
    }
    for (place, end) in &ends {
        let offsets = read.remove(place).unwrap_or_default();
        assert_eq!(offsets, (0..*end).collect::<Vec<_>>(), "{place:?}");
    }
    assert_eq!(history.behind(&ends), 0);
    let nothing = history.read(&ends, 10).await.expect("it has been read");
    assert!(nothing.is_empty());
    // What came later is there for whoever goes on from those ends.
    history.go_to(ends);
    let later = history.ends().await.expect("the ends");
    assert_eq!(all(&mut history, &later).await.len(), 100);
}

#[tokio::test]
async fn it_is_read_in_parts_of_any_size_and_again_from_any_place() {
    let topics = topics().await;
    deliver(&topics, 50);
    let mut history = open(&topics).await;
    let (beginning, ends) = (history.place().clone(), history.ends().await.expect("ends"));
    let mut parts = Vec::new();
    let mut middle = None;
    loop {
        let part = history.read(&ends, 7).await.expect("a part");
        if part.is_empty() {
            break;
        }
        assert!(part.len() <= 7);
        parts.extend(part.iter().map(said));
        middle.get_or_insert_with(|| history.place().clone());
    }
    assert_eq!(parts.len(), 50);
    history.go_to(middle.expect("parts"));
    assert_eq!(all(&mut history, &ends).await.len(), 43);
    history.go_to(beginning);
    let (mut again, mut before) = (all(&mut history, &ends).await, parts);
    again.sort();
    before.sort();
    assert_eq!(again, before);
}

#[tokio::test]
async fn a_read_that_nobody_waited_for_takes_nothing_away() {
    let topics = topics().await;
    deliver(&topics, 500);
    let mut history = open(&topics).await;
    let ends = history.ends().await.expect("ends");
    // It begins, and goes on in a thread of its own.
    assert!(history.read(&ends, 1_000).now_or_never().is_none());
    assert_eq!(history.behind(&ends), 500);
    assert_eq!(all(&mut history, &ends).await.len(), 500);
}

#[tokio::test]
async fn an_empty_topic_has_nothing_to_read_and_a_missing_one_is_told_of() {
    let topics = topics().await;
    let mut history = open(&topics).await;
    let ends = history.ends().await.expect("ends");
    assert_eq!((ends.len(), history.behind(&ends)), (6, 0));
    assert_eq!(all(&mut history, &ends).await, []);
    let missing = History::open(&settings(&topics, &["numbers", "none"])).await;
    assert!(
        matches!(&missing, Err(Error::NoTopic(topic)) if topic.ends_with("none")),
        "{missing:?}"
    );
}

#[tokio::test]
async fn it_begins_at_a_moment_where_there_is_something_since_and_at_the_end_elsewhere() {
    let topics = topics().await;
    deliver(&topics, 20);
    let mut history = open(&topics).await;
    let before = history.ends().await.expect("ends");
    let last = all(&mut history, &before).await.len();
    assert_eq!(last, 20);
    let moment = testing::eventually("the clock to go on", async || {
        let mut newest = None;
        let mut history = open(&topics).await;
        let read = history.read_to(&before, |record| newest = newest.max(record.raw().at));
        read.await.expect("the topics can be read");
        let next = newest.expect("Kafka tells the time") + Duration::from_millis(1);
        (ambient::now() > next).then_some(next)
    })
    .await;
    assert_eq!(history.since(moment).await.expect("places"), before);
    deliver(&topics, 6);
    history.go_to(history.since(moment).await.expect("places"));
    let ends = history.ends().await.expect("ends");
    assert_eq!(all(&mut history, &ends).await.len(), 6);
    let dawn = history.since(chrono::DateTime::UNIX_EPOCH).await;
    assert!(dawn.expect("places").values().all(|offset| *offset == 0));
}

#[tokio::test]
async fn a_topic_that_lost_its_beginning_is_told_of_and_never_read_as_if_it_were_whole() {
    let topics = topics().await;
    deliver(&topics, 60);
    let mut history = open(&topics).await;
    assert_eq!(history.beheaded().await.expect("an answer"), None);
    let (beginning, ends) = (history.place().clone(), history.ends().await.expect("ends"));
    let full = format!("{}words", topics.prefix());
    let mut gone = TopicPartitionList::new();
    gone.add_partition_offset(&full, 1, Offset::Offset(2))
        .expect("a place");
    let admin: AdminClient<DefaultClientContext> = config(&topics).create().expect("a client");
    let deleted = admin.delete_records(&gone, &AdminOptions::new()).await;
    deleted.expect("the broker deletes");
    assert_eq!(
        history.beheaded().await.expect("an answer"),
        Some(("words".to_owned(), 1))
    );
    // Whoever was at the beginning is told, however often it tries.
    for _ in 0..2 {
        history.go_to(beginning.clone());
        let read = loop {
            match history.read(&ends, 10).await {
                Ok(read) => assert!(!read.is_empty()),
                Err(error) => break error,
            }
        };
        assert!(matches!(read, Error::Gone), "{read:?}");
    }
    // Whoever comes now begins with what is left.
    let mut late = open(&topics).await;
    assert_eq!(all(&mut late, &ends).await.len(), 58);
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "a producer with transactions, which message-relay does not use"
)]
async fn marks_of_transactions_and_what_was_aborted_hold_nothing_up() {
    let topics = topics().await;
    let full = format!("{}numbers", topics.prefix());
    let mut config = config(&topics);
    config.set("transactional.id", &full);
    let producer: BaseProducer = config.create().expect("a producer");
    producer.init_transactions(PATIENCE).expect("a coordinator");
    let write = |text: &str| {
        producer.begin_transaction().expect("it begins");
        for partition in 0..3 {
            let record = BaseRecord::<str, str>::to(&full).partition(partition);
            let record = record.payload(text).key("key");
            assert!(producer.send(record).is_ok(), "{text}");
        }
        producer.flush(PATIENCE).expect("it is written");
    };
    // Every partition ends with what no consumer may see.
    write("committed");
    producer.commit_transaction(PATIENCE).expect("a commit");
    write("aborted");
    producer.abort_transaction(PATIENCE).expect("an abort");
    let texts = |read: Vec<Said>| read.into_iter().map(|(.., text)| text).collect::<Vec<_>>();
    let mut history = open(&topics).await;
    let ends = history.ends().await.expect("ends");
    assert_eq!(history.behind(&ends), 12, "six of them are marks");
    assert_eq!(texts(all(&mut history, &ends).await), ["committed"; 3]);
    assert_eq!(history.behind(&ends), 0);
    // What is not committed yet is behind the end.
    write("open");
    assert_eq!(history.ends().await.expect("ends"), ends);
    producer.commit_transaction(PATIENCE).expect("a commit");
    let ends = history.ends().await.expect("ends");
    assert_eq!(texts(all(&mut history, &ends).await), ["open"; 3]);
}

fn config(topics: &Topics) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", topics.brokers());
    config
}

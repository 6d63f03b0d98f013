//! What the topics say when everything has come to rest, read by `probe`. Consumers forgive a lot: what is repeated, late or
//! early changes nothing for them. So a relay that reorders, or a consumer that answers twice, is seen here or nowhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::process::Stdio;

use anyhow::Context;
use contracts::Topic;
use serde::Deserialize;
use serde_json::Value;
use tokio::process::Command;
use visitor::platform::Platform;
use visitor::violation::Violation;

/// A record of a topic, as far as it is judged.
#[derive(Debug, Clone, Deserialize)]
struct Record {
    topic: String,
    partition: i32,
    key: String,
    headers: Headers,
    value: Value,
}

#[derive(Debug, Clone, Deserialize)]
struct Headers {
    ce_id: String,
    ce_type: String,
    ce_source: String,
    ce_sequence: String,
    ce_causationid: Option<String>,
}

/// Who speaks of itself in a message: each counts its messages.
type Speaker<'r> = (&'r str, &'r str);

/// What was heard of one order so far.
#[derive(Default)]
struct Heard<'r> {
    partitions: BTreeSet<i32>,
    messages: HashMap<&'r str, &'r Record>,
    /// The newest in each topic.
    newest: HashMap<(&'r str, Speaker<'r>), (i64, &'r Record)>,
    answers: HashMap<&'r str, &'r Record>,
    versions: BTreeMap<Speaker<'r>, BTreeMap<i64, &'r Record>>,
}

/// Reads what the broker has had since a moment (milliseconds since 1970) and judges what it says of `orders`, all of which
/// were placed since. `probe` is the program. Tells also how many records there were.
pub(crate) async fn judge(
    probe: &Path,
    platform: &Platform,
    since: i64,
    orders: &BTreeSet<String>,
) -> anyhow::Result<(usize, Vec<Violation>)> {
    let environment = &platform.member("order-service")?.environment;
    let output = Command::new(probe)
        .args(["topics", "--since", &since.to_string()])
        .args(Topic::ALL.iter().map(|topic| topic.as_str()))
        .envs(
            environment
                .iter()
                .filter(|(name, _)| ["KAFKA_BROKERS", "TOPIC_PREFIX"].contains(&name.as_str())),
        )
        .stderr(Stdio::inherit())
        .output()
        .await
        .with_context(|| format!("cannot run {}", probe.display()))?;
    anyhow::ensure!(
        output.status.success(),
        "probe ended with {}",
        output.status
    );
    let records = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
    let records: Vec<Record> = records.collect::<Result<_, _>>()?;
    Ok((records.len(), broken(&records, orders)))
}

/// What is wrong with `records`, each partition of each topic in its order.
fn broken(records: &[Record], orders: &BTreeSet<String>) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut heard: BTreeMap<&str, Heard<'_>> = BTreeMap::new();
    for record in records.iter().filter(|record| orders.contains(&record.key)) {
        let complaint = heard.entry(&record.key).or_default().hear(record);
        violations.extend(complaint.map(|what| Violation::of(&record.key, what)));
    }
    for order in orders {
        let complaint = match heard.get(order.as_str()) {
            Some(heard) => heard.finish(),
            None => Some("the topics say nothing of it".to_owned()),
        };
        violations.extend(complaint.map(|what| Violation::of(order, what)));
    }
    violations
}

impl<'r> Heard<'r> {
    /// Takes one more record; gives what is wrong with it.
    fn hear(&mut self, record: &'r Record) -> Option<String> {
        let Headers {
            ce_id: id,
            ce_type: kind,
            ce_source: source,
            ce_sequence: version,
            ce_causationid: cause,
        } = &record.headers;
        self.partitions.insert(record.partition);
        if let Some(first) = self.messages.get(id.as_str()) {
            let same = (&first.topic, &first.headers.ce_type, &first.value)
                == (&record.topic, kind, &record.value);
            return (!same).then(|| format!("{kind} {id} was sent again, and is not the same"));
        }
        self.messages.insert(id, record);
        let Ok(version) = version.parse() else {
            return Some(format!("{kind} {id} has the version {version:?}"));
        };
        if let Some(cause) = cause
            && let Some(first) = self.answers.insert(cause, record)
        {
            let first = &first.headers;
            return Some(format!(
                "the command {cause} was answered twice: {} {} and {kind} {id}",
                first.ce_type, first.ce_id
            ));
        }
        let speaker = (source.as_str(), aggregate(kind));
        if let Some(other) = self
            .versions
            .entry(speaker)
            .or_default()
            .insert(version, record)
        {
            let other = &other.headers;
            return Some(format!(
                "version {version} was told twice: {} {} and {kind} {id}",
                other.ce_type, other.ce_id
            ));
        }
        let newest = self
            .newest
            .entry((&record.topic, speaker))
            .or_insert((version, record));
        let (highest, newer) = *newest;
        if version < highest {
            return Some(format!(
                "{kind} {id}, version {version}, first appears behind {}, version {highest}",
                newer.headers.ce_type
            ));
        }
        *newest = (version, record);
        None
    }

    /// What is wrong with all of it together.
    fn finish(&self) -> Option<String> {
        if self.partitions.len() > 1 {
            return Some(format!("it is in the partitions {:?}", self.partitions));
        }
        self.versions.iter().find_map(|((_, aggregate), versions)| {
            let mut versions = versions.keys();
            let mut last = *versions.next()?;
            let gap =
                versions.find(|version| **version != std::mem::replace(&mut last, **version) + 1);
            gap.map(|next| {
                format!("what the {aggregate} said before version {next} never appeared")
            })
        })
    }
}

/// The one who speaks: `TICKET_CREATED` is the ticket's word.
fn aggregate(kind: &str) -> &str {
    kind.split('_').next().unwrap_or(kind)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(kind: &str, id: &str, version: i64) -> Record {
        let (topic, cause) = match kind.starts_with("ORDER") {
            true => ("order-ticket", None),
            false => ("order-reply", Some(format!("command of {id}"))),
        };
        serde_json::from_value(json!({
            "topic": topic, "partition": 3, "key": "order", "value": {"version": version},
            "headers": {"ce_id": id, "ce_type": kind, "ce_source": "/x", "ce_sequence": version.to_string(),
                "ce_causationid": cause},
        }))
        .unwrap()
    }

    fn story() -> Vec<Record> {
        [
            ("ORDER_CREATED", "a", 2),
            ("ORDER_APPROVED", "b", 3),
            ("TICKET_CREATED", "c", 1),
            ("TICKET_APPROVED", "d", 2),
            ("KITCHEN_READY", "e", 1),
        ]
        .map(|(kind, id, version)| record(kind, id, version))
        .to_vec()
    }

    fn complaints(records: &[Record]) -> Vec<String> {
        let found = broken(records, &BTreeSet::from(["order".to_owned()]));
        found.into_iter().map(|violation| violation.what).collect()
    }

    /// The only complaint after a change has these words in it.
    fn tells(words: &str, change: impl FnOnce(&mut Vec<Record>)) {
        let mut records = story();
        change(&mut records);
        let found = complaints(&records);
        assert!(found.len() == 1 && found[0].contains(words), "{found:?}");
    }

    #[test]
    fn a_story_is_right_also_when_it_is_told_twice() {
        assert_eq!(complaints(&story()), Vec::<String>::new());
        assert_eq!(
            complaints(&[story(), story()].concat()),
            Vec::<String>::new()
        );
    }

    #[test]
    fn what_first_appears_behind_what_was_said_later_is_out_of_order() {
        tells("first appears behind ORDER_APPROVED", |records| {
            records.swap(0, 1);
        });
    }

    #[test]
    fn a_command_has_one_answer() {
        tells("answered twice", |records| {
            let mut second = record("TICKET_APPROVED", "f", 3);
            second.headers.ce_causationid = records[3].headers.ce_causationid.clone();
            records.push(second);
        });
    }

    #[test]
    fn a_version_is_told_once() {
        tells("version 2 was told twice", |records| {
            records.push(record("TICKET_READY", "f", 2));
        });
    }

    #[test]
    fn what_is_sent_again_is_the_same() {
        tells("is not the same", |records| {
            let mut again = record("TICKET_APPROVED", "d", 2);
            again.value = json!({"version": 7});
            records.push(again);
        });
    }

    #[test]
    fn no_version_is_missing_between_two() {
        tells("never appeared", |records| {
            records.push(record("TICKET_READY", "f", 4));
        });
    }

    #[test]
    fn an_order_is_in_one_partition_and_somewhere() {
        tells("in the partitions {3, 4}", |records| {
            records[4].partition = 4;
        });
        tells("nothing of it", Vec::clear);
    }
}

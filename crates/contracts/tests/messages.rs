//! The messages, pinned: which there are, what they look like, and what a consumer may rely on.

#![expect(
    clippy::expect_used,
    reason = "what a test's helper cannot do fails the test"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use contracts::{Entry, Kind, Topic, catalogue, is_known};
use serde_json::{Value, json};

/// The table of messages as it was agreed, written independently of the code.
const AGREED: &[(&str, &str)] = &[
    ("order-customer", "ORDER_CREATED ORDER_CHANGED"),
    (
        "order-ticket",
        "ORDER_CREATED ORDER_APPROVED ORDER_PREPARING ORDER_READY ORDER_PICKEDUP ORDER_COMPLETE \
         ORDER_REJECTED ORDER_CANCELLED",
    ),
    (
        "order-payment",
        "ORDER_CREATED ORDER_READY ORDER_REJECTED ORDER_CANCELLED",
    ),
    ("order-kitchen", "ORDER_APPROVED ORDER_CANCEL_REQUESTED"),
    (
        "order-reply",
        "CUSTOMER_APPROVED CUSTOMER_REJECTED TICKET_CREATED TICKET_REJECTED TICKET_APPROVED \
         TICKET_PREPARING TICKET_READY TICKET_PICKEDUP TICKET_COMPLETE TICKET_CANCELLED \
         PAYMENT_APPROVED PAYMENT_REJECTED PAYMENT_CAPTURED PAYMENT_VOIDED PAYMENT_REFUNDED \
         KITCHEN_PREPARING KITCHEN_READY KITCHEN_CANCELLED KITCHEN_CANCEL_REFUSED \
         DELIVERY_PICKEDUP DELIVERY_COMPLETE",
    ),
];

fn example(entry: &Entry) -> Value {
    entry.example().expect("an example is JSON")
}

#[test]
fn exactly_the_agreed_messages_are_known() {
    let agreed: BTreeSet<_> = AGREED
        .iter()
        .flat_map(|(topic, kinds)| kinds.split_whitespace().map(move |kind| (*topic, kind)))
        .collect();
    let listed: Vec<_> = catalogue()
        .map(|e| (e.topic.as_str(), e.kind.as_str()))
        .collect();
    assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), agreed);
    assert_eq!(listed.len(), agreed.len(), "a message has two bodies");
    for topic in Topic::ALL {
        for kind in Kind::ALL {
            let pair = (topic.as_str(), kind.as_str());
            assert_eq!(is_known(pair.0, pair.1), agreed.contains(&pair), "{pair:?}");
        }
    }
    assert!(!is_known("order-reply", "KITCHEN_ON_FIRE"));
    assert!(!is_known("order-reply.dlq", "KITCHEN_READY"));
}

#[test]
fn examples_look_as_they_are_pinned() {
    for entry in catalogue() {
        let name = format!("{}.{}", entry.topic, entry.kind);
        insta::assert_json_snapshot!(name, example(&entry));
    }
}

#[test]
fn every_message_names_its_order_and_the_state_of_who_speaks() {
    for entry in catalogue() {
        let body = example(&entry);
        assert!(
            body["orderId"].is_string() && body["state"].is_string(),
            "{entry:?}"
        );
    }
}

#[test]
fn the_payment_method_is_told_to_payment_service_only() {
    for entry in catalogue() {
        let told = example(&entry).to_string().contains("paymentMethod");
        let meant = (entry.topic, entry.kind) == (Topic::OrderPayment, Kind::OrderCreated);
        assert_eq!(told, meant, "{entry:?}");
    }
}

#[test]
fn what_is_written_is_what_is_read() {
    for entry in catalogue() {
        let body = example(&entry);
        assert_eq!(entry.read(body.clone()).expect("a body"), body, "{entry:?}");
    }
}

#[test]
fn consumers_ignore_fields_that_they_do_not_know() {
    for entry in catalogue() {
        let body = example(&entry);
        let mut newer = body.clone();
        add_unknown_field(&mut newer);
        assert_ne!(newer, body);
        assert_eq!(entry.read(newer).expect("a body"), body, "{entry:?}");
    }
}

/// Adds a field to every object, but to money: that is a value, and closed.
fn add_unknown_field(value: &mut Value) {
    match value {
        Value::Object(fields) if !fields.contains_key("currency") => {
            fields.values_mut().for_each(add_unknown_field);
            fields.insert("addedLater".to_owned(), json!({ "by": "a newer version" }));
        }
        Value::Array(items) => items.iter_mut().for_each(add_unknown_field),
        _ => {}
    }
}

#[test]
fn a_body_without_its_order_or_with_an_unknown_state_is_refused() {
    for entry in catalogue() {
        for broken in [json!({ "orderId": null }), json!({ "state": "ON_FIRE" })] {
            let mut body = example(&entry);
            for (field, value) in broken.as_object().expect("an object") {
                body[field] = value.clone();
            }
            assert!(entry.read(body).is_err(), "{entry:?}");
        }
    }
}

#[test]
fn schemas_are_as_they_are_pinned_and_examples_follow_them() {
    let folder = schemas();
    let mut names = BTreeSet::new();
    for entry in catalogue() {
        let schema = entry.json_schema().to_value();
        names.insert(format!("{}.json", entry.schema));
        compare(&folder.join(format!("{}.json", entry.schema)), &schema);
        let validator = jsonschema::validator_for(&schema).expect("a JSON Schema");
        let body = example(&entry);
        let faults: Vec<_> = validator
            .iter_errors(&body)
            .map(|e| e.to_string())
            .collect();
        assert!(faults.is_empty(), "{entry:?}: {faults:?}");
        assert!(
            !validator.is_valid(&json!({})),
            "{entry:?} accepts anything"
        );
    }
    let stored = fs::read_dir(&folder).expect("docs/schemas");
    let stored = stored.map(|file| {
        file.expect("a file")
            .file_name()
            .into_string()
            .expect("UTF-8")
    });
    assert_eq!(
        stored.collect::<BTreeSet<_>>(),
        names,
        "docs/schemas has files of no message"
    );
}

fn schemas() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas")
}

/// Compares a schema with its file; with `UPDATE_DOCS=1` it writes the file first.
fn compare(path: &Path, schema: &Value) {
    let text = format!("{schema:#}\n");
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(schemas()).expect("docs/schemas");
        fs::write(path, &text).expect("a schema file");
    }
    let stored = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        stored,
        text,
        "{} differs. If the change is compatible, run: UPDATE_DOCS=1 cargo test -p contracts",
        path.display()
    );
}

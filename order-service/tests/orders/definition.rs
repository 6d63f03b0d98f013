//! The definition as others rely on it.

use std::{fs, path::Path};

use contracts::{Topic, is_known};
use order_service::saga::{VERSION, definition, version_1};
use saga::{Policy, Say};

/// Changed steps or replies need a new version, or orders that are under way would stand at steps that are gone.
#[test]
fn a_definition_changes_with_its_version_only() {
    let prints = [
        (VERSION, definition(Policy::default())),
        (1, version_1::definition(Policy::default())),
    ];
    let pinned = ["order-2-db0632a730833178", "order-1-636bea372aebd8c5"];
    for ((version, definition), pinned) in prints.into_iter().zip(pinned) {
        let definition = definition.unwrap();
        assert_eq!(definition.version(), version);
        assert_eq!(definition.fingerprint(), pinned);
    }
}

#[test]
fn everything_that_is_said_and_listened_to_is_in_the_contract() {
    let definition = definition(Policy::default()).unwrap();
    let said: Vec<_> = definition.says().into_iter().map(place).collect();
    assert_eq!(said.len(), 21);
    for (topic, kind) in said {
        assert!(is_known(&topic, &kind), "{kind} is no message on {topic}");
    }
    for kind in definition.listens_to() {
        assert!(
            is_known(Topic::OrderReply.as_str(), kind),
            "{kind} is no reply"
        );
    }
}

fn place<D>(said: &Say<D>) -> (String, String) {
    (said.to().to_owned(), said.kind().to_owned())
}

#[test]
fn the_picture_of_the_saga_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/saga.md");
    let definition = definition(Policy::default()).unwrap();
    let page = format!(
        "# The saga of an order\n\n\
         Written by a test of `order-service` from the definition that the service runs \
         (`order-service/src/saga.rs`): do not edit, run `UPDATE_DOCS=1 cargo test -p order-service`.\n\n\
         Solid arrows go forward, dotted ones back; *silent* is a step that stayed without an answer in all its attempts, *cancel* is a customer who asks for that. The six-sided step is the pivot: behind it only a cancellation leads back.\n\n\
         ```mermaid\n{}```\n\nFingerprint: `{}`\n",
        definition.mermaid(),
        definition.fingerprint(),
    );
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &page).unwrap();
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        stored, page,
        "run: UPDATE_DOCS=1 cargo test -p order-service"
    );
}

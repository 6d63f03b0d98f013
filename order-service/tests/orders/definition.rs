//! The definition as others rely on it.

use std::{fs, path::Path};

use contracts::{Topic, is_known};
use order_service::saga::{VERSION, definition};
use saga::{Say, Step};

/// Changed steps or replies need a new version, or orders that are under way would stand at steps that are gone.
#[test]
fn the_definition_changes_with_its_version_only() {
    let pinned = "order-1-636bea372aebd8c5";
    assert_eq!(VERSION, 1);
    assert_eq!(definition().unwrap().fingerprint(), pinned);
}

#[test]
fn everything_that_is_said_and_listened_to_is_in_the_contract() {
    let definition = definition().unwrap();
    let asked = |step: &Step<_>| {
        let asks = step.asks().into_iter().chain(step.undo());
        let said = asks.map(saga::Ask::command).chain(step.announced());
        said.map(place).collect::<Vec<_>>()
    };
    let mut said: Vec<_> = definition.steps().iter().flat_map(asked).collect();
    said.extend(definition.announced_when_rolled_back().iter().map(place));
    assert_eq!(said.len(), 17);
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
    let definition = definition().unwrap();
    let page = format!(
        "# The saga of an order\n\n\
         Written by a test of `order-service` from the definition that the service runs \
         (`order-service/src/saga.rs`): do not edit, run `UPDATE_DOCS=1 cargo test -p order-service`.\n\n\
         Solid arrows go forward, dotted ones back; *silent* is a step that stayed without an answer in all its attempts. The six-sided step is the pivot: behind it there is no way back.\n\n\
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

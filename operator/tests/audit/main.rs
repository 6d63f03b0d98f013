//! `operator audit` on real databases, filled by the real services: all is well, and each way in which it is not is
//! found by its name.
#![expect(
    clippy::expect_used,
    reason = "tests: a broken precondition ends the test with its reason"
)]

mod system;

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;
use system::System;

struct Ran {
    code: i32,
    said: String,
    complaints: String,
}

async fn audit(place: &[&str], arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_operator"));
    command.arg("audit").args(place).args(arguments);
    for name in [
        "DATABASE_URL",
        "PLATFORM_DIR",
        "KAFKA_BROKERS",
        "TOPIC_PREFIX",
        "GATEWAY_URL",
    ] {
        command.env_remove(name);
    }
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = output.expect("it ran").expect("it starts");
    Ran {
        code: output.status.code().expect("it ended by itself"),
        said: String::from_utf8(output.stdout).expect("text"),
        complaints: String::from_utf8(output.stderr).expect("text"),
    }
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.said).expect(&self.complaints)
    }

    /// Which rule found something about which order.
    fn found(&self) -> BTreeSet<(String, String)> {
        let report = self.json();
        let violations = report["violations"].as_array().expect("a list");
        let pair = |it: &Value| {
            let text = |field: &str| it[field].as_str().expect("text").to_owned();
            (text("order"), text("rule"))
        };
        violations.iter().map(pair).collect()
    }
}

fn together<'a>(one: &[&'a str], other: &[&'a str]) -> Vec<&'a str> {
    [one, other].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_is_well_until_something_is_changed_by_hand_and_each_change_is_found() {
    let system = System::start().await;
    let delivered = system.delivered(24).await;
    let (rejected, cancelled) = (system.rejected().await, system.cancelled().await);
    let (rejected_too, cancelled_too) = (system.rejected().await, system.cancelled().await);
    let (waiting, parked, early) = (
        system.prepared().await,
        system.prepared().await,
        system.prepared().await,
    );
    system.refund(&delivered[23]).await;
    let place = together(&system.place_of_everything(), &system.beside());

    // All is well: at rest, with nothing left unchecked; in whatever pages, and without Kafka and gateway.
    let clean = audit(&place, &["--json", "--wait", "60"]).await;
    let report = clean.json();
    assert_eq!(clean.code, 0, "{} {}", clean.said, clean.complaints);
    assert_eq!(report["orders"]["total"], 31);
    assert_eq!(report["orders"]["states"]["COMPLETE"], 24);
    assert_eq!(report["orders"]["waiting"]["cooked"], 3);
    assert_eq!(report["notChecked"], serde_json::json!([]));
    assert_eq!(report["folded"][0], 31);
    let money = &report["money"]["EUR"];
    assert_eq!(money, &report["ledger"]["EUR"]);
    assert_eq!(
        (&money["authorised"], &money["captured"]),
        (&72500.into(), &60000.into())
    );
    assert_eq!(
        (&money["voided"], &money["held"], &money["refunded"]),
        (&5000.into(), &7500.into(), &2500.into())
    );
    for page in ["1", "2", "7", "31"] {
        let paged = audit(&place, &["--json", "--page", page, "--no-topics"])
            .await
            .json();
        assert_eq!(
            (&paged["orders"], &paged["money"]),
            (&report["orders"], &report["money"]),
            "--page {page}"
        );
        assert_eq!(paged["notChecked"][0]["what"], "view = fold");
    }
    let alone = audit(&system.place_of_everything(), &["--json"]).await;
    assert_eq!(alone.code, 0, "{}", alone.said);
    assert_eq!(alone.json()["notChecked"].as_array().map(Vec::len), Some(3));
    let later = audit(&place, &["--json", "--since", "2999-01-01T00:00:00Z"]).await;
    assert_eq!(
        (later.code, &later.json()["orders"]["total"]),
        (0, &0.into())
    );
    let recent = audit(&place, &["--json", "--since", "1h"]).await.json();
    assert_eq!(
        (&recent["orders"]["total"], &recent["folded"][0]),
        (&31.into(), &31.into())
    );

    // Every change, the order it is about, and the rule that finds it.
    let System {
        orders,
        customers,
        restaurants,
        payments,
        kitchens,
        deliveries,
        views,
        gateway,
        ..
    } = &system;
    let entry = |kind: &str| {
        format!(
            "INSERT INTO ledger (authorisation_id, kind, reference, amount, currency, idempotency_key, at) \
         SELECT authorisation_id, '{kind}', reference, amount, currency, 'by hand', now() FROM ledger \
         WHERE kind = 'HOLD' AND reference = '{{order}}'"
        )
    };
    let (charge, hold, void) = (entry("CHARGE"), entry("HOLD"), entry("VOID"));
    let mut left = delivered.iter();
    let mut next = || left.next().expect("enough orders").as_str();
    let changes = [
        (
            restaurants,
            next(),
            "ticket-matches",
            "UPDATE tickets SET state = 'READY' WHERE order_id = '{order}'",
        ),
        (
            restaurants,
            next(),
            "amounts-agree",
            "UPDATE tickets SET total = '{\"amount\": 1, \"currency\": \"EUR\"}' WHERE order_id = '{order}'",
        ),
        (
            restaurants,
            next(),
            "same-deal",
            "UPDATE tickets SET restaurant_id = uuidv7() WHERE order_id = '{order}'",
        ),
        (
            restaurants,
            next(),
            "view-ahead",
            "UPDATE tickets SET version = version - 1 WHERE order_id = '{order}'",
        ),
        (
            deliveries,
            next(),
            "delivery-made",
            "DELETE FROM deliveries WHERE order_id = '{order}'",
        ),
        (
            deliveries,
            next(),
            "delivery-matches",
            "UPDATE deliveries SET state = 'PICKEDUP' WHERE order_id = '{order}'",
        ),
        (
            kitchens,
            next(),
            "kitchen-matches",
            "UPDATE cooks SET state = 'PREPARING' WHERE order_id = '{order}'",
        ),
        (
            payments,
            next(),
            "payment-matches",
            "UPDATE payments SET state = 'AUTHORISED' WHERE order_id = '{order}'",
        ),
        (
            payments,
            next(),
            "refund-ordered",
            "UPDATE payments SET state = 'REFUNDED' WHERE order_id = '{order}'",
        ),
        (
            payments,
            next(),
            "amounts-agree",
            "UPDATE payments SET amount = 2501 WHERE order_id = '{order}'",
        ),
        (gateway, next(), "charged-twice", charge.as_str()),
        (gateway, next(), "held-twice", &hold),
        (gateway, next(), "ledger-legal", &void),
        (
            gateway,
            &cancelled_too,
            "ledger-matches",
            "DELETE FROM ledger WHERE kind = 'VOID' AND reference = '{order}'",
        ),
        (
            orders,
            next(),
            "order-follows-saga",
            "UPDATE orders SET state = 'PICKEDUP' WHERE order_id = '{order}'",
        ),
        (
            orders,
            next(),
            "saga-missing",
            "DELETE FROM sagas WHERE saga_id = '{order}'",
        ),
        (
            orders,
            next(),
            "orphan",
            "DELETE FROM orders WHERE order_id = '{order}'",
        ),
        (
            orders,
            next(),
            "unreadable",
            "UPDATE orders SET state = 'LOST' WHERE order_id = '{order}'",
        ),
        (
            orders,
            next(),
            "history-whole",
            "DELETE FROM saga_history WHERE saga_id = '{order}' AND number = 3",
        ),
        (
            orders,
            &cancelled,
            "end-explained",
            "UPDATE saga_history SET what = 'STALE' WHERE saga_id = '{order}' AND what = 'CANCEL_ASKED'",
        ),
        (
            customers,
            next(),
            "customer-matches",
            "DELETE FROM verifications WHERE order_id = '{order}'",
        ),
        (
            views,
            next(),
            "view-behind",
            "DELETE FROM order_views WHERE order_id = '{order}'",
        ),
        (
            views,
            next(),
            "view-differs",
            "UPDATE order_views SET \"order\" = jsonb_set(\"order\", '{state}', '\"READY\"') WHERE order_id = '{order}'",
        ),
        (
            views,
            next(),
            "view-fold",
            "UPDATE order_views SET facts = facts - 'pricedItems' WHERE order_id = '{order}'",
        ),
        (
            kitchens,
            &waiting,
            "kitchen-heard",
            "UPDATE cooks SET state = 'READY' WHERE order_id = '{order}'",
        ),
        (
            payments,
            &early,
            "captured-early",
            "UPDATE payments SET state = 'CAPTURED' WHERE order_id = '{order}'",
        ),
        (
            payments,
            &rejected,
            "payment-whole",
            "UPDATE payments SET authorisation = 'none' WHERE order_id = '{order}'",
        ),
        (
            payments,
            &rejected_too,
            "payment-matches",
            "UPDATE payments SET state = 'CAPTURED', authorisation = 'none' WHERE order_id = '{order}'",
        ),
    ];
    let mut expected = BTreeSet::new();
    for (at, order, rule, sql) in changes {
        at.corrupt(&sql.replace("{order}", order)).await;
        expected.insert((order.to_owned(), rule.to_owned()));
    }
    let nobody = uuid::Uuid::nil().to_string();
    expected.insert((nobody, "ledger-stranger".to_owned()));
    gateway.corrupt("INSERT INTO ledger (authorisation_id, kind, reference, amount, currency, idempotency_key, at) \
                     SELECT authorisation_id, 'CHARGE', 'tip', 1, 'EUR', 'by hand', now() FROM authorisations LIMIT 1").await;
    // And one that is explained: what came of it is parked.
    kitchens
        .corrupt(&format!(
            "UPDATE cooks SET state = 'READY', version = 1 WHERE order_id = '{parked}'"
        ))
        .await;
    let line = |consumer| {
        format!(
            "INSERT INTO parked_line (consumer, line, since) VALUES ('{consumer}', '{parked}', now())"
        )
    };
    orders.corrupt(&line("order-service")).await;
    deliveries.corrupt(&line("delivery-service")).await;
    views.corrupt(&line("order-view")).await;
    views
        .corrupt(&format!(
            "UPDATE order_views SET kitchen = NULL, kitchen_version = 0 WHERE order_id = '{parked}'"
        ))
        .await;

    let found = audit(&place, &["--json", "--settle", "200"]).await;
    assert_eq!(found.code, 1, "{}", found.complaints);
    let violations = found.found();
    let missed: Vec<_> = expected.difference(&violations).collect();
    assert!(missed.is_empty(), "missed {missed:?}\n{}", found.said);
    let touched: BTreeSet<&str> = expected.iter().map(|(order, _)| order.as_str()).collect();
    let invented: Vec<_> = violations
        .iter()
        .filter(|(order, _)| !touched.contains(order.as_str()))
        .collect();
    assert!(invented.is_empty(), "nothing is wrong with {invented:?}");
    let report = found.json();
    let explained = report["explained"].as_array().expect("a list");
    assert!(
        explained
            .iter()
            .any(|it| it["order"] == parked.as_str() && it["rule"] == "kitchen-heard"),
        "{explained:?}"
    );

    // In whatever pages, the same is found.
    for page in ["1", "5"] {
        let paged = audit(&place, &["--json", "--settle", "200", "--page", page]).await;
        assert_eq!(paged.found(), violations, "--page {page}");
    }
    let people = audit(&place, &["--settle", "200", "--most", "3", "--page", "3"]).await;
    assert_eq!(people.code, 1);
    for part in [
        "VIOLATION ",
        "    next      ",
        "stopped here; --most shows more",
    ] {
        assert!(people.said.contains(part), "{}", people.said);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_or_a_consumer_that_does_not_come_back_explains_nothing_for_ever() {
    let system = System::start().await;
    let place = together(&system.place_of_everything(), &system.beside());
    let asked = ["--json", "--settle", "200", "--patience", "4"];
    system.kitchens.stop();
    let unread = system.accepted().await;
    system.topic_has("order-kitchen").await;
    system.stop_relay().await;
    let unpublished = system.placed().await;

    // They have just died: somebody may be about to take over.
    let recent = audit(&place, &asked).await;
    assert_eq!(recent.code, 0, "{} {}", recent.said, recent.complaints);
    let report = recent.json();
    let explained = report["explained"].as_array().expect("a list");
    let because = |it: &Value| it["because"].as_str().expect("text").to_owned();
    assert!(
        explained
            .iter()
            .any(|it| it["order"] == unpublished.as_str()
                && because(it) == "not published yet: 1 message of order-service"),
        "{explained:?}"
    );

    // Nobody has come for two hours.
    let age = format!(
        "UPDATE outbox SET occurred_at = occurred_at - interval '2 hours' WHERE key = '{unpublished}'"
    );
    system.orders.corrupt(&age).await;
    let outbox = (unpublished, "outbox-behind".to_owned());
    let late = audit(&place, &asked).await;
    assert_eq!(late.code, 1, "{} {}", late.said, late.complaints);
    assert_eq!(late.found(), BTreeSet::from([outbox.clone()]));
    assert_eq!(
        audit(&place, &together(&asked, &["--overdue", "3h"]))
            .await
            .code,
        0
    );

    // What is on the topics cannot be made older: let the bound be closer.
    let later = audit(&place, &together(&asked, &["--overdue", "1ms"])).await;
    let consumer = (unread, "consumer-behind".to_owned());
    assert_eq!(later.found(), BTreeSet::from([outbox, consumer]));
    let report = later.json();
    let said: Vec<&str> = report["violations"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|it| it["found"].as_str())
        .collect();
    for part in [
        " messages in the outbox of order-service, the oldest (ORDER_CREATED) since 20",
        " records that kitchen-service has not read, the oldest (order-kitchen, partition ",
    ] {
        assert!(said.iter().any(|said| said.contains(part)), "{said:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_no_clean_audit_and_usage_is_told() {
    let unreachable = "postgres://ann:hunter2@127.0.0.1:1/none";
    let ran = audit(&["--database-url", unreachable], &[]).await;
    assert_eq!(ran.code, 1);
    assert!(!ran.complaints.contains("hunter2"), "{}", ran.complaints);
    for wrong in [
        &["--since", "yesterday"][..],
        &["--page", "0"],
        &["--wait", "long"],
        &["--overdue", "some"],
    ] {
        assert_eq!(audit(&[], wrong).await.code, 2, "{wrong:?}");
    }
    let orders = testing::Database::migrated(order_service::migration::all()).await;
    let ran = audit(&["--database-url", orders.url()], &["--json"]).await;
    assert_eq!(ran.code, 1, "the other databases are missing");
    let skipped = ran.json();
    let skipped: Vec<&str> = skipped["notChecked"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|it| it["what"].as_str())
        .collect();
    assert!(
        skipped.contains(&"payment-service") && skipped.contains(&"the gateway's ledger"),
        "{skipped:?}"
    );
    let kitchens = testing::Database::migrated(kitchen_service::migration::all()).await;
    let ran = audit(&["--database-url", kitchens.url()], &[]).await;
    assert!(
        ran.complaints
            .contains("none of the databases is order-service's"),
        "{}",
        ran.complaints
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_service_has_forgotten_is_not_compared_with_what_the_others_remember() {
    let system = System::start().await;
    system.delivered(2).await;
    let place = together(&system.place_of_everything(), &system.beside());
    let kitchens = system.kitchens.database.store().await;
    let (_, removed) = testing::age(&kitchens, kitchen_service::store::FINISHED).await;
    assert_eq!(removed, 2);

    let ran = audit(&place, &["--json"]).await;
    assert_eq!(ran.code, 0, "{} {}", ran.said, ran.complaints);
    let report = ran.json();
    assert_eq!(
        (&report["orders"]["total"], &report["folded"][0]),
        (&0.into(), &0.into())
    );
    let skipped = report["notChecked"][0]["what"].as_str().expect("text");
    assert!(skipped.starts_with("orders from before 20"), "{skipped}");

    // Nobody has removed anything, they say: then it is missing.
    system.kitchens.corrupt("DELETE FROM forgotten").await;
    let ran = audit(&place, &["--json", "--settle", "200"]).await;
    let orders: BTreeSet<String> = ran.found().into_iter().map(|(order, _)| order).collect();
    assert_eq!((ran.code, orders.len()), (1, 2), "{}", ran.said);
}

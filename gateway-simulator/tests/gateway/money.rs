//! Money is held, taken, given up and given back; never twice.

use reqwest::StatusCode;
use testing::Database;
use uuid::Uuid;

use crate::{Gateway, good, refused, word};

const GOOD: &str = "4242424242424242";

#[tokio::test]
async fn what_is_held_can_be_taken_and_given_back() {
    let database = Database::new().await;
    let gateway = Gateway::start(&database, 0).await;
    let id = gateway.held(GOOD, "order").await;
    let captured = good(gateway.act(&id, "capture", "1")).await;
    assert_eq!(word(&captured, "state"), "CAPTURED");
    let refunded = good(gateway.act(&id, "refund", "2")).await;
    assert_eq!(word(&refunded, "state"), "REFUNDED");
    assert_eq!(gateway.ledger("order").await, ["HOLD", "CHARGE", "REFUND"]);
}

#[tokio::test]
async fn what_the_state_does_not_allow_is_refused_and_written_nowhere() {
    let database = Database::new().await;
    let gateway = Gateway::start(&database, 0).await;
    let taken = gateway.held(GOOD, "taken").await;
    refused(gateway.act(&taken, "refund", "early"), StatusCode::CONFLICT).await;
    good(gateway.act(&taken, "capture", "1")).await;
    let problem = refused(gateway.act(&taken, "capture", "2"), StatusCode::CONFLICT).await;
    assert_eq!(
        word(&problem, "detail"),
        "an authorisation that is CAPTURED cannot be captured"
    );
    refused(gateway.act(&taken, "void", "3"), StatusCode::CONFLICT).await;
    assert_eq!(gateway.ledger("taken").await, ["HOLD", "CHARGE"]);

    let voided = gateway.held(GOOD, "voided").await;
    good(gateway.act(&voided, "void", "4")).await;
    refused(gateway.act(&voided, "capture", "5"), StatusCode::CONFLICT).await;
    assert_eq!(gateway.ledger("voided").await, ["HOLD", "VOID"]);
}

#[tokio::test]
async fn what_is_not_known_is_not_found() {
    let database = Database::new().await;
    let gateway = Gateway::start(&database, 0).await;
    refused(
        gateway.hold("tok_unknown", "order", "1"),
        StatusCode::NOT_FOUND,
    )
    .await;
    let unknown = Uuid::nil().to_string();
    refused(gateway.act(&unknown, "capture", "2"), StatusCode::NOT_FOUND).await;
    let problem = refused(gateway.act("42", "capture", "3"), StatusCode::BAD_REQUEST).await;
    assert_eq!(problem["errors"][0]["field"], "authorisationId");
    assert_eq!(gateway.ledger("order").await, [""; 0]);
}

#[tokio::test]
async fn the_summary_shows_who_was_held_or_charged_twice() {
    let database = Database::new().await;
    let gateway = Gateway::start(&database, 0).await;
    let token = gateway.token(GOOD).await;
    for (reference, key) in [("once", "1"), ("twice", "2"), ("twice", "3")] {
        let id = word(
            &good(gateway.hold(&token, reference, key)).await,
            "authorisationId",
        );
        good(gateway.act(&id, "capture", &format!("{key}-capture"))).await;
    }
    let summary = good(gateway.get("/v1/ledger/summary")).await;
    assert_eq!(summary["references"], 2);
    assert_eq!(
        (&summary["doubleHolds"], &summary["doubleCharges"]),
        (&1.into(), &1.into())
    );
    assert_eq!(
        summary["totals"],
        serde_json::json!([
            {"kind": "CHARGE", "currency": "EUR", "count": 3, "amount": 3_750},
            {"kind": "HOLD", "currency": "EUR", "count": 3, "amount": 3_750},
        ])
    );
}

#[tokio::test]
async fn the_ledger_is_listed_page_by_page_in_the_order_of_the_references() {
    let database = Database::new().await;
    let gateway = Gateway::start(&database, 0).await;
    for reference in ["c", "a", "d", "b"] {
        let id = gateway.held(GOOD, reference).await;
        good(gateway.act(&id, "capture", reference)).await;
    }
    let list = async |query: &str| {
        let page = good(gateway.get(&format!("/v1/ledger/references?{query}"))).await;
        let references = page["references"].as_array().unwrap().clone();
        for reference in &references {
            let entries = reference["entries"].as_array().unwrap();
            let kinds: Vec<String> = entries.iter().map(|entry| word(entry, "kind")).collect();
            assert_eq!(kinds, ["HOLD", "CHARGE"]);
        }
        let names = references.iter().map(|it| word(it, "reference"));
        names.collect::<Vec<String>>().concat()
    };
    assert_eq!(list("").await, "abcd");
    assert_eq!(list("limit=2").await, "ab");
    assert_eq!(list("limit=2&after=b").await, "cd");
    assert_eq!(list("after=a&upTo=c").await, "bc");
    assert_eq!(list("after=d").await, "");
    for wrong in ["limit=0", "limit=1001"] {
        let asked = gateway.get(&format!("/v1/ledger/references?{wrong}"));
        refused(asked, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
}

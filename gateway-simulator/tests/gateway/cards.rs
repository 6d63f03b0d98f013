//! Cards become tokens, and nothing else of them stays.

use reqwest::StatusCode;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use testing::Database;

use crate::{Gateway, card, good, read, refused, word};

const GOOD: &str = "4242424242424242";

#[tokio::test]
async fn a_card_becomes_a_token_that_tells_brand_and_last_digits() {
    let database = Database::new().await;
    let gateway = Gateway::start(&database, 0).await;
    for (number, brand, last4) in [
        ("4242 4242 4242 4242", "visa", "4242"),
        ("5555555555554444", "mastercard", "4444"),
        ("378282246310005", "amex", "0005"),
    ] {
        let answer = gateway
            .post("/v1/tokens")
            .json(&card(number))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        let answer = read(answer).await;
        assert_eq!(
            (word(&answer, "brand"), word(&answer, "last4")),
            (brand.to_owned(), last4.to_owned())
        );
    }
}

#[tokio::test]
async fn a_card_that_cannot_be_used_is_refused_by_its_field_and_not_repeated() {
    let database = Database::new().await;
    let gateway = Gateway::start(&database, 0).await;
    for (field, value) in [
        ("cardNumber", json!("4012888888881881")),
        ("cardNumber", json!(4_242_424_242_424_242_u64)),
        ("expiryMonth", json!(13)),
        ("expiryYear", json!(2020)),
        ("cvc", json!("12")),
        ("holder", json!("A. Person")),
    ] {
        let mut body = card(GOOD);
        body[field] = value;
        let problem = refused(
            gateway.post("/v1/tokens").json(&body),
            StatusCode::UNPROCESSABLE_ENTITY,
        )
        .await;
        assert_eq!(problem["errors"][0]["field"], field);
        let text = problem.to_string();
        assert!(!text.contains("4012") && !text.contains("4242"), "{text}");
    }
}

#[tokio::test]
async fn no_number_and_no_check_code_is_stored() {
    let database = Database::new().await;
    let gateway = Gateway::start(&database, 0).await;
    let token = gateway.token(GOOD).await;
    good(gateway.hold(&token, "order", "key")).await;
    let db = database.connect(1).await;
    for table in ["tokens", "authorisations", "ledger", "answers"] {
        let sql = format!("SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]') AS rows FROM {table} t");
        let row = db
            .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
            .await
            .unwrap()
            .unwrap();
        let rows: Value = row.try_get("", "rows").unwrap();
        assert_ne!(rows, json!([]), "{table} was not written");
        assert!(!rows.to_string().contains(&GOOD[..12]), "{rows}");
        assert!(!rows.to_string().contains("cvc"), "{rows}");
    }
}

#[tokio::test]
async fn cards_that_decline_say_why() {
    let database = Database::new().await;
    let gateway = Gateway::start(&database, 0).await;
    for (number, reason) in [
        ("4000000000000002", "CARD_DECLINED"),
        ("4000000000009995", "INSUFFICIENT_FUNDS"),
    ] {
        let token = gateway.token(number).await;
        let answer = good(gateway.hold(&token, number, reason)).await;
        assert_eq!(
            (word(&answer, "outcome"), word(&answer, "reason")),
            ("DECLINED".to_owned(), reason.to_owned())
        );
        assert_eq!(gateway.ledger(number).await, ["DECLINE"]);
        let id = word(&answer, "authorisationId");
        refused(gateway.act(&id, "capture", "capture"), StatusCode::CONFLICT).await;
    }
}

//! No card number and no CVC, anywhere: not in a table, not in a log line, not in an answer.

use axum::http::StatusCode;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::json;
use testing::Log;

use crate::{
    cards::{Server, request},
    scene::{Scene, authorise, new_order},
    simulator::Simulator,
};

/// Digits that nothing else here is likely to contain, apart from the card itself.
const NUMBER: &str = "4000000000000119";
const CVC: &str = "737";

/// Every row of every table, as text.
async fn dump(db: &DatabaseConnection) -> String {
    let tables = "SELECT relid::regclass::text AS name FROM pg_stat_user_tables ORDER BY 1";
    let tables = Statement::from_string(DbBackend::Postgres, tables);
    let mut text = String::new();
    for table in db.query_all_raw(tables).await.unwrap() {
        let name: String = table.try_get("", "name").unwrap();
        let rows = format!("SELECT row::text AS row FROM {name} AS row");
        let rows = Statement::from_string(DbBackend::Postgres, rows);
        for row in db.query_all_raw(rows).await.unwrap() {
            let row: String = row.try_get("", "row").unwrap();
            text.push_str(&format!("{name} {row}\n"));
        }
    }
    text
}

/// What common functions make of a text, in hexadecimal digits.
async fn hashes(db: &DatabaseConnection, text: &str) -> Vec<String> {
    let hashes = "SELECT unnest(array[md5($1), encode(sha224($1::bytea), 'hex'), encode(sha256($1::bytea), 'hex'), \
                  encode(sha384($1::bytea), 'hex'), encode(sha512($1::bytea), 'hex')])";
    let hashes = Statement::from_sql_and_values(DbBackend::Postgres, hashes, [text.into()]);
    let rows = db.query_all_raw(hashes).await.unwrap();
    let hashes = rows.iter().map(|row| row.try_get_by_index(0).unwrap());
    hashes.collect()
}

/// Whether `digits` stand in `line` by themselves, and not as a part of a longer number, an id or a fraction.
fn says(line: &str, digits: &str) -> bool {
    line.match_indices(digits).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + digits.len()..].chars().next();
        !before.is_some_and(|before| before.is_alphanumeric() || before == '.')
            && !after.is_some_and(char::is_alphanumeric)
    })
}

#[tokio::test]
async fn no_card_number_and_no_cvc_is_stored_or_logged() {
    let (log, _logging) = Log::collect(tracing::Level::TRACE);

    let (simulator, scene) = (Simulator::start().await, Scene::new().await);
    let gateway = simulator.client();
    let server = Server::start(&scene, gateway.clone()).await;
    let mut body = request(NUMBER);
    body["cvc"] = json!(CVC);
    body["customerId"] = json!(scene.customer);
    let (status, answer) = server.post_as("k", &body).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let mut wrong = body.clone();
    wrong["expiryYear"] = json!(2001);
    let (_, problem) = server.post(&wrong).await;

    let service = scene.instance(0, gateway);
    let method: uuid::Uuid = answer["paymentMethodId"].as_str().unwrap().parse().unwrap();
    let hold = authorise(new_order(), scene.customer, method.into());
    service.handle(&[&hold]).await;
    assert_eq!(scene.answer(&hold).await.kind, "PAYMENT_APPROVED");

    let rows = dump(scene.store.db()).await;
    assert!(rows.contains("tok_"), "the dump shows what is stored");
    // Nothing that could be guessed by hashing all numbers: neither may be in what the key is bound to.
    for digits in [NUMBER, CVC] {
        for hash in hashes(scene.store.db(), digits).await {
            assert!(!rows.contains(&hash), "a hash of {digits} in a table");
        }
    }
    let logged = log.text();
    assert!(logged.contains("request"), "the log shows what happened");
    for (place, text) in [
        ("tables", &rows),
        ("log", &logged),
        ("answer", &answer.to_string()),
        ("problem", &problem.to_string()),
    ] {
        for line in text.lines() {
            assert!(!line.contains(NUMBER), "card number in {place}: {line}");
            assert!(!says(line, CVC), "CVC in {place}: {line}");
        }
    }
    assert!(!logged.contains("tok_"), "a token in the log");
}

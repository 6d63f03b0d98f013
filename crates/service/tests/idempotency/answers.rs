//! Which requests are the same request, and what is answered to them.

use axum::http::header;
use serde_json::{Value, json};

use crate::notes::{Notes, Twist, assert_replayed, json};

const PATHS: [&str; 3] = ["/notes", "/jottings", "/prints"];

#[tokio::test]
async fn the_same_key_gets_the_first_answer_byte_for_byte_and_has_one_effect() {
    for path in PATHS {
        let notes = Notes::open().await;
        let first = notes.post("k", path, "hello").await;
        assert_eq!(first.status(), 201);
        assert_eq!(first.headers()[header::CONTENT_TYPE], "application/json");
        let place = first.headers()[header::LOCATION].to_str().unwrap();
        assert!(place.starts_with(path), "{place}");
        for _ in 0..3 {
            assert_replayed(&first, &notes.post("k", path, "hello").await);
        }
        assert_eq!(notes.stored().await, (1, 1), "{path}");
    }
}

#[tokio::test]
async fn white_space_the_order_of_members_and_nulls_do_not_make_another_body() {
    let notes = Notes::open().await;
    let first = r#"{"text":"a","pages":2}"#;
    let first = notes.client.post_as("k", "/notes", first).await;
    let same = "{ \"pages\" : 2,\n\t\"text\":\"\\u0061\" }";
    assert_replayed(&first, &notes.client.post_as("k", "/notes", same).await);
    let short = notes.post("l", "/notes", "a").await;
    let long = r#"{"text":"a","pages":null}"#;
    assert_replayed(&short, &notes.client.post_as("l", "/notes", long).await);
}

#[tokio::test]
async fn the_same_key_with_another_body_is_refused_and_nothing_is_stored() {
    for path in PATHS {
        let notes = Notes::open().await;
        let first = notes.post("k", path, "hello").await;
        let other = notes.post("k", path, "goodbye").await;
        let problem = json(&other);
        assert_eq!(other.status(), 422, "{problem}");
        assert_eq!(
            other.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
        assert_eq!(problem["errors"][0]["field"], "Idempotency-Key");
        assert_eq!(notes.stored().await, (1, 1));
        assert_replayed(&first, &notes.post("k", path, "hello").await);
    }
}

#[tokio::test]
async fn keys_of_two_operations_do_not_meet() {
    let notes = Notes::open().await;
    for path in PATHS {
        let first = notes.post("k", path, path).await;
        assert_eq!(first.status(), 201);
    }
    assert_eq!(notes.stored().await, (3, 3));
}

#[tokio::test]
async fn a_key_whose_transaction_rolled_back_can_be_used_again_also_with_another_body() {
    for path in ["/notes", "/prints"] {
        let notes = Notes::open().await;
        notes.next(Twist::Fails);
        assert_eq!(notes.post("k", path, "hello").await.status(), 409);
        assert_eq!(notes.stored().await, (0, 0), "{path}");
        assert_eq!(notes.post("k", path, "goodbye").await.status(), 201);
        assert_eq!(notes.stored().await, (1, 1), "{path}");
    }
}

#[tokio::test]
async fn what_the_database_refuses_leaves_the_key_free() {
    let notes = Notes::open().await;
    for path in PATHS {
        notes.execute("ALTER TABLE notes RENAME TO lost").await;
        assert_eq!(notes.post("k", path, "hello").await.status(), 500);
        notes.execute("ALTER TABLE lost RENAME TO notes").await;
        assert_eq!(
            notes.count("SELECT count(*) FROM idempotency_keys").await,
            0
        );
    }
}

#[tokio::test]
async fn without_a_key_every_request_is_another_one_and_no_key_is_kept() {
    let notes = Notes::open().await;
    for path in PATHS {
        for _ in 0..2 {
            let (status, _) = notes.client.post(path, &json!({ "text": "a" })).await;
            assert_eq!(status, 201);
        }
    }
    assert_eq!(notes.stored().await, (6, 0));
}

#[tokio::test]
async fn the_description_of_the_api_tells_of_the_header_and_of_what_is_answered() {
    let notes = Notes::open().await;
    let (_, api) = notes.client.get("/openapi.json").await;
    for path in PATHS {
        let operation = &api["paths"][path]["post"];
        let header = &operation["parameters"][0];
        let told = [&header["name"], &header["in"], &header["required"]];
        assert_eq!(
            told,
            [
                &json!("Idempotency-Key"),
                &json!("header"),
                &Value::Bool(false)
            ]
        );
        for status in ["409", "422"] {
            let problem = &operation["responses"][status]["content"]["application/problem+json"];
            assert_eq!(problem["schema"]["$ref"], "#/components/schemas/Problem");
        }
        assert!(operation["responses"]["409"]["headers"]["Retry-After"].is_object());
    }
}

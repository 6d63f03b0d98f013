//! What customers do and see.

use serde_json::{Value, json};

use crate::support::{Desk, new_order};

async fn nothing_is_stored(desk: &Desk) {
    for table in ["orders", "sagas", "saga_history", "outbox"] {
        let stored = desk.count(&format!("SELECT count(*) FROM {table}")).await;
        assert_eq!(stored, 0, "{table}");
    }
}

/// A good order, changed in one place.
fn order_with(change: impl FnOnce(&mut Value)) -> Value {
    let mut order = new_order();
    change(&mut order);
    order
}

#[tokio::test]
async fn an_order_is_answered_with_its_place_its_state_and_its_version() {
    let desk = Desk::open().await;
    let text = new_order().to_string();
    let (status, location, placed) = desk.post_text("/orders", "application/json", &text).await;
    assert_eq!(
        (status, &placed["state"], &placed["version"]),
        (201, &json!("PENDING"), &json!(1))
    );
    let location = location.unwrap();
    assert_eq!(
        location,
        format!("/orders/{}", placed["orderId"].as_str().unwrap())
    );
    let (status, order) = desk.get(&location).await;
    assert_eq!((status, &order["version"]), (200, &json!(1)));
    assert_eq!(order["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_no_order_is_refused_with_the_field_that_is_wrong_and_nothing_is_stored() {
    let desk = Desk::open().await;
    let line = |quantity: Value| json!({ "menuItemId": ambient::new_id(), "quantity": quantity });
    let dish = line(json!(1));
    let many: Vec<Value> = (0..51).map(|_| line(json!(1))).collect();
    let cases = [
        (
            "orderItems",
            order_with(|order| order["orderItems"] = json!([])),
        ),
        (
            "orderItems",
            order_with(|order| order["orderItems"] = json!(many)),
        ),
        (
            "orderItems",
            order_with(|order| order["orderItems"] = json!([dish, dish])),
        ),
        (
            "orderItems[0].quantity",
            order_with(|order| order["orderItems"] = json!([line(json!(0))])),
        ),
        (
            "orderItems[0].quantity",
            order_with(|order| order["orderItems"] = json!([line(json!(-1))])),
        ),
        (
            "orderItems[0].quantity",
            order_with(|order| order["orderItems"] = json!([line(json!(101))])),
        ),
        (
            "orderItems[0].quantity",
            order_with(|order| order["orderItems"] = json!([line(json!(1.5))])),
        ),
        (
            "orderItems[0].menuItemId",
            order_with(|order| order["orderItems"][0]["menuItemId"] = json!("dish")),
        ),
        (
            "orderItems[0].price",
            order_with(|order| order["orderItems"][0]["price"] = json!(1)),
        ),
        (
            "customerId",
            order_with(|order| order["customerId"] = json!("nobody")),
        ),
        (
            "restaurantId",
            order_with(|order| drop(order.as_object_mut().unwrap().remove("restaurantId"))),
        ),
        ("total", order_with(|order| order["total"] = json!(1))),
        (
            "state",
            order_with(|order| order["state"] = json!("COMPLETE")),
        ),
    ];
    for (field, body) in cases {
        let (status, problem) = desk.post("/orders", &body).await;
        assert_eq!(
            (status, &problem["errors"][0]["field"]),
            (422, &json!(field)),
            "{problem}"
        );
    }
    nothing_is_stored(&desk).await;
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_and_nothing_is_stored() {
    let desk = Desk::open().await;
    let order = new_order().to_string();
    let huge = format!("{}{order}", " ".repeat(65 * 1024));
    for (expected, content_type, body) in [
        (400, "application/json", "{"),
        (400, "application/json", ""),
        (415, "text/plain", order.as_str()),
        (413, "application/json", huge.as_str()),
    ] {
        let (status, _, problem) = desk.post_text("/orders", content_type, body).await;
        assert_eq!(status, expected, "{problem}");
        assert_eq!(problem["status"], expected);
    }
    nothing_is_stored(&desk).await;
}

#[tokio::test]
async fn an_order_that_nobody_placed_is_not_found_and_a_malformed_id_is_no_order() {
    let desk = Desk::open().await;
    for path in ["", "/saga"] {
        let (status, _) = desk
            .get(&format!("/orders/{}{path}", ambient::new_id()))
            .await;
        assert_eq!(status, 404);
        let (status, problem) = desk.get(&format!("/orders/7{path}")).await;
        assert_eq!(
            (status, &problem["errors"][0]["field"]),
            (400, &json!("id")),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn an_order_whose_message_cannot_be_written_is_not_stored() {
    let desk = Desk::open().await;
    desk.execute("ALTER TABLE outbox RENAME COLUMN body TO text")
        .await;
    let (status, problem) = desk.post("/orders", &new_order()).await;
    assert_eq!(status, 500, "{problem}");
    assert!(
        !problem.to_string().contains("column"),
        "no internals: {problem}"
    );
    desk.execute("ALTER TABLE outbox RENAME COLUMN text TO body")
        .await;
    nothing_is_stored(&desk).await;
}

#[tokio::test]
async fn the_api_describes_itself() {
    let desk = Desk::open().await;
    let (status, api) = desk.get("/openapi.json").await;
    assert_eq!(status, 200);
    for path in ["/orders", "/orders/{id}", "/orders/{id}/saga"] {
        assert!(api["paths"][path].is_object(), "{path}");
    }
    let quantity = &api["components"]["schemas"]["Line"]["properties"]["quantity"];
    assert!(quantity.is_object(), "{api}");
}

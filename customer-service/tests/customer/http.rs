//! Registering customers, and deciding who may order.

use serde_json::json;

use crate::support::Customers;

#[tokio::test]
async fn a_customer_who_registers_is_found() {
    let customers = Customers::open().await;
    let id = customers.register().await;
    let (status, customer) = customers.client.get(&format!("/customers/{id}")).await;
    assert_eq!(status, 200);
    assert_eq!(customer["customerId"], json!(id));
    assert_eq!(
        (&customer["name"], &customer["email"]),
        (&json!("Ada"), &json!("ada@example.org"))
    );
    assert_eq!(
        (&customer["state"], &customer["version"]),
        (&json!("ACTIVE"), &json!(1))
    );
}

#[tokio::test]
async fn a_customer_who_registers_again_with_the_same_key_is_the_same_customer() {
    let customers = Customers::open().await;
    let register = async |name: &str| {
        let body = json!({ "email": "ada@example.org", "name": name }).to_string();
        customers.client.post_as("k", "/customers", &body).await
    };
    let first = register("Ada").await;
    let again = register("Ada").await;
    assert_eq!(first.status(), 201);
    assert_eq!(again.status(), 201);
    assert_eq!(again.headers()["location"], first.headers()["location"]);
    assert_eq!(again.body(), first.body());
    assert_eq!(register("Bea").await.status(), 422);
    assert_eq!(customers.count().await, 1);
}

#[tokio::test]
async fn suspending_and_resuming_are_done_once_and_repeated_freely() {
    let customers = Customers::open().await;
    let id = customers.register().await;
    for (what, state, version) in [
        ("resume", "ACTIVE", 1),
        ("suspend", "SUSPENDED", 2),
        ("suspend", "SUSPENDED", 2),
        ("resume", "ACTIVE", 3),
        ("resume", "ACTIVE", 3),
    ] {
        customers.decide(what, id).await;
        let (_, customer) = customers.client.get(&format!("/customers/{id}")).await;
        let expected = (&json!(state), &json!(version));
        assert_eq!(
            (&customer["state"], &customer["version"]),
            expected,
            "{what}"
        );
    }
}

#[tokio::test]
async fn an_unknown_customer_is_not_found_and_a_malformed_id_refused() {
    let customers = Customers::open().await;
    let nobody = ambient::new_id();
    for (method, tail) in [("GET", ""), ("POST", "/suspend"), ("POST", "/resume")] {
        let path = format!("/customers/{nobody}{tail}");
        let (status, problem) = customers.client.ask(method, &path, None).await;
        assert_eq!(status, 404);
        assert_eq!(problem["detail"], format!("there is no customer {nobody}"));
        let path = format!("/customers/nobody{tail}");
        let (status, problem) = customers.client.ask(method, &path, None).await;
        assert_eq!(status, 400);
        assert_eq!(problem["errors"][0]["field"], "customerId");
    }
}

#[tokio::test]
async fn bad_input_is_refused_by_name() {
    let customers = Customers::open().await;
    let customer = |name: &str, email: &str| json!({ "name": name, "email": email });
    let with_more = json!({ "name": "Ada", "email": "ada@example.org", "state": "ACTIVE" });
    for (body, field) in [
        (json!({ "email": "ada@example.org" }), "name"),
        (json!({ "name": "Ada" }), "email"),
        (json!({ "name": 1, "email": "ada@example.org" }), "name"),
        (customer("", "ada@example.org"), "name"),
        (customer("  ", "ada@example.org"), "name"),
        (customer("A\u{0}da", "ada@example.org"), "name"),
        (customer(&"a".repeat(201), "ada@example.org"), "name"),
        (customer("Ada", "ada"), "email"),
        (customer("Ada", "@example.org"), "email"),
        (customer("Ada", "ada@"), "email"),
        (customer("Ada", "ada@ex ample.org"), "email"),
        (customer("Ada", "ada@b@example.org"), "email"),
        (with_more, "state"),
    ] {
        let (status, problem) = customers.client.post("/customers", &body).await;
        assert_eq!(
            (status, &problem["errors"][0]["field"]),
            (422, &json!(field)),
            "{body}"
        );
    }
}

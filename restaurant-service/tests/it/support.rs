//! Restaurants on a database of their own, without Kafka.
#![expect(
    clippy::expect_used,
    reason = "what a test's helper cannot do fails the test"
)]

use contracts::OrderId;
use messaging::{Message, Processor, Report, Store};
use restaurant_service::{NAME, http, messages::Ticketing, migration, store::FINISHED};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use service::health::Health;
use testing::{Client, Database, Told, message, outbox};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) struct Restaurants {
    pub(crate) store: Store,
    processor: Processor<Ticketing>,
    pub(crate) client: Client,
    _database: Database,
}

impl Restaurants {
    pub(crate) async fn open() -> Self {
        let database = Database::migrated(migration::all()).await;
        let store = database.store().await;
        let routes = http::router(store.clone());
        let (health, tasks) = (Health::default(), TaskTracker::new());
        let router = service::http::router(NAME, routes, &health, &tasks, Default::default());
        Self {
            processor: Processor::new(store.clone(), NAME, Ticketing),
            client: Client::new(router.expect("the API can be described")),
            store,
            _database: database,
        }
    }

    /// So much time goes by that what has ended is removed. Gives how much that is.
    pub(crate) async fn age(&mut self) -> u64 {
        let (horizon, removed) = testing::age(&self.store, FINISHED).await;
        self.processor = Processor::new(self.store.clone(), NAME, Ticketing).behind(horizon);
        removed
    }

    /// Handles these messages as one batch.
    pub(crate) async fn hear<'m>(&self, messages: impl IntoIterator<Item = &'m Message>) -> Report {
        let batch = messages.into_iter().cloned().map(Into::into).collect();
        let handled = self
            .processor
            .process(batch, &CancellationToken::new())
            .await;
        handled.expect("nobody stops the test")
    }

    pub(crate) async fn told(&self, order: OrderId) -> Vec<Told> {
        let all = outbox(self.store.db()).await;
        all.into_iter()
            .filter(|told| told.key == order.uuid())
            .collect()
    }

    /// What was told about an order, in its order: kind, version, state.
    pub(crate) async fn said(&self, order: OrderId) -> Vec<(String, i64, String)> {
        let told = self.told(order).await.into_iter();
        told.map(|told| {
            let state = told.json()["state"].as_str().expect("a state").to_owned();
            (told.kind, told.sequence, state)
        })
        .collect()
    }

    pub(crate) async fn forget_the_inbox(&self) {
        let forget = self.store.db().execute_unprepared("DELETE FROM inbox");
        forget.await.expect("the inbox can be pruned");
    }

    /// A restaurant with these fields besides name and currency, and with two dishes: soup (1250), and eel, which is out.
    pub(crate) async fn restaurant(&self, fields: Value) -> Restaurant {
        let mut body = json!({ "name": "Trattoria", "currency": "EUR" });
        let all = body.as_object_mut().expect("an object");
        all.extend(fields.as_object().expect("an object").clone());
        let (status, restaurant) = self.client.post("/restaurants", &body).await;
        assert_eq!(status, 201, "{restaurant}");
        let id = restaurant["restaurantId"].clone();
        let price = |amount: i64| json!({ "amount": amount, "currency": "EUR" });
        let menu = json!({ "items": [
            { "name": "Soup", "price": price(1250) },
            { "name": "Eel", "price": price(3000), "available": false },
        ] });
        let path = format!("/restaurants/{}/menu", id.as_str().expect("an id"));
        let (status, menu) = self.client.ask("PUT", &path, Some(&menu)).await;
        assert_eq!(status, 200, "{menu}");
        let dish = |index: usize| menu["items"][index]["menuItemId"].clone();
        Restaurant {
            id,
            soup: dish(0),
            eel: dish(1),
        }
    }
}

pub(crate) struct Restaurant {
    pub(crate) id: Value,
    pub(crate) soup: Value,
    pub(crate) eel: Value,
}

impl Restaurant {
    /// An order of `quantity` of a dish.
    pub(crate) fn order(&self, order: OrderId, dish: &Value, quantity: i64) -> Message {
        let body = json!({
            "orderId": order,
            "state": "PENDING",
            "customerId": ambient::new_id(),
            "restaurantId": self.id,
            "items": [{ "menuItemId": dish, "quantity": quantity }],
        });
        message("order-ticket", "ORDER_CREATED", order.uuid(), &body)
    }
}

pub(crate) fn new_order() -> OrderId {
    OrderId::new(ambient::new_id())
}

/// The order is so far.
pub(crate) fn order_is(kind: &str, order: OrderId) -> Message {
    message(
        "order-ticket",
        kind,
        order.uuid(),
        &json!({ "orderId": order, "state": "ACCEPTED" }),
    )
}

//! A kitchen on a database of its own, without Kafka.
#![expect(
    clippy::expect_used,
    reason = "what a test's helper cannot do fails the test"
)]

use contracts::OrderId;
use kitchen_service::{NAME, http, messages::Cooking, migration, store::FINISHED};
use messaging::{Message, Processor, Report, Store};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use service::health::Health;
use testing::{Answer, Client, Database, Told, message, outbox};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) struct Kitchen {
    pub(crate) store: Store,
    processor: Processor<Cooking>,
    pub(crate) client: Client,
    _database: Database,
}

impl Kitchen {
    pub(crate) async fn open() -> Self {
        let database = Database::migrated(migration::all()).await;
        let store = database.store().await;
        let routes = http::router(store.clone());
        let (health, tasks) = (Health::default(), TaskTracker::new());
        let router = service::http::router(NAME, routes, &health, &tasks, Default::default());
        Self {
            processor: Processor::new(store.clone(), NAME, Cooking),
            client: Client::new(router.expect("the API can be described")),
            store,
            _database: database,
        }
    }

    /// So much time goes by that what has ended is removed. Gives how much that is.
    pub(crate) async fn age(&mut self) -> u64 {
        let (horizon, removed) = testing::age(&self.store, FINISHED).await;
        self.processor = Processor::new(self.store.clone(), NAME, Cooking).behind(horizon);
        removed
    }

    /// Handles these messages as one batch.
    pub(crate) async fn hear(&self, messages: impl IntoIterator<Item = &Message>) -> Report {
        let batch = messages.into_iter().cloned().map(Into::into).collect();
        let handled = self
            .processor
            .process(batch, &CancellationToken::new())
            .await;
        handled.expect("nobody stops the test")
    }

    /// What was told about an order, in its order: kind, version, state.
    pub(crate) async fn told(&self, order: OrderId) -> Vec<(String, i64, String)> {
        let told = self.outbox(order).await.into_iter();
        told.map(|told| {
            let state = told.json()["state"].as_str().expect("a state").to_owned();
            (told.kind, told.sequence, state)
        })
        .collect()
    }

    pub(crate) async fn outbox(&self, order: OrderId) -> Vec<Told> {
        let all = outbox(self.store.db()).await;
        all.into_iter()
            .filter(|told| told.key == order.uuid())
            .collect()
    }

    pub(crate) async fn forget_the_inbox(&self) {
        let forget = self.store.db().execute_unprepared("DELETE FROM inbox");
        forget.await.expect("the inbox can be pruned");
    }

    pub(crate) async fn mark_ready(&self, order: OrderId) -> Answer {
        self.client
            .post("/kitchen/ready", &json!({ "orderId": order }))
            .await
    }
}

pub(crate) fn new_order() -> OrderId {
    OrderId::new(ambient::new_id())
}

/// Cook this.
pub(crate) fn approved(order: OrderId) -> Message {
    let body = json!({
        "orderId": order,
        "state": "ACCEPTED",
        "restaurantId": ambient::new_id(),
        "items": [{ "menuItemId": ambient::new_id(), "quantity": 2 }],
    });
    message("order-kitchen", "ORDER_APPROVED", order.uuid(), &body)
}

/// Stop, if it is not too late.
pub(crate) fn cancel_requested(order: OrderId) -> Message {
    let body = json!({ "orderId": order, "state": "CANCEL_PENDING" });
    message(
        "order-kitchen",
        "ORDER_CANCEL_REQUESTED",
        order.uuid(),
        &body,
    )
}

/// Kind, version and state, as [`Kitchen::told`] gives them.
pub(crate) fn told(kind: &str, version: i64, state: &str) -> (String, i64, String) {
    (kind.to_owned(), version, state.to_owned())
}

/// A kitchen that cooks this many orders.
pub(crate) async fn busy(orders: usize) -> (Kitchen, Vec<OrderId>) {
    let kitchen = Kitchen::open().await;
    let orders: Vec<OrderId> = (0..orders).map(|_| new_order()).collect();
    let commands: Vec<_> = orders.iter().copied().map(approved).collect();
    kitchen.hear(&commands).await;
    (kitchen, orders)
}

/// The orders that an action says it changed.
pub(crate) fn changed(answer: &Value) -> Vec<OrderId> {
    serde_json::from_value(answer["changed"].clone()).expect("a list of orders")
}

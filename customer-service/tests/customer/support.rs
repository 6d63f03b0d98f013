//! A customer-service on a database of its own, without Kafka.
#![expect(
    clippy::expect_used,
    reason = "what a test's helper cannot do fails the test"
)]

use contracts::{CustomerId, OrderId};
use customer_service::{NAME, http, messages::Verifying, migration, store::FINISHED};
use messaging::{Message, Processor, Report, Store};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;
use service::health::Health;
use testing::{Client, Database, Told, message, outbox};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) struct Customers {
    pub(crate) client: Client,
    store: Store,
    processor: Processor<Verifying>,
    _database: Database,
}

impl Customers {
    pub(crate) async fn open() -> Self {
        let database = Database::migrated(migration::all()).await;
        let store = database.store().await;
        let routes = http::router(store.clone());
        let (health, tasks) = (Health::default(), TaskTracker::new());
        let router = service::http::router(NAME, routes, &health, &tasks, Default::default());
        Self {
            client: Client::new(router.expect("the API can be described")),
            processor: Processor::new(store.clone(), NAME, Verifying),
            store,
            _database: database,
        }
    }

    /// A new customer.
    pub(crate) async fn register(&self) -> CustomerId {
        let ada = json!({ "name": "Ada", "email": "ada@example.org" });
        let (status, customer) = self.client.post("/customers", &ada).await;
        assert_eq!(status, 201, "{customer}");
        serde_json::from_value(customer["customerId"].clone()).expect("an id")
    }

    /// `suspend` or `resume`
    pub(crate) async fn decide(&self, what: &str, customer: CustomerId) {
        let path = format!("/customers/{customer}/{what}");
        let (status, _) = self.client.ask("POST", &path, None).await;
        assert_eq!(status, 200);
    }

    /// So much time goes by that what has ended is removed. Gives how much that is.
    pub(crate) async fn age(&mut self) -> u64 {
        let (horizon, removed) = testing::age(&self.store, FINISHED).await;
        self.processor = Processor::new(self.store.clone(), NAME, Verifying).behind(horizon);
        removed
    }

    /// Handles these messages as one batch.
    pub(crate) async fn hear(&self, messages: impl IntoIterator<Item = &Message>) -> Report {
        let batch = messages.into_iter().cloned().map(Into::into).collect();
        let shutdown = CancellationToken::new();
        let handled = self.processor.process(batch, &shutdown);
        handled.await.expect("nobody stops the test")
    }

    /// How many customers there are.
    pub(crate) async fn count(&self) -> i64 {
        let count = "SELECT count(*) FROM customers";
        let count = Statement::from_string(DbBackend::Postgres, count);
        let row = self.store.db().query_one_raw(count).await;
        let row = row.expect("customers can be counted").expect("a number");
        row.try_get_by_index(0).expect("a number")
    }

    pub(crate) async fn told(&self, about: &Message) -> Vec<Told> {
        let all = outbox(self.store.db()).await.into_iter();
        all.filter(|told| told.key == about.key).collect()
    }

    pub(crate) async fn forget_the_inbox(&self) {
        let forget = self.store.db().execute_unprepared("DELETE FROM inbox");
        forget.await.expect("the inbox can be pruned");
    }
}

/// May this customer order?
pub(crate) fn verify(customer: CustomerId) -> Message {
    let order = OrderId::new(ambient::new_id());
    let body = json!({
        "orderId": order,
        "state": "PENDING",
        "customerId": customer,
        "restaurantId": ambient::new_id(),
        "items": [{ "menuItemId": ambient::new_id(), "quantity": 1 }],
        "createdAt": ambient::now(),
    });
    message("order-customer", "ORDER_CREATED", order.uuid(), &body)
}

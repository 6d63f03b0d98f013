//! A delivery-service on a database of its own, without Kafka.
#![expect(
    clippy::expect_used,
    reason = "what a test's helper cannot do fails the test"
)]

use contracts::OrderId;
use delivery_service::{NAME, http, messages::Dispatch, migration, store::FINISHED};
use futures_util::FutureExt;
use messaging::{Message, Processor, Report, Store};
use sea_orm::{ConnectionTrait, DbErr};
use serde_json::{Value, json};
use service::health::Health;
use testing::{Answer, Client, Database, Told, message, outbox};
use tokio::sync::oneshot;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) struct Delivery {
    pub(crate) client: Client,
    store: Store,
    processor: Processor<Dispatch>,
    _database: Database,
}

impl Delivery {
    pub(crate) async fn open() -> Self {
        let database = Database::migrated(migration::all()).await;
        let store = database.store().await;
        let routes = http::router(store.clone());
        let (health, tasks) = (Health::default(), TaskTracker::new());
        let router = service::http::router(NAME, routes, &health, &tasks, Default::default());
        Self {
            client: Client::new(router.expect("the API can be described")),
            processor: Processor::new(store.clone(), NAME, Dispatch),
            store,
            _database: database,
        }
    }

    /// A delivery-service that has this many orders to deliver.
    pub(crate) async fn with(orders: usize) -> (Self, Vec<OrderId>) {
        let delivery = Self::open().await;
        let orders: Vec<OrderId> = (0..orders).map(|_| new_order()).collect();
        let news: Vec<_> = orders.iter().copied().map(kitchen_ready).collect();
        delivery.hear(&news).await;
        (delivery, orders)
    }

    /// So much time goes by that what has ended is removed. Gives how much that is.
    pub(crate) async fn age(&mut self) -> u64 {
        let (horizon, removed) = testing::age(&self.store, FINISHED).await;
        self.processor = Processor::new(self.store.clone(), NAME, Dispatch).behind(horizon);
        removed
    }

    /// Handles these messages as one batch.
    pub(crate) async fn hear(&self, messages: impl IntoIterator<Item = &Message>) -> Report {
        let batch = messages.into_iter().cloned().map(Into::into).collect();
        let shutdown = CancellationToken::new();
        let handled = self.processor.process(batch, &shutdown);
        handled.await.expect("nobody stops the test")
    }

    pub(crate) async fn outbox(&self, order: OrderId) -> Vec<Told> {
        let all = outbox(self.store.db()).await.into_iter();
        all.filter(|told| told.key == order.uuid()).collect()
    }

    pub(crate) async fn forget_the_inbox(&self) {
        let forget = self.store.db().execute_unprepared("DELETE FROM inbox");
        forget.await.expect("the inbox can be pruned");
    }

    /// Locks the delivery of an order until the gate is opened.
    pub(crate) async fn lock(&self, order: OrderId) -> oneshot::Sender<()> {
        let ((open, gate), (told, locked)) = (oneshot::channel(), oneshot::channel());
        let (store, id) = (self.store.clone(), order.uuid());
        tokio::spawn(async move {
            let locking = store.transact::<_, DbErr, _>(move |work| {
                async move {
                    let lock = format!("SELECT FROM deliveries WHERE order_id = '{id}' FOR UPDATE");
                    work.db().execute_unprepared(&lock).await?;
                    told.send(()).expect("the test waits");
                    gate.await.expect("the test opens the gate");
                    Ok(())
                }
                .boxed()
            });
            locking.await.expect("nothing else holds it");
        });
        locked.await.expect("it is locked");
        open
    }

    /// What waits for a courier.
    pub(crate) async fn ready(&self) -> Vec<OrderId> {
        let (_, listed) = self.client.get("/delivery/ready").await;
        ids(&listed)
    }

    /// One order is `pickedup` or `complete`.
    pub(crate) async fn act(&self, action: &str, order: OrderId) -> Answer {
        let path = format!("/delivery/{action}");
        self.client.post(&path, &json!({ "orderId": order })).await
    }

    /// All that are due are `pickedup` or `complete`: the orders that changed.
    pub(crate) async fn act_on_all(&self, action: &str) -> Vec<OrderId> {
        let path = format!("/delivery/{action}");
        let (status, answer) = self.client.ask("POST", &path, None).await;
        assert_eq!(status, 200, "{answer}");
        serde_json::from_value(answer["changed"].clone()).expect("a list of orders")
    }
}

pub(crate) fn new_order() -> OrderId {
    OrderId::new(ambient::new_id())
}

/// The orders of a page.
pub(crate) fn ids(page: &Value) -> Vec<OrderId> {
    let deliveries = page["deliveries"].as_array().expect("a page").iter();
    let id = |delivery: &Value| serde_json::from_value(delivery["orderId"].clone());
    deliveries
        .map(|delivery| id(delivery).expect("an order id"))
        .collect()
}

/// The order is cooked.
pub(crate) fn kitchen_ready(order: OrderId) -> Message {
    let body = json!({
        "orderId": order,
        "cookId": ambient::new_id(),
        "restaurantId": ambient::new_id(),
        "state": "READY",
    });
    message("order-reply", "KITCHEN_READY", order.uuid(), &body)
}

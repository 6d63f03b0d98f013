//! An order-service on a database of its own, and participants that say what they are told to.

use axum::{body::Body, http::Request};
use contracts::{Kind, OrderId, Topic, catalogue};
use messaging::{Message, Processor, Report, Store};
use order_service::{
    Admission, Limit, NAME,
    domain::Order,
    http,
    messages::{Orders, orchestrator},
    migration,
    saga::definition,
    store::FINISHED,
};
use saga::{Definition, Policy};
use saga_postgres::Silence;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use service::health::Health;
use testing::{Client, Database, Line, Told, message, outbox};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

/// An order-service.
pub(crate) struct Desk {
    pub(crate) store: Store,
    pub(crate) definition: Definition<Order>,
    processor: Processor<Orders>,
    pub(crate) client: Client,
    pub(crate) admission: Admission,
    _database: Database,
}

impl Desk {
    pub(crate) async fn open() -> Self {
        let database = Database::migrated(migration::all()).await;
        let store = database.store().await;
        Self::at(database, store)
    }

    /// One that reaches its database over a line that may break.
    pub(crate) async fn over_a_line() -> (Self, Line) {
        let database = Database::migrated(migration::all()).await;
        let (store, line) = database.store_over_a_line().await;
        (Self::at(database, store), line)
    }

    fn at(database: Database, store: Store) -> Self {
        let (orders, admission) = (
            orchestrator(Policy::default()).unwrap(),
            Admission::default(),
        );
        let routes = http::router(store.clone(), orders.clone(), admission.clone());
        let (health, tasks) = (Health::default(), TaskTracker::new());
        let router = service::http::router(NAME, routes, &health, &tasks, Default::default());
        Self {
            processor: Processor::new(store.clone(), NAME, orders),
            client: Client::new(router.unwrap()),
            admission,
            definition: definition(Policy::default()).unwrap(),
            store,
            _database: database,
        }
    }

    /// The door is looked after, while there is a Kafka.
    pub(crate) async fn look(&self, limit: Limit) {
        let look = self
            .admission
            .look(&self.store, limit, true, ambient::now());
        look.await.unwrap();
    }

    /// Takes an order.
    pub(crate) async fn place(&self) -> OrderId {
        let (status, body) = self.post("/orders", &new_order()).await;
        assert_eq!(status, 201, "{body}");
        body["orderId"].as_str().unwrap().parse().unwrap()
    }

    /// Takes an order and lets every step before the named one succeed.
    pub(crate) async fn place_up_to(&self, step: &str) -> OrderId {
        let order = self.place().await;
        while self.saga(order).await["step"] != step {
            self.grant(order).await;
        }
        order
    }

    /// Lets the current step of the order, or its undo, succeed. Gives the message that did it.
    pub(crate) async fn grant(&self, order: OrderId) -> Message {
        let saga = self.saga(order).await;
        let step = self
            .definition
            .step(saga["step"].as_str().unwrap())
            .unwrap();
        let asked = match saga["state"].as_str().unwrap() {
            "BACKWARD" => step.undo_when(saga["cancelling"] == true),
            "CANCELLING" => Some(
                self.definition
                    .cancellation()
                    .unwrap()
                    .arbiter()
                    .unwrap()
                    .ask(),
            ),
            _ => step.asks(),
        };
        let message = match asked.and_then(|ask| ask.accepted().next()) {
            Some(kind) => answer(order, kind, Some(awaited(&saga))),
            None => answer(order, step.awaited_event().unwrap(), None),
        };
        self.hear([&message]).await;
        message
    }

    /// Lets everything succeed until the saga has ended.
    pub(crate) async fn finish(&self, order: OrderId) {
        while !self.remaining(order).await.is_empty() {
            self.grant(order).await;
        }
    }

    /// Answers the awaited command of the order.
    pub(crate) async fn answer(&self, order: OrderId, kind: &str) -> Message {
        let message = answer(order, kind, Some(awaited(&self.saga(order).await)));
        self.hear([&message]).await;
        message
    }

    /// So much time goes by that what has ended is removed. Gives how much that is.
    pub(crate) async fn age(&mut self) -> u64 {
        let (horizon, removed) = testing::age(&self.store, FINISHED).await;
        self.processor = Processor::new(
            self.store.clone(),
            NAME,
            orchestrator(Policy::default()).unwrap(),
        )
        .behind(horizon);
        removed
    }

    /// Handles these messages as one batch.
    pub(crate) async fn hear(&self, messages: impl IntoIterator<Item = &Message>) -> Report {
        let batch = messages.into_iter().cloned().map(Into::into).collect();
        self.processor
            .process(batch, &CancellationToken::new())
            .await
            .unwrap()
    }

    /// Asks for the order to be cancelled.
    pub(crate) async fn cancel(&self, order: OrderId) -> (u16, Value) {
        self.post(&format!("/orders/{order}/cancel"), &Value::Null)
            .await
    }

    /// An operator steps in who sees the saga where it stands.
    pub(crate) async fn step_in(&self, order: OrderId, action: &str) -> (u16, Value) {
        let step = self.saga(order).await["step"].clone();
        self.step_in_at(order, step.as_str().unwrap(), action).await
    }

    /// An operator steps in who saw the saga at that step.
    pub(crate) async fn step_in_at(
        &self,
        order: OrderId,
        step: &str,
        action: &str,
    ) -> (u16, Value) {
        let body = json!({
            "action": action, "step": step, "by": "ada", "why": "the kitchen called",
        });
        self.post(&format!("/sagas/{order}/interventions"), &body)
            .await
    }

    /// A watch over the sagas of this service.
    pub(crate) fn silence(&self) -> Silence<Order> {
        let orders = orchestrator(Policy::default()).unwrap();
        Silence::new(orders, self.store.clone())
    }

    /// What the relay does: everything that waits in the outbox is published.
    pub(crate) async fn publish(&self) {
        self.execute(
            "UPDATE relay.shard SET position = coalesce((SELECT max(id) FROM outbox WHERE outbox.shard = shard.shard), 0)",
        )
        .await;
    }

    /// What the order has said so far.
    pub(crate) async fn said(&self, order: OrderId) -> Vec<Told> {
        let all = outbox(self.store.db()).await.into_iter();
        all.filter(|told| told.key == order.uuid()).collect()
    }

    /// Topic and kind of what the order has said so far.
    pub(crate) async fn kinds(&self, order: OrderId) -> Vec<String> {
        let said = self.said(order).await.into_iter();
        said.map(|told| format!("{} {}", told.topic, told.kind))
            .collect()
    }

    pub(crate) async fn saga(&self, order: OrderId) -> Value {
        let (status, saga) = self.get(&format!("/orders/{order}/saga")).await;
        assert_eq!(status, 200, "{saga}");
        saga
    }

    pub(crate) async fn order(&self, order: OrderId) -> Value {
        let (status, order) = self.get(&format!("/orders/{order}")).await;
        assert_eq!(status, 200, "{order}");
        order
    }

    pub(crate) async fn remaining(&self, order: OrderId) -> Vec<String> {
        serde_json::from_value(self.saga(order).await["remaining"].clone()).unwrap()
    }

    /// Everything that was recorded, in the order of the steps: `step WHAT`.
    pub(crate) async fn records(&self, order: OrderId) -> Vec<String> {
        let saga = self.saga(order).await;
        let steps = saga["steps"].as_array().unwrap().iter();
        let records = steps.flat_map(|step| {
            let name = step["step"].as_str().unwrap();
            let records = step["records"].as_array().unwrap().iter();
            records.map(move |record| format!("{name} {}", record["what"].as_str().unwrap()))
        });
        records.collect()
    }

    /// The number that a query gives.
    pub(crate) async fn count(&self, query: &str) -> i64 {
        let query = Statement::from_string(DbBackend::Postgres, query);
        let row = self.store.db().query_one_raw(query).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    }

    pub(crate) async fn execute(&self, statement: &str) {
        self.store.db().execute_unprepared(statement).await.unwrap();
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let (status, _, body) = self.ask(request).await;
        (status, body)
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let (status, _, body) = self
            .post_text(path, "application/json", &body.to_string())
            .await;
        (status, body)
    }

    /// Posts any text as any type; gives the `Location`, too.
    pub(crate) async fn post_text(
        &self,
        path: &str,
        content_type: &str,
        body: &str,
    ) -> (u16, Option<String>, Value) {
        let request = Request::post(path).header("content-type", content_type);
        self.ask(request.body(Body::from(body.to_owned())).unwrap())
            .await
    }

    async fn ask(&self, request: Request<Body>) -> (u16, Option<String>, Value) {
        let response = self.client.exchange(request).await;
        let status = response.status().as_u16();
        let location = response.headers().get("location");
        let location = location.map(|location| location.to_str().unwrap().to_owned());
        let body = serde_json::from_slice(response.body()).unwrap();
        (status, location, body)
    }
}

/// An order as a customer sends it.
pub(crate) fn new_order() -> Value {
    json!({
        "customerId": ambient::new_id(),
        "restaurantId": ambient::new_id(),
        "paymentMethodId": ambient::new_id(),
        "orderItems": [
            { "menuItemId": ambient::new_id(), "quantity": 2 },
            { "menuItemId": ambient::new_id(), "quantity": 1 },
        ],
    })
}

/// What a participant says about an order: the contract's example of that kind.
pub(crate) fn answer(order: OrderId, kind: &str, causation: Option<Uuid>) -> Message {
    let kind: Kind = kind.parse().unwrap();
    let entry = catalogue().find(|entry| entry.topic == Topic::OrderReply && entry.kind == kind);
    let mut body = entry.unwrap().example().unwrap();
    body["orderId"] = json!(order);
    let told = message(
        Topic::OrderReply.as_str(),
        kind.as_str(),
        order.uuid(),
        &body,
    );
    Message { causation, ..told }
}

/// The same message as a participant would say it that has forgotten that it did.
pub(crate) fn said_anew(message: &Message) -> Message {
    Message {
        id: ambient::new_id(),
        ..message.clone()
    }
}

fn awaited(saga: &Value) -> Uuid {
    serde_json::from_value(saga["awaiting"]["messageId"].clone()).unwrap()
}

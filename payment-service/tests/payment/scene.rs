//! A database, and instances of the service on it.

use std::{sync::Arc, time::Duration};

use contracts::{CustomerId, OrderId, PaymentMethodId, PaymentState};
use messaging::{Incoming, Message, Processor, Report, Store, TraceParent};
use payment_service::{
    domain::{Expiry, Method, Payment, Secret},
    gateway::Gateway,
    messages::Paying,
    migration, store,
    worker::{Settings, Status, Worker},
};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;
use testing::{Database, Told, eventually, message, replies_to};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Short, so that claims lapse while a test looks on; long against a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_millis(400);

pub(crate) const TOPIC: &str = "order-payment";

/// A database with a customer's payment method, whose token is `tok_good` unless another one is asked for.
pub(crate) struct Scene {
    database: Database,
    pub(crate) store: Store,
    pub(crate) customer: CustomerId,
    /// How long the calls of its instances may take.
    pub(crate) patience: Duration,
}

/// A running instance of the service, without Kafka and HTTP.
pub(crate) struct Instance {
    pub(crate) paying: Paying,
    processor: Processor<Paying>,
    worker: JoinHandle<()>,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let database = Database::new().await;
        // As the process does it, so that a process finds its tables.
        let db = database.connect(2).await;
        let migrated = service::database::migrate(&db, migration::all()).await;
        migrated.unwrap();
        let store = database.store().await;
        Self {
            database,
            store,
            customer: CustomerId::new(ambient::new_id()),
            patience: PATIENCE,
        }
    }

    pub(crate) fn url(&self) -> &str {
        self.database.url()
    }

    /// A payment method of the customer.
    pub(crate) async fn method(&self, token: &str, expiry: Expiry) -> PaymentMethodId {
        let method = Method {
            id: PaymentMethodId::new(ambient::new_id()),
            customer_id: self.customer,
            token: Secret::new(token.to_owned()),
            brand: "visa".to_owned(),
            last4: "4242".to_owned(),
            expiry,
        };
        let stored = store::insert_method(self.store.db(), &method, ambient::now());
        stored.await.unwrap();
        method.id
    }

    /// An instance in this slot, with a worker.
    pub(crate) fn instance(&self, slot: u16, gateway: Arc<dyn Gateway>) -> Instance {
        let settings = Settings {
            instance: format!("payment-service-{slot}"),
            patience: self.patience,
            calls: 8,
        };
        let worker = Worker::new(self.store.clone(), gateway, settings.clone());
        let paying = Paying::new(settings.claim(), worker.handoff());
        let processor = Processor::new(self.store.clone(), "payment-service", paying.clone());
        let worker = tokio::spawn(async {
            worker.adopt().await.unwrap();
            let running = worker.run(Status::default(), CancellationToken::new());
            running.await.unwrap();
        });
        Instance {
            paying,
            processor,
            worker,
        }
    }

    /// An instance that commits intents and is killed before it makes a call.
    pub(crate) fn instance_that_only_commits(
        &self,
        slot: u16,
        gateway: Arc<dyn Gateway>,
    ) -> Instance {
        let mut instance = self.instance(slot, gateway);
        instance.worker.abort();
        instance.worker = tokio::spawn(async {});
        instance
    }

    pub(crate) async fn payment(&self, order: OrderId) -> Option<Payment> {
        store::find(self.store.db(), order).await.unwrap()
    }

    /// Waits until the payment has this state and no open call.
    pub(crate) async fn settled(&self, order: OrderId, state: PaymentState) -> Payment {
        eventually(&format!("{order} to be {state}"), async || {
            let payment = self.payment(order).await?;
            (payment.state == state && payment.call.is_none()).then_some(payment)
        })
        .await
    }

    /// Waits for the answers to a command.
    pub(crate) async fn answers(&self, command: &Message, count: usize) -> Vec<Told> {
        eventually("an answer", async || {
            let told = replies_to(self.store.db(), command.id).await;
            (told.len() >= count).then_some(told)
        })
        .await
    }

    /// The only answer to a command.
    pub(crate) async fn answer(&self, command: &Message) -> Told {
        let mut answers = self.answers(command, 1).await;
        assert_eq!(answers.len(), 1, "{answers:?}");
        answers.remove(0)
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        let count = format!("SELECT count(*) FROM {table}");
        let count = Statement::from_string(DbBackend::Postgres, count);
        let row = self.store.db().query_one_raw(count).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    }

    pub(crate) async fn execute(&self, sql: &str) {
        self.store.db().execute_unprepared(sql).await.unwrap();
    }
}

impl Instance {
    /// So much time goes by that what has ended is removed. Gives how much that is.
    pub(crate) async fn age(&mut self, scene: &Scene) -> u64 {
        let (horizon, removed) = testing::age(&scene.store, store::FINISHED).await;
        let paying = self.paying.clone();
        self.processor =
            Processor::new(scene.store.clone(), "payment-service", paying).behind(horizon);
        removed
    }

    /// Handles a batch, as the consumer would.
    pub(crate) async fn handle(&self, batch: &[&Message]) -> Report {
        let batch = batch.iter().map(|&message| Incoming::from(message.clone()));
        let never = CancellationToken::new();
        let report = self.processor.process(batch.collect(), &never);
        report.await.unwrap()
    }

    /// SIGKILL, as far as the worker is concerned: what is under way is dropped where it stands.
    pub(crate) fn kill(self) {
        self.worker.abort();
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.worker.abort();
    }
}

pub(crate) fn next_year() -> Expiry {
    use chrono::Datelike;
    Expiry {
        year: i16::try_from(ambient::now().year() + 1).unwrap(),
        month: 12,
    }
}

pub(crate) fn new_order() -> OrderId {
    OrderId::new(ambient::new_id())
}

/// Hold 25 euros.
pub(crate) fn authorise(order: OrderId, customer: CustomerId, method: PaymentMethodId) -> Message {
    let body = json!({
        "orderId": order, "state": "PENDING", "customerId": customer,
        "paymentMethodId": method, "amount": {"amount": 2500, "currency": "EUR"},
    });
    traced(message(TOPIC, "ORDER_CREATED", order.uuid(), &body))
}

/// Take it.
pub(crate) fn capture(order: OrderId) -> Message {
    about(order, "ORDER_READY", "PREPARING")
}

/// Let it go.
pub(crate) fn void(order: OrderId) -> Message {
    about(order, "ORDER_CANCELLED", "CANCEL_PENDING")
}

fn about(order: OrderId, kind: &str, state: &str) -> Message {
    let body = json!({ "orderId": order, "state": state });
    traced(message(TOPIC, kind, order.uuid(), &body))
}

fn traced(message: Message) -> Message {
    Message {
        trace: Some(TraceParent::new_root()),
        ..message
    }
}

//! All services in this process, each with a database of its own, with a real Kafka in between, asked over HTTP.

use std::future::Future;

use clap::Parser;
use reqwest::{Client, Method, StatusCode};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use service::{Context, Settings};
use testing::{Database, Topics, eventually};

const TOPICS: [&str; 10] = [
    "order-customer",
    "order-ticket",
    "order-payment",
    "order-kitchen",
    "order-reply",
    "order-customer.dlq",
    "order-ticket.dlq",
    "order-payment.dlq",
    "order-kitchen.dlq",
    "order-reply.dlq",
];

/// A running service with its database.
pub(crate) struct Running {
    pub(crate) database: Database,
    context: Context,
    address: String,
}

/// All of them.
pub(crate) struct System {
    pub(crate) orders: Running,
    pub(crate) customers: Running,
    pub(crate) restaurants: Running,
    pub(crate) payments: Running,
    pub(crate) kitchens: Running,
    pub(crate) deliveries: Running,
    pub(crate) views: Running,
    pub(crate) gateway: Running,
    relay: Context,
    pub(crate) topics: Topics,
    client: Client,
    /// The body of an order that is paid for, and of one whose card is declined.
    good: Value,
    bad: Value,
}

async fn start<C, F>(
    name: &str,
    topics: &Topics,
    more: &[&str],
    run: fn(C, Context) -> F,
) -> Running
where
    C: Parser + AsRef<Settings>,
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let database = Database::new().await;
    let more = [&["--database-url", database.url()], more].concat();
    let (context, address) = launch(name, topics, &more, run).await;
    Running {
        database,
        context,
        address,
    }
}

async fn launch<C, F>(
    name: &str,
    topics: &Topics,
    more: &[&str],
    run: fn(C, Context) -> F,
) -> (Context, String)
where
    C: Parser + AsRef<Settings>,
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let told = [
        name,
        "--service-name",
        name,
        "--http-addr",
        "127.0.0.1:0",
        "--kafka-brokers",
        topics.brokers(),
        "--topic-prefix",
        topics.prefix(),
        "--database-connections",
        "4",
    ];
    let config = C::try_parse_from(told.iter().chain(more)).expect("settings");
    let context = Context::new(config.as_ref());
    tokio::spawn(run(config, context.clone()));
    let address = format!("http://{}", context.address().await);
    (context, address)
}

impl System {
    pub(crate) async fn start() -> Self {
        let topics = Topics::new(&TOPICS, 3).await;
        let gateway = start("gateway-simulator", &topics, &[], gateway_simulator::run).await;
        let at_gateway = ["--gateway-url", gateway.address.as_str()];
        let payments = start(
            "payment-service",
            &topics,
            &at_gateway,
            payment_service::run,
        )
        .await;
        let (orders, customers, restaurants, kitchens, deliveries, views) = tokio::join!(
            start("order-service", &topics, &[], order_service::run),
            start("customer-service", &topics, &[], customer_service::run),
            start("restaurant-service", &topics, &[], restaurant_service::run),
            start("kitchen-service", &topics, &[], kitchen_service::run),
            start("delivery-service", &topics, &[], delivery_service::run),
            start("order-view", &topics, &[], order_view::run),
        );
        let sources = [
            ("order-service", &orders),
            ("customer-service", &customers),
            ("restaurant-service", &restaurants),
            ("payment-service", &payments),
            ("kitchen-service", &kitchens),
            ("delivery-service", &deliveries),
            ("order-view", &views),
        ];
        let sources = sources
            .map(|(name, at)| format!("{name}={}", at.database.url()))
            .join(",");
        let told = ["--sources", sources.as_str()];
        let (relay, _) = launch("message-relay", &topics, &told, message_relay::run).await;
        let client = Client::builder().no_proxy().build().expect("a client");
        let mut system = Self {
            orders,
            customers,
            restaurants,
            payments,
            kitchens,
            deliveries,
            views,
            gateway,
            relay,
            topics,
            client,
            good: Value::Null,
            bad: Value::Null,
        };
        system.furnish().await;
        system
    }

    async fn furnish(&mut self) {
        let customer = json!({"name": "Ada", "email": "ada@example.com"});
        let customer =
            self.post(&self.customers, "/customers", &customer).await["customerId"].clone();
        let restaurant = json!({"name": "Soups", "currency": "EUR"});
        let restaurant = self
            .post(&self.restaurants, "/restaurants", &restaurant)
            .await;
        let restaurant = restaurant["restaurantId"].clone();
        let menu =
            json!({"items": [{"name": "Soup", "price": {"amount": 1250, "currency": "EUR"}}]});
        let path = format!("/restaurants/{}/menu", text(&restaurant));
        let menu = self
            .ask(Method::PUT, &self.restaurants, &path, Some(&menu))
            .await;
        let body = async |number: &str| {
            let card = json!({
                "customerId": customer, "cardNumber": number, "expiryMonth": 12, "expiryYear": 2099,
                "cvc": "737", "holder": "Ada",
            });
            let method = self.post(&self.payments, "/payment-methods", &card).await;
            json!({
                "customerId": customer, "restaurantId": restaurant, "paymentMethodId": method["paymentMethodId"],
                "orderItems": [{"menuItemId": menu["items"][0]["menuItemId"], "quantity": 2}],
            })
        };
        let bodies = (
            body("4242424242424242").await,
            body("4000000000000002").await,
        );
        (self.good, self.bad) = bodies;
    }

    /// An order that waits for the kitchen.
    pub(crate) async fn prepared(&self) -> String {
        let order = self.place(&self.good).await;
        self.reaches(&order, "PREPARING").await;
        order
    }

    /// An order that was taken.
    pub(crate) async fn placed(&self) -> String {
        self.place(&self.good).await
    }

    /// An order that is on its way to the kitchen.
    pub(crate) async fn accepted(&self) -> String {
        let order = self.placed().await;
        self.reaches(&order, "ACCEPTED").await;
        order
    }

    /// Waits until something is on a topic.
    pub(crate) async fn topic_has(&self, topic: &str) {
        eventually(&format!("something on {topic}"), async || {
            (!self.topics.read(topic).await.is_empty()).then_some(())
        })
        .await;
    }

    /// Ends the relay, and waits until it has given everything back.
    pub(crate) async fn stop_relay(&self) {
        self.relay.shutdown.cancel();
        for running in self.services() {
            let db = running.database.connect(1).await;
            eventually("the relay to leave", async || {
                let owned = "SELECT FROM relay.shard WHERE owner IS NOT NULL";
                let owned = Statement::from_string(DbBackend::Postgres, owned);
                db.query_all_raw(owned).await.ok()?.is_empty().then_some(())
            })
            .await;
            db.close().await.expect("it closes");
        }
    }

    pub(crate) async fn rejected(&self) -> String {
        let order = self.place(&self.bad).await;
        self.reaches(&order, "REJECTED").await;
        order
    }

    pub(crate) async fn cancelled(&self) -> String {
        let order = self.prepared().await;
        let path = format!("/orders/{order}/cancel");
        self.ask(Method::POST, &self.orders, &path, None).await;
        self.reaches(&order, "CANCELLED").await;
        order
    }

    /// So many orders that were delivered, and one that was refunded then.
    pub(crate) async fn delivered(&self, count: usize) -> Vec<String> {
        let mut orders = Vec::new();
        for _ in 0..count {
            orders.push(self.place(&self.good).await);
        }
        for order in &orders {
            self.reaches(order, "PREPARING").await;
        }
        for (at, path, state) in [
            (&self.kitchens, "/kitchen/ready", "READY"),
            (&self.deliveries, "/delivery/pickedup", "PICKEDUP"),
            (&self.deliveries, "/delivery/complete", "COMPLETE"),
        ] {
            for order in &orders {
                let body = json!({ "orderId": order });
                eventually("the order to be known", async || {
                    let url = format!("{}{path}", at.address);
                    let answer = self.client.post(url).json(&body).send().await.ok()?;
                    (answer.status() == StatusCode::OK).then_some(())
                })
                .await;
            }
            for order in &orders {
                self.reaches(order, state).await;
            }
        }
        orders
    }

    pub(crate) async fn refund(&self, order: &str) {
        let path = format!("/payments/{order}/refund");
        self.post(&self.payments, &path, &json!({"by": "ada", "why": "cold"}))
            .await;
    }

    async fn place(&self, body: &Value) -> String {
        text(&self.post(&self.orders, "/orders", body).await["orderId"]).to_owned()
    }

    async fn reaches(&self, order: &str, state: &str) {
        eventually(&format!("{order} to be {state}"), async || {
            let url = format!("{}/orders/{order}", self.views.address);
            let answer = self.client.get(url).send().await.ok()?;
            let body: Value = answer.json().await.ok()?;
            (body["state"] == state).then_some(())
        })
        .await;
    }

    async fn post(&self, at: &Running, path: &str, body: &Value) -> Value {
        self.ask(Method::POST, at, path, Some(body)).await
    }

    async fn ask(&self, method: Method, at: &Running, path: &str, body: Option<&Value>) -> Value {
        let mut request = self.client.request(method, format!("{}{path}", at.address));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.expect("an answer");
        let (status, body) = (answer.status(), answer.text().await.expect("a body"));
        assert!(status.is_success(), "{path}: {status} {body}");
        serde_json::from_str(&body).expect("JSON")
    }

    /// Where the program finds everything.
    pub(crate) fn place_of_everything(&self) -> Vec<&str> {
        let mut place = Vec::new();
        for running in self.services() {
            place.extend(["--database-url", running.database.url()]);
        }
        place
    }

    pub(crate) fn beside(&self) -> Vec<&str> {
        vec![
            "--gateway-url",
            &self.gateway.address,
            "--kafka-brokers",
            self.topics.brokers(),
            "--topic-prefix",
            self.topics.prefix(),
        ]
    }

    pub(crate) fn services(&self) -> [&Running; 7] {
        [
            &self.orders,
            &self.customers,
            &self.restaurants,
            &self.payments,
            &self.kitchens,
            &self.deliveries,
            &self.views,
        ]
    }
}

impl Running {
    /// Ends the service.
    pub(crate) fn stop(&self) {
        self.context.shutdown.cancel();
    }

    /// Changes what nobody but the service may change.
    pub(crate) async fn corrupt(&self, sql: &str) {
        let db = self.database.connect(1).await;
        db.execute_unprepared(sql).await.expect("the statement");
        db.close().await.expect("it closes");
    }
}

impl Drop for System {
    fn drop(&mut self) {
        self.relay.shutdown.cancel();
        for running in self.services().into_iter().chain([&self.gateway]) {
            running.stop();
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

//! A view on a database of its own, and the life of an order as its participants tell it.

use std::time::Duration;

use contracts::OrderId;
use messaging::{Message, Processor, Report, Store};
use order_view::{NAME, http, messages::Folding, migration, store::FINISHED, waiters::Waiters};
use serde_json::{Value, json};
use service::health::Health;
use testing::{Client, Database, message};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use uuid::Uuid;

pub(crate) const PATIENCE: Duration = Duration::from_millis(200);

pub(crate) struct View {
    pub(crate) store: Store,
    processor: Processor<Folding>,
    pub(crate) client: Client,
    _watching: DropGuard,
    _database: Database,
}

impl View {
    pub(crate) async fn open() -> Self {
        let database = Database::migrated(migration::all()).await;
        let (store, waiters) = (database.store().await, Waiters::default());
        let routes = http::router(http::View::new(
            store.db().clone(),
            waiters.clone(),
            PATIENCE,
        ));
        let over = CancellationToken::new();
        tokio::spawn(waiters.clone().watch(store.db().clone(), over.clone()));
        let (health, tasks) = (Health::default(), TaskTracker::new());
        let router = service::http::router(NAME, routes, &health, &tasks, Default::default());
        Self {
            processor: Processor::new(store.clone(), NAME, Folding::new(waiters)),
            client: Client::new(router.expect("the API can be described")),
            store,
            _watching: over.drop_guard(),
            _database: database,
        }
    }

    /// So much time goes by that what has ended is removed. Gives how much that is.
    pub(crate) async fn age(&mut self) -> u64 {
        let (horizon, removed) = testing::age(&self.store, FINISHED).await;
        self.processor = Processor::new(self.store.clone(), NAME, Folding::new(Waiters::default()))
            .behind(horizon);
        removed
    }

    pub(crate) async fn hear<'m>(&self, messages: impl IntoIterator<Item = &'m Message>) -> Report {
        let batch = messages.into_iter().cloned().map(Into::into).collect();
        let handled = self
            .processor
            .process(batch, &CancellationToken::new())
            .await;
        handled.expect("nobody stops the test")
    }

    pub(crate) async fn order(&self, order: OrderId) -> Value {
        let (status, body) = self.client.get(&format!("/orders/{order}")).await;
        assert_eq!(status, 200, "{body}");
        body
    }
}

/// Who orders what from whom.
#[derive(Clone, Copy)]
pub(crate) struct Story {
    pub(crate) order: OrderId,
    pub(crate) customer: Uuid,
    pub(crate) restaurant: Uuid,
    pub(crate) ticket: Uuid,
    item: Uuid,
    payment: Uuid,
    cook: Uuid,
    delivery: Uuid,
}

impl Story {
    pub(crate) fn new() -> Self {
        let id = ambient::new_id;
        Self {
            order: OrderId::new(id()),
            customer: id(),
            restaurant: id(),
            ticket: id(),
            item: id(),
            payment: id(),
            cook: id(),
            delivery: id(),
        }
    }

    /// Everything that is said in the life of an order that goes well, in a possible order.
    pub(crate) fn life(self) -> Vec<Message> {
        let order = |topic, kind, version, state, rest: Value| {
            self.says(topic, kind, version, state, &rest)
        };
        let total = json!({ "amount": 2500, "currency": "EUR" });
        let ordered = json!([{ "menuItemId": self.item, "quantity": 2 }]);
        let priced = json!([{
            "menuItemId": self.item, "name": "Soup", "quantity": 2,
            "unitPrice": { "amount": 1250, "currency": "EUR" }, "lineTotal": total
        }]);
        let who = json!({ "customerId": self.customer, "restaurantId": self.restaurant });
        let with = |rest: Value| merged(&who, &rest);
        let ticket = json!({ "ticketId": self.ticket, "restaurantId": self.restaurant });
        let payment = json!({ "paymentId": self.payment });
        let cook = json!({ "cookId": self.cook, "restaurantId": self.restaurant });
        let delivery = json!({ "deliveryId": self.delivery });
        let created_at = json!({ "createdAt": "2026-01-02T03:04:05Z" });
        vec![
            order(
                "order-customer",
                "ORDER_CREATED",
                1,
                "PENDING",
                merged(&with(json!({ "items": ordered })), &created_at),
            ),
            order(
                "order-ticket",
                "ORDER_CREATED",
                2,
                "PENDING",
                with(json!({ "items": ordered })),
            ),
            order(
                "order-reply",
                "TICKET_CREATED",
                1,
                "PENDING",
                merged(&ticket, &json!({ "total": total, "items": priced })),
            ),
            order(
                "order-payment",
                "ORDER_CREATED",
                3,
                "PENDING",
                json!({
                "customerId": self.customer, "paymentMethodId": Uuid::nil(), "amount": total }),
            ),
            order(
                "order-reply",
                "PAYMENT_APPROVED",
                1,
                "AUTHORISED",
                merged(&payment, &json!({ "amount": total })),
            ),
            order("order-ticket", "ORDER_APPROVED", 4, "PENDING", json!({})),
            order(
                "order-reply",
                "TICKET_APPROVED",
                2,
                "ACCEPTED",
                ticket.clone(),
            ),
            order(
                "order-kitchen",
                "ORDER_APPROVED",
                5,
                "ACCEPTED",
                json!({ "restaurantId": self.restaurant, "items": ordered }),
            ),
            order(
                "order-reply",
                "KITCHEN_PREPARING",
                1,
                "PREPARING",
                cook.clone(),
            ),
            order("order-ticket", "ORDER_PREPARING", 6, "ACCEPTED", json!({})),
            order(
                "order-reply",
                "TICKET_PREPARING",
                3,
                "PREPARING",
                ticket.clone(),
            ),
            order(
                "order-customer",
                "ORDER_CHANGED",
                7,
                "PREPARING",
                with(json!({ "total": total })),
            ),
            order("order-reply", "KITCHEN_READY", 2, "READY", cook),
            order("order-payment", "ORDER_READY", 8, "PREPARING", json!({})),
            order("order-reply", "PAYMENT_CAPTURED", 2, "CAPTURED", payment),
            order("order-ticket", "ORDER_READY", 9, "PREPARING", json!({})),
            order("order-reply", "TICKET_READY", 4, "READY", ticket.clone()),
            order(
                "order-customer",
                "ORDER_CHANGED",
                10,
                "READY",
                with(json!({ "total": total })),
            ),
            order(
                "order-reply",
                "DELIVERY_PICKEDUP",
                2,
                "PICKEDUP",
                delivery.clone(),
            ),
            order("order-ticket", "ORDER_PICKEDUP", 11, "READY", json!({})),
            order(
                "order-reply",
                "TICKET_PICKEDUP",
                5,
                "PICKEDUP",
                ticket.clone(),
            ),
            order(
                "order-customer",
                "ORDER_CHANGED",
                12,
                "PICKEDUP",
                with(json!({ "total": total })),
            ),
            order("order-reply", "DELIVERY_COMPLETE", 3, "COMPLETE", delivery),
            order("order-ticket", "ORDER_COMPLETE", 13, "PICKEDUP", json!({})),
            order("order-reply", "TICKET_COMPLETE", 6, "COMPLETE", ticket),
            order(
                "order-customer",
                "ORDER_CHANGED",
                14,
                "COMPLETE",
                with(json!({ "total": total })),
            ),
        ]
    }

    pub(crate) fn says(
        self,
        topic: &str,
        kind: &str,
        version: i64,
        state: &str,
        rest: &Value,
    ) -> Message {
        let body = merged(&json!({ "orderId": self.order, "state": state }), rest);
        Message {
            sequence: version,
            ..message(topic, kind, self.order.uuid(), &body)
        }
    }
}

pub(crate) fn merged(one: &Value, other: &Value) -> Value {
    let mut both = one.as_object().cloned().unwrap_or_default();
    both.extend(other.as_object().cloned().unwrap_or_default());
    both.into()
}

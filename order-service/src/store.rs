//! The table `orders`: read by the REST side, and written together with the sagas.

mod order;

use contracts::{Money, OrderId, OrderState};
use messaging::{retention::Finished, sql};
use saga_postgres::{Data, Fragment};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryResult};
use uuid::Uuid;

use crate::domain::Order;
use order::{Entity, Model};

/// An order has ended when its saga has. The history goes by its own days.
pub const FINISHED: Finished = Finished {
    table: "sagas",
    key: "saga_id",
    ended: "state IN ('COMPLETED', 'ROLLED_BACK')",
    along: &[("orders", "order_id")],
};

/// The order, if there is one.
///
/// # Errors
/// The database's.
pub async fn find(db: &impl ConnectionTrait, id: OrderId) -> Result<Option<Order>, DbErr> {
    let row = Entity::find_by_id(id.uuid()).one(db).await?;
    row.map(Order::try_from).transpose()
}

const INSERT: &str = "\
INSERT INTO orders (order_id, customer_id, restaurant_id, payment_method_id, created_at, version, state, items)
SELECT order_id, customer_id, restaurant_id, payment_method_id, created_at, version, state, items::jsonb
FROM (SELECT
    unnest($1::uuid[]) AS order_id, unnest($2::uuid[]) AS customer_id, unnest($3::uuid[]) AS restaurant_id,
    unnest($4::uuid[]) AS payment_method_id, unnest($5::timestamptz[]) AS created_at, unnest($6::bigint[]) AS version,
    unnest($7::text[]) AS state, unnest($8::text[]) AS items
) AS new";

/// Who ordered what does not change. An amount is stored with its currency only.
const UPDATE: &str = "\
UPDATE orders SET version = new.version, state = new.state, held_state = NULLIF(new.held_state, ''),
       ticket_id = NULLIF(new.ticket_id, '00000000-0000-0000-0000-000000000000'),
       total_amount = CASE WHEN new.total_currency <> '' THEN new.total_amount END,
       total_currency = NULLIF(new.total_currency, ''),
       rejected_by = NULLIF(new.rejected_by, ''),
       rejection_code = CASE WHEN new.rejected_by <> '' THEN new.rejection_code END,
       rejection_detail = CASE WHEN new.rejected_by <> '' THEN new.rejection_detail END
FROM (SELECT
    unnest($1::uuid[]) AS order_id, unnest($2::bigint[]) AS version, unnest($3::text[]) AS state,
    unnest($4::text[]) AS held_state, unnest($5::uuid[]) AS ticket_id, unnest($6::bigint[]) AS total_amount,
    unnest($7::text[]) AS total_currency, unnest($8::text[]) AS rejected_by, unnest($9::text[]) AS rejection_code,
    unnest($10::text[]) AS rejection_detail
) AS new
WHERE orders.order_id = new.order_id";

impl Data for Order {
    const TABLE: &'static str = "orders";
    const KEY: &'static str = "order_id";
    const COLUMNS: &'static str = "\
        data.order_id, data.customer_id, data.restaurant_id, data.payment_method_id, data.ticket_id, data.created_at, \
        data.version, data.state, data.held_state, data.total_amount, data.total_currency, data.rejected_by, data.rejection_code, \
        data.rejection_detail, data.items";

    fn key(&self) -> Uuid {
        self.id.uuid()
    }

    fn from_row(row: &QueryResult) -> Result<Self, DbErr> {
        Model::from_query_result(row, "")?.try_into()
    }

    fn insert(orders: &[&Self]) -> Result<Fragment, DbErr> {
        let items = orders
            .iter()
            .map(|order| serde_json::to_string(&order.items));
        let items: Vec<String> = items
            .collect::<Result<_, _>>()
            .map_err(|error| DbErr::Json(error.to_string()))?;
        let values = vec![
            sql::uuids(orders.iter().map(|order| order.id.uuid())),
            sql::uuids(orders.iter().map(|order| order.customer_id.uuid())),
            sql::uuids(orders.iter().map(|order| order.restaurant_id.uuid())),
            sql::uuids(orders.iter().map(|order| order.payment_method_id.uuid())),
            sql::times(orders.iter().map(|order| order.created_at)),
            sql::bigints(orders.iter().map(|order| order.version)),
            sql::texts(orders.iter().map(|order| order.state.as_str())),
            sql::texts(items),
        ];
        Ok(Fragment {
            sql: INSERT,
            values,
        })
    }

    fn update(orders: &[&Self]) -> Result<Fragment, DbErr> {
        let totals = || orders.iter().map(|order| order.total);
        let held = orders.iter().map(|order| order.held_state);
        let held = held.map(|held| held.map(OrderState::as_str));
        let rejections = || orders.iter().map(|order| order.rejection.as_ref());
        let values = vec![
            sql::uuids(orders.iter().map(|order| order.id.uuid())),
            sql::bigints(orders.iter().map(|order| order.version)),
            sql::texts(orders.iter().map(|order| order.state.as_str())),
            sql::optional_texts(held),
            sql::optional_uuids(orders.iter().map(|order| order.ticket_id.map(Uuid::from))),
            sql::bigints(totals().map(|total| total.map_or(0, Money::amount))),
            sql::optional_texts(totals().map(|total| total.map(Money::currency))),
            sql::optional_texts(rejections().map(|it| it.map(|it| it.by.as_str()))),
            sql::optional_texts(rejections().map(|it| it.map(|it| it.reason.code.as_str()))),
            sql::optional_texts(rejections().map(|it| it.map(|it| it.reason.detail.as_str()))),
        ];
        Ok(Fragment {
            sql: UPDATE,
            values,
        })
    }
}

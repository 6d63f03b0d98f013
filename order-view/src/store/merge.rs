//! What a batch tells meets what is stored.

use std::sync::LazyLock;

use contracts::Money;
use messaging::sql;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement};
use serde::Serialize;

use crate::domain::OrderView;

/// What is merged.
const COLUMNS: &str = "\
order_id, customer_id, restaurant_id, created_at, items, ticket_id, total_amount, total_currency, priced_items,
    payment, payment_version, kitchen, kitchen_version, \"order\", order_state, under_way, order_version, as_of,
    ticket_version, ticket_state, ticket, delivery_version, delivery";

/// What becomes of a row (`view`) by what is told (`excluded`): an aggregate's columns change for a higher version only; of
/// what never changes stays what was told first.
const CHANGES: &str = "\
    customer_id = COALESCE(view.customer_id, excluded.customer_id),
    restaurant_id = COALESCE(view.restaurant_id, excluded.restaurant_id),
    created_at = COALESCE(view.created_at, excluded.created_at),
    items = COALESCE(view.items, excluded.items),
    ticket_id = COALESCE(view.ticket_id, excluded.ticket_id),
    total_amount = COALESCE(view.total_amount, excluded.total_amount),
    total_currency = COALESCE(view.total_currency, excluded.total_currency),
    priced_items = COALESCE(view.priced_items, excluded.priced_items),
    payment_version = greatest(view.payment_version, excluded.payment_version),
    payment = CASE WHEN excluded.payment_version > view.payment_version THEN excluded.payment ELSE view.payment END,
    kitchen_version = greatest(view.kitchen_version, excluded.kitchen_version),
    kitchen = CASE WHEN excluded.kitchen_version > view.kitchen_version THEN excluded.kitchen ELSE view.kitchen END,
    order_version = greatest(view.order_version, excluded.order_version),
    \"order\" = CASE WHEN excluded.order_version > view.order_version THEN excluded.\"order\" ELSE view.\"order\" END,
    order_state = CASE WHEN excluded.order_version > view.order_version THEN excluded.order_state ELSE view.order_state END,
    under_way = CASE WHEN excluded.order_version > view.order_version THEN excluded.under_way ELSE view.under_way END,
    as_of = greatest(view.as_of, excluded.as_of),
    ticket_version = greatest(view.ticket_version, excluded.ticket_version),
    ticket = CASE WHEN excluded.ticket_version > view.ticket_version THEN excluded.ticket ELSE view.ticket END,
    ticket_state = CASE WHEN excluded.ticket_version > view.ticket_version THEN excluded.ticket_state ELSE view.ticket_state END,
    delivery_version = greatest(view.delivery_version, excluded.delivery_version),
    delivery = CASE WHEN excluded.delivery_version > view.delivery_version THEN excluded.delivery ELSE view.delivery END";

/// Whether any of that is new: a message that tells nothing new writes nothing.
const NEWS: &str = "\
excluded.order_version > view.order_version OR excluded.ticket_version > view.ticket_version
    OR excluded.payment_version > view.payment_version OR excluded.kitchen_version > view.kitchen_version
    OR excluded.delivery_version > view.delivery_version OR excluded.as_of > view.as_of
    OR (view.customer_id IS NULL AND excluded.customer_id IS NOT NULL)
    OR (view.restaurant_id IS NULL AND excluded.restaurant_id IS NOT NULL)
    OR (view.created_at IS NULL AND excluded.created_at IS NOT NULL)
    OR (view.items IS NULL AND excluded.items IS NOT NULL)
    OR (view.ticket_id IS NULL AND excluded.ticket_id IS NOT NULL)
    OR (view.total_currency IS NULL AND excluded.total_currency IS NOT NULL)
    OR (view.priced_items IS NULL AND excluded.priced_items IS NOT NULL)";

/// One statement for the whole batch. The rows that are there are updated: nearly all of them, and an update needs no lock of
/// its own before, as ON CONFLICT would take. The others are inserted; a row that another instance inserts at this moment is
/// updated by the same rules.
///
/// Both go in the order of the keys, so that two batches seldom wait for each other in a circle. The plan is made once, perhaps
/// while the table is small, and must not read it all when it has grown: a subquery instead of NOT EXISTS is never made a join,
/// and the LIMIT, which is none, makes Postgres expect one row, and look it up by its key.
static MERGE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "\
WITH told AS (
    SELECT unnest($1::uuid[]) AS order_id,
        NULLIF(unnest($2::uuid[]), '00000000-0000-0000-0000-000000000000') AS customer_id,
        NULLIF(unnest($3::uuid[]), '00000000-0000-0000-0000-000000000000') AS restaurant_id,
        NULLIF(unnest($4::timestamptz[]), 'epoch') AS created_at,
        NULLIF(unnest($5::text[]), '') AS items,
        NULLIF(unnest($6::uuid[]), '00000000-0000-0000-0000-000000000000') AS ticket_id,
        NULLIF(unnest($7::bigint[]), {NO_AMOUNT}) AS total_amount,
        NULLIF(unnest($8::text[]), '') AS total_currency,
        NULLIF(unnest($9::text[]), '') AS priced_items,
        NULLIF(unnest($10::text[]), '') AS payment,
        unnest($11::bigint[]) AS payment_version,
        NULLIF(unnest($12::text[]), '') AS kitchen,
        unnest($13::bigint[]) AS kitchen_version,
        NULLIF(unnest($14::text[]), '') AS \"order\",
        NULLIF(unnest($15::text[]), '') AS order_state,
        unnest($16::boolean[]) AS under_way,
        unnest($17::bigint[]) AS order_version,
        unnest($18::timestamptz[]) AS as_of,
        unnest($19::bigint[]) AS ticket_version,
        NULLIF(unnest($20::text[]), '') AS ticket_state,
        NULLIF(unnest($21::text[]), '') AS ticket,
        unnest($22::bigint[]) AS delivery_version,
        NULLIF(unnest($23::text[]), '') AS delivery
    ORDER BY order_id
    LIMIT cardinality($1)
), updated AS (
    UPDATE order_views AS view SET
    {CHANGES}
    FROM told AS excluded
    WHERE view.order_id = excluded.order_id AND ({NEWS})
)
INSERT INTO order_views AS view ({COLUMNS})
SELECT {COLUMNS}
FROM told
WHERE (SELECT known.order_id FROM order_views AS known WHERE known.order_id = told.order_id) IS NULL
ORDER BY order_id
ON CONFLICT (order_id) DO UPDATE SET
    {CHANGES}
WHERE {NEWS}"
    )
});

/// How an amount travels that is not known: there are no negative ones.
const NO_AMOUNT: i64 = -1;

/// Merges what a batch tells, each order once, with what is stored.
///
/// # Errors
/// The database's.
pub async fn merge<'v>(
    db: &DatabaseTransaction,
    batch: impl Iterator<Item = &'v OrderView> + Clone,
) -> Result<(), DbErr> {
    let views = || batch.clone();
    let facts = || views().map(|view| &view.facts);
    let totals = || facts().map(|facts| facts.total);
    let order_states = views().map(|view| view.order.told().map(|told| told.state.as_str()));
    let ticket_states = views().map(|view| view.ticket.told().map(|told| told.state.as_str()));
    let values = vec![
        sql::uuids(views().map(|view| view.order_id.uuid())),
        sql::optional_uuids(facts().map(|facts| facts.customer_id.map(Into::into))),
        sql::optional_uuids(facts().map(|facts| facts.restaurant_id.map(Into::into))),
        sql::optional_times(facts().map(|facts| facts.created_at)),
        sql::optional_texts(json(facts().map(|facts| facts.items.as_ref()))?),
        sql::optional_uuids(facts().map(|facts| facts.ticket_id.map(Into::into))),
        sql::bigints(totals().map(|total| total.map_or(NO_AMOUNT, Money::amount))),
        sql::optional_texts(totals().map(|total| total.map(|total| total.currency().to_string()))),
        sql::optional_texts(json(facts().map(|facts| facts.priced_items.as_ref()))?),
        sql::optional_texts(json(views().map(|view| view.payment.told()))?),
        sql::bigints(views().map(|view| view.payment.version())),
        sql::optional_texts(json(views().map(|view| view.kitchen.told()))?),
        sql::bigints(views().map(|view| view.kitchen.version())),
        sql::optional_texts(json(views().map(|view| view.order.told()))?),
        sql::optional_texts(order_states),
        sql::booleans(views().map(OrderView::is_under_way)),
        sql::bigints(views().map(|view| view.order.version())),
        sql::times(views().map(|view| view.as_of)),
        sql::bigints(views().map(|view| view.ticket.version())),
        sql::optional_texts(ticket_states),
        sql::optional_texts(json(views().map(|view| view.ticket.told()))?),
        sql::bigints(views().map(|view| view.delivery.version())),
        sql::optional_texts(json(views().map(|view| view.delivery.told()))?),
    ];
    db.execute_raw(Statement::from_sql_and_values(
        DbBackend::Postgres,
        MERGE.as_str(),
        values,
    ))
    .await?;
    Ok(())
}

fn json<T: Serialize>(all: impl Iterator<Item = Option<T>>) -> Result<Vec<Option<String>>, DbErr> {
    all.map(|value| value.map(|value| serde_json::to_string(&value)).transpose())
        .collect::<Result<_, _>>()
        .map_err(|error| DbErr::Json(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `service::database::connect` tells every session.
    const SESSION: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off";

    #[tokio::test]
    async fn rows_are_found_by_their_key_however_small_the_table_was_when_the_plan_was_made() {
        let database = testing::Database::migrated(crate::migration::all()).await;
        let db = database.connect(1).await;
        let prepare = format!("{SESSION}; PREPARE merge AS {}", *MERGE);
        db.execute_unprepared(&prepare).await.expect("a statement");
        let explain = format!("EXPLAIN EXECUTE merge ({})", ["'{}'"; 23].join(", "));
        for (rows, analyse) in [(0, ""), (2, "ANALYZE"), (20, "ANALYZE"), (2_000, "ANALYZE")] {
            let grow = format!(
                "TRUNCATE order_views; INSERT INTO order_views (order_id, customer_id, restaurant_id, payment_version, kitchen_version, \
                     under_way, order_version, as_of, ticket_version, delivery_version) \
                 SELECT uuidv7(), uuidv7(), uuidv7(), 0, 0, true, 1, now(), 0, 0 FROM generate_series(1, {rows}); {analyse}"
            );
            db.execute_unprepared(&grow).await.expect("rows");
            let explain = Statement::from_string(DbBackend::Postgres, explain.as_str());
            let lines = db.query_all_raw(explain).await.expect("a plan");
            let lines = lines.iter().map(|line| line.try_get_by_index::<String>(0));
            let plan: Vec<String> = lines.collect::<Result<_, _>>().expect("texts");
            let count = |what| plan.iter().filter(|line| line.contains(what)).count();
            let scans = (count("Index Cond: (order_id = "), count(" on order_views "));
            // The table that is updated, the scan for it, that for what is known, and the table that is inserted into.
            assert_eq!(scans, (2, 4), "{rows} rows: {plan:#?}");
            assert_eq!(count("order_views_pkey on"), 2, "{rows} rows: {plan:#?}");
        }
    }
}

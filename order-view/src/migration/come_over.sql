
-- Its rows come over, for as long as that takes. Most of them will never grow again: their pages need no room.
SET LOCAL statement_timeout = 0;
ALTER TABLE order_views SET (fillfactor = 90);
INSERT INTO order_views (order_id, customer_id, restaurant_id, created_at, items, ticket_id, total_amount, total_currency,
    priced_items, payment, payment_version, kitchen, kitchen_version, "order", order_state, under_way, order_version, as_of,
    ticket_version, ticket_state, ticket, delivery_version, delivery)
SELECT order_id, customer_id, restaurant_id, (facts ->> 'createdAt')::timestamptz, facts ->> 'items', ticket_id,
    (facts #>> '{total,amount}')::bigint, facts #>> '{total,currency}', facts ->> 'pricedItems',
    payment, payment_version, kitchen, kitchen_version, "order", order_state,
    COALESCE(order_state NOT IN ('COMPLETE', 'REJECTED', 'CANCELLED'), true), order_version, as_of,
    ticket_version, ticket_state, ticket, delivery_version, delivery
FROM outgrown.order_views
ORDER BY order_id;
ALTER TABLE order_views SET (fillfactor = 40);
DROP SCHEMA outgrown CASCADE;

-- One row per order: of each aggregate the highest version that was told, and what never changes about the order.
-- A row may begin with any of them: a ticket may be heard of before its order.
CREATE TABLE order_views (
    order_id         uuid        PRIMARY KEY,
    facts            jsonb       NOT NULL,
    order_version    bigint      NOT NULL,
    "order"          jsonb,
    ticket_version   bigint      NOT NULL,
    ticket           jsonb,
    payment_version  bigint      NOT NULL,
    payment          jsonb,
    kitchen_version  bigint      NOT NULL,
    kitchen          jsonb,
    delivery_version bigint      NOT NULL,
    delivery         jsonb,
    as_of            timestamptz NOT NULL,
    -- What is searched for.
    customer_id      uuid GENERATED ALWAYS AS ((facts ->> 'customerId')::uuid) STORED,
    restaurant_id    uuid GENERATED ALWAYS AS ((facts ->> 'restaurantId')::uuid) STORED,
    ticket_id        uuid GENERATED ALWAYS AS ((facts ->> 'ticketId')::uuid) STORED,
    order_state      text GENERATED ALWAYS AS ("order" ->> 'state') STORED,
    ticket_state     text GENERATED ALWAYS AS (ticket ->> 'state') STORED
) WITH (fillfactor = 60);
COMMENT ON COLUMN order_views.as_of IS 'when the newest message in this row was said';

-- Ids are UUID v7: their order is that of time, so pages are ranges of them.
CREATE INDEX order_views_customer ON order_views (customer_id, order_id);
CREATE INDEX order_views_restaurant ON order_views (restaurant_id, order_id);
CREATE INDEX order_views_ticket ON order_views (ticket_id);
-- The orders that are under way are few, and what is asked for by state alone.
CREATE INDEX order_views_alive ON order_views (order_state, order_id)
    WHERE order_state NOT IN ('COMPLETE', 'REJECTED', 'CANCELLED');

-- One row per order: of each aggregate the highest version that was told, and what never changes about the order.
-- A row may begin with any of them: a ticket may be heard of before its order.
--
-- A row is written some 25 times in the life of its order, so it is made to be cheap to write:
-- - Nothing that changes often is indexed, and pages have room for their rows to grow: most updates stay in their page and
--   touch no index (HOT).
-- - Postgres logs what lies between the first and the last byte that an update changes. So what changes together is side by
--   side: as_of, which every update changes, in the middle, before it the order, after it the ticket, outside of them what
--   speaks seldom. What never changes comes first, in the order in which it is told.
CREATE TABLE order_views (
    order_id         uuid        PRIMARY KEY,
    customer_id      uuid,
    restaurant_id    uuid,
    created_at       timestamptz,
    items            text,
    ticket_id        uuid,
    total_amount     bigint,
    total_currency   text,
    priced_items     text,
    payment          text,
    payment_version  bigint      NOT NULL,
    kitchen          text,
    kitchen_version  bigint      NOT NULL,
    "order"          text,
    order_state      text,
    under_way        boolean     NOT NULL,
    order_version    bigint      NOT NULL,
    as_of            timestamptz NOT NULL,
    ticket_version   bigint      NOT NULL,
    ticket_state     text,
    ticket           text,
    delivery_version bigint      NOT NULL,
    delivery         text
) WITH (fillfactor = 40);
COMMENT ON COLUMN order_views.items IS 'JSON, as all that is not searched: a text, since it is only written and read as a whole';
COMMENT ON COLUMN order_views.priced_items IS 'JSON: the items as the restaurant has named and priced them';
COMMENT ON COLUMN order_views.payment IS 'JSON: what the payment told with its highest version';
COMMENT ON COLUMN order_views.payment_version IS '0: it has told nothing';
COMMENT ON COLUMN order_views.kitchen IS 'JSON: what the kitchen told with its highest version';
COMMENT ON COLUMN order_views."order" IS 'JSON: what the order told with its highest version';
COMMENT ON COLUMN order_views.order_state IS 'what "order" says, to be searched';
COMMENT ON COLUMN order_views.under_way IS 'false once the state of the order is final; true while the order itself has told nothing';
COMMENT ON COLUMN order_views.as_of IS 'when the newest message in this row was said';
COMMENT ON COLUMN order_views.ticket IS 'JSON: what the ticket told with its highest version';
COMMENT ON COLUMN order_views.ticket_state IS 'what "ticket" says, to be searched';
COMMENT ON COLUMN order_views.delivery IS 'JSON: what the delivery told with its highest version';

-- Ids are UUID v7: their order is that of time, so pages are ranges of them.
CREATE INDEX order_views_customer ON order_views (customer_id, order_id);
CREATE INDEX order_views_restaurant ON order_views (restaurant_id, order_id);
CREATE INDEX order_views_ticket ON order_views (ticket_id) WHERE ticket_id IS NOT NULL;
-- The orders that are under way are few, and what is asked for by state alone. Their state is not in the index: every change
-- of it would be one of all indexes.
CREATE INDEX order_views_under_way ON order_views (order_id) WHERE under_way;

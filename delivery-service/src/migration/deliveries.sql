-- One row per order: the order id is what makes a delivery happen once.
CREATE TABLE deliveries (
    order_id      uuid        PRIMARY KEY,
    delivery_id   uuid        NOT NULL UNIQUE,
    restaurant_id uuid,
    state         text        NOT NULL CHECK (state IN ('READY', 'PICKEDUP', 'COMPLETE')),
    version       bigint      NOT NULL CHECK (version > 0),
    traceparent   text,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
);
COMMENT ON COLUMN deliveries.restaurant_id IS 'where to pick it up';
COMMENT ON COLUMN deliveries.traceparent IS 'the step of the trace that brought it: what happens on the way goes on from there';

-- What waits for a courier, and what is on its way, in the order of the orders.
CREATE INDEX deliveries_state ON deliveries (state, order_id);

-- The kitchen's work, one row per order: the order id is what makes cooking happen once.
CREATE TABLE cooks (
    order_id      uuid        PRIMARY KEY,
    cook_id       uuid        NOT NULL UNIQUE,
    restaurant_id uuid,
    items         jsonb       NOT NULL,
    state         text        NOT NULL CHECK (state IN ('PREPARING', 'READY', 'CANCELLED')),
    version       bigint      NOT NULL CHECK (version > 0),
    traceparent   text,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    CHECK (restaurant_id IS NOT NULL OR state = 'CANCELLED')
);
COMMENT ON COLUMN cooks.restaurant_id IS 'null in a tombstone: a cancellation that came before its order';
COMMENT ON COLUMN cooks.version IS 'counts what was said about it: the ce_sequence of its last message';
COMMENT ON COLUMN cooks.traceparent IS 'the step of the trace that brought it: what happens in the kitchen goes on from there';

-- What waits in the kitchen, in the order of the orders.
CREATE INDEX cooks_state ON cooks (state, order_id);

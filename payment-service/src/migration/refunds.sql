-- Who had an order refunded, and why. One row for each order: it is refunded once.
CREATE TABLE refunds (
    order_id    uuid PRIMARY KEY REFERENCES payments (order_id),
    command_id  uuid NOT NULL,
    ordered_by  text NOT NULL,
    ordered_why text NOT NULL,
    ordered_at  timestamptz NOT NULL
);

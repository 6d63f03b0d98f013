-- What was ordered, and how far it is. One row for each order, changed at every step: hence the room within a page.
CREATE TABLE orders (
    order_id          uuid PRIMARY KEY,
    customer_id       uuid NOT NULL,
    restaurant_id     uuid NOT NULL,
    payment_method_id uuid NOT NULL,
    ticket_id         uuid,
    created_at        timestamptz NOT NULL,
    version           bigint NOT NULL,
    state             text NOT NULL,
    total_amount      bigint,
    total_currency    text,
    rejected_by       text,
    rejection_code    text,
    rejection_detail  text,
    items             jsonb NOT NULL,
    CHECK ((total_amount IS NULL) = (total_currency IS NULL)),
    CHECK ((rejected_by IS NULL) = (rejection_code IS NULL) AND (rejected_by IS NULL) = (rejection_detail IS NULL))
) WITH (fillfactor = 70);

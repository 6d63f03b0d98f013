-- Who may order.
CREATE TABLE customers (
    customer_id uuid        PRIMARY KEY,
    name        text        NOT NULL,
    email       text        NOT NULL,
    state       text        NOT NULL CHECK (state IN ('ACTIVE', 'SUSPENDED')),
    version     bigint      NOT NULL CHECK (version > 0),
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);

-- The verdicts, one per order: a question that comes again gets the verdict that it got, whatever became of the
-- customer since. The customer need not exist: that is one of the reasons.
CREATE TABLE verifications (
    order_id    uuid        PRIMARY KEY,
    customer_id uuid        NOT NULL,
    state       text        NOT NULL CHECK (state IN ('APPROVED', 'REJECTED')),
    code        text,
    detail      text,
    decided_at  timestamptz NOT NULL,
    CHECK ((state = 'REJECTED') = (code IS NOT NULL AND detail IS NOT NULL))
);

-- What is left of a card: the gateway's token for it. No number, no CVC, no holder.
CREATE TABLE payment_methods (
    payment_method_id uuid        PRIMARY KEY,
    customer_id       uuid        NOT NULL,
    token             text        NOT NULL,
    brand             text        NOT NULL,
    last4             text        NOT NULL CHECK (last4 ~ '^\d{4}$'),
    expiry_year       smallint    NOT NULL,
    expiry_month      smallint    NOT NULL CHECK (expiry_month BETWEEN 1 AND 12),
    created_at        timestamptz NOT NULL
);

-- The payments, one row per order: the order id is what makes a charge happen once.
CREATE TABLE payments (
    order_id          uuid        PRIMARY KEY,
    payment_id        uuid        NOT NULL UNIQUE,
    state             text        NOT NULL
        CHECK (state IN ('AUTHORISING', 'AUTHORISED', 'CAPTURED', 'REFUNDED', 'DECLINED', 'VOIDED')),
    version           bigint      NOT NULL CHECK (version > 0),
    amount            bigint      CHECK (amount >= 0),
    currency          text,
    customer_id       uuid,
    payment_method_id uuid,
    authorisation     text,
    reason            jsonb,
    call              jsonb,
    waiting           jsonb       NOT NULL,
    answers           jsonb       NOT NULL,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    revision          bigint      NOT NULL,
    claimed_by        text,
    claimed_until     timestamptz,
    attempts          int         NOT NULL DEFAULT 0,
    CHECK (num_nulls(amount, currency, customer_id, payment_method_id) IN (0, 4)),
    CHECK (amount IS NOT NULL OR state = 'VOIDED'),
    CHECK (authorisation IS NOT NULL OR state NOT IN ('AUTHORISED', 'CAPTURED', 'REFUNDED')),
    CHECK ((call IS NULL) = (claimed_until IS NULL)),
    CHECK (call IS NOT NULL OR (state <> 'AUTHORISING' AND waiting = '[]'))
);
COMMENT ON COLUMN payments.version IS 'counts what was said about it: the ce_sequence of its last message';
COMMENT ON COLUMN payments.amount IS 'minor units; null in a tombstone: a void that came before its authorisation';
COMMENT ON COLUMN payments.authorisation IS 'what the gateway calls the hold';
COMMENT ON COLUMN payments.call IS 'the command that the gateway is being asked about';
COMMENT ON COLUMN payments.waiting IS 'commands that wait until the call is answered, in their order';
COMMENT ON COLUMN payments.answers IS 'how commands were answered: one that comes again gets the same message';
COMMENT ON COLUMN payments.revision IS 'counts the changes of what is left of this column: who saves names what he saw';
COMMENT ON COLUMN payments.claimed_until IS 'until then the call is the business of the instance claimed_by; then of anybody';
COMMENT ON COLUMN payments.attempts IS 'how often the call found no answer';

-- The calls that are open, for who looks for lapsed claims: a small index, whatever the table's size.
CREATE INDEX payments_open ON payments (claimed_until) WHERE call IS NOT NULL;

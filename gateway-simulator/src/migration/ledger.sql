-- What a token stands for. Not the card: no number, no expiry and no CVC is ever kept.
CREATE TABLE tokens (
    token      text        PRIMARY KEY,
    behaviour  text        NOT NULL,
    brand      text        NOT NULL,
    last4      text        NOT NULL CHECK (last4 ~ '^[0-9]{4}$'),
    created_at timestamptz NOT NULL
);

CREATE TABLE authorisations (
    authorisation_id uuid        PRIMARY KEY,
    token            text        NOT NULL REFERENCES tokens,
    reference        text        NOT NULL,
    amount           bigint      NOT NULL CHECK (amount > 0),
    currency         text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    state            text        NOT NULL CHECK (state IN ('HELD', 'DECLINED', 'CAPTURED', 'VOIDED', 'REFUNDED')),
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);

-- Everything that ever happened to anybody's money, never changed: what a double charge would show up in.
CREATE TABLE ledger (
    entry_id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    authorisation_id uuid        NOT NULL REFERENCES authorisations,
    kind             text        NOT NULL CHECK (kind IN ('HOLD', 'DECLINE', 'CHARGE', 'VOID', 'REFUND')),
    reference        text        NOT NULL,
    amount           bigint      NOT NULL,
    currency         text        NOT NULL,
    idempotency_key  text        NOT NULL,
    at               timestamptz NOT NULL
);
CREATE INDEX ledger_reference ON ledger (reference, entry_id);

-- What was answered to which key. Its primary key is what makes two requests with one key one request.
CREATE TABLE answers (
    idempotency_key text        PRIMARY KEY,
    request         text        NOT NULL,
    answer          text,
    at              timestamptz NOT NULL
);
COMMENT ON COLUMN answers.request IS 'what was asked, without anything secret: the same key with another request is refused';
COMMENT ON COLUMN answers.answer IS 'null only inside the transaction that works on it';

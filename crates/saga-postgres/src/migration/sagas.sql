-- How far each saga has come. One row for each, changed at every step: hence the room for updates within a page.
CREATE TABLE sagas (
    saga_id     uuid PRIMARY KEY,
    definition  text NOT NULL,
    version     integer NOT NULL,
    state       text NOT NULL,
    step        text NOT NULL,
    -- The command whose answer is awaited, what it is for, and the message itself, to be sent again as it is.
    awaited     uuid,
    purpose     text,
    attempt     integer NOT NULL,
    sent_at     timestamptz,
    command     text,
    -- What few sagas have: early events, steps still to be undone.
    memory      jsonb,
    records     integer NOT NULL,
    started_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CHECK ((awaited IS NULL) = (command IS NULL))
) WITH (fillfactor = 70);

-- The sagas that have not ended, by state and age. It names no column that changes with every step: an update that
-- leaves all indexed columns alone need not touch the indexes.
CREATE INDEX sagas_alive ON sagas (state, started_at) WHERE state NOT IN ('COMPLETED', 'ROLLED_BACK');

-- What happened to each saga. Rows are added, never changed.
CREATE TABLE saga_history (
    saga_id     uuid NOT NULL,
    number      integer NOT NULL,
    attempt     integer NOT NULL,
    at          timestamptz NOT NULL,
    message_id  uuid,
    step        text NOT NULL,
    what        text NOT NULL,
    kind        text,
    PRIMARY KEY (saga_id, number)
);

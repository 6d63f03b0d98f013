-- Parked messages stand in lines, one for each key: the first is the one that failed, the others wait behind it.
--
-- A key is held back if and only if its line is here. Whoever finds a line, and so joins it, holds its row until his
-- transaction has ended (FOR KEY SHARE); whoever shortens a line has the row for himself (FOR UPDATE). So nobody joins a line
-- that is gone, and nobody removes a line that somebody joins.
CREATE TABLE parked_line (
    consumer            text        NOT NULL,
    line                text        NOT NULL,
    since               timestamptz NOT NULL,
    replay_requested_at timestamptz,
    replay_requested_by text,
    replay_reason       text,
    PRIMARY KEY (consumer, line),
    CHECK (num_nulls(replay_requested_at, replay_requested_by, replay_reason) IN (0, 3))
);
CREATE INDEX parked_line_requested ON parked_line (consumer, replay_requested_at, line) WHERE replay_requested_at IS NOT NULL;
COMMENT ON COLUMN parked_line.line IS 'the key of its messages; for a record without a key, its own id: it stands alone';

-- Nothing was ever updated or deleted here, so the rows lie, and are numbered, in the order in which they came.
ALTER TABLE parked ADD COLUMN position bigint GENERATED ALWAYS AS IDENTITY;
ALTER TABLE parked ADD COLUMN line text NOT NULL GENERATED ALWAYS AS (COALESCE(key, id::text)) STORED;
ALTER TABLE parked ALTER COLUMN reason DROP NOT NULL;
ALTER TABLE parked DROP CONSTRAINT parked_waits_behind_fkey;
UPDATE parked SET reason = NULL WHERE waits_behind IS NOT NULL;
COMMENT ON COLUMN parked.position IS 'the order of arrival; within a partition, that of the offsets';
COMMENT ON COLUMN parked.reason IS 'why it failed; null: it was not tried yet, it waits for those before it in its line';
COMMENT ON COLUMN parked.waits_behind IS 'written by the version before lines, instances of which may still run; not read any more';

INSERT INTO parked_line (consumer, line, since) SELECT consumer, line, min(parked_at) FROM parked GROUP BY consumer, line;
ALTER TABLE parked ADD CONSTRAINT parked_stands_in_line FOREIGN KEY (consumer, line) REFERENCES parked_line;
DROP INDEX parked_key;
CREATE INDEX parked_in_line ON parked (consumer, line, position);

-- What operators did with parked messages: who, why, and the message as it was. It goes with the finished rows of its time, where these go.
CREATE TABLE parked_history (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    action       text        NOT NULL CHECK (action IN ('REPLAYED', 'FAILED_AGAIN', 'DISCARDED')),
    done_at      timestamptz NOT NULL,
    requested_at timestamptz NOT NULL,
    requested_by text        NOT NULL,
    why          text        NOT NULL,
    parked_id    uuid        NOT NULL,
    consumer     text        NOT NULL,
    line         text        NOT NULL,
    topic        text        NOT NULL,
    partition    int         NOT NULL,
    "offset"     bigint      NOT NULL,
    key          text,
    message_id   uuid,
    kind         text,
    headers      jsonb       NOT NULL,
    payload      bytea       NOT NULL,
    reason       text,
    attempts     int         NOT NULL,
    parked_at    timestamptz NOT NULL
);
CREATE INDEX parked_history_line ON parked_history (consumer, line);
CREATE INDEX parked_history_parked ON parked_history (parked_id);

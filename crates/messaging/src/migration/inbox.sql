-- What this database has already handled, with the answers that it gave. Message ids are UUID v7, so ranges of
-- ids are ranges of time: the table is partitioned by day, and forgetting is dropping a day.
CREATE TABLE inbox (
    message_id uuid NOT NULL,
    consumer   text NOT NULL,
    key        uuid NOT NULL,
    replies    text,
    PRIMARY KEY (message_id, consumer)
) PARTITION BY RANGE (message_id);
COMMENT ON COLUMN inbox.replies IS 'the messages that answered this one, sent again when it comes again (JSON)';

CREATE TABLE inbox_default PARTITION OF inbox DEFAULT;

-- The smallest UUID v7 of a moment.
CREATE FUNCTION inbox_bound(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT rpad(lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;

-- Makes the days ahead and forgets the days that are older than `keep`. Cheap, and harmless to call at any time.
-- Rows that came while their day had no table lie in the default one; they move when their day is made.
CREATE FUNCTION inbox_maintain(today date, keep int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    day date;
    leaf text;
    low uuid;
    high uuid;
    old record;
BEGIN
    FOR offset_days IN -1..3 LOOP
        day := today + offset_days;
        leaf := format('inbox_%s', to_char(day, 'YYYYMMDD'));
        low := inbox_bound(day::timestamp AT TIME ZONE 'UTC');
        high := inbox_bound((day + 1)::timestamp AT TIME ZONE 'UTC');
        IF to_regclass(leaf) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE inbox INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', leaf);
            EXECUTE format('WITH late AS (DELETE FROM inbox_default WHERE message_id >= %L AND message_id < %L RETURNING *)
                            INSERT INTO %I SELECT * FROM late', low, high, leaf);
            EXECUTE format('ALTER TABLE inbox ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', leaf, low, high);
        END IF;
    END LOOP;
    FOR old IN SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'inbox'::regclass LOOP
        IF old.name ~ '^inbox_\d{8}$' AND to_date(right(old.name, 8), 'YYYYMMDD') < today - keep THEN
            EXECUTE format('DROP TABLE %s', old.name);
        END IF;
    END LOOP;
    DELETE FROM inbox_default WHERE message_id < inbox_bound((today - keep)::timestamp AT TIME ZONE 'UTC');
END $$;

SELECT inbox_maintain((now() AT TIME ZONE 'UTC')::date, 30);

-- Messages that could not be handled, and those of the same order that wait behind them.
CREATE TABLE parked (
    id           uuid        PRIMARY KEY,
    consumer     text        NOT NULL,
    topic        text        NOT NULL,
    partition    int         NOT NULL,
    "offset"     bigint      NOT NULL,
    key          text,
    message_id   uuid,
    kind         text,
    headers      jsonb       NOT NULL,
    payload      bytea       NOT NULL,
    reason       text        NOT NULL,
    attempts     int         NOT NULL,
    waits_behind uuid        REFERENCES parked (id),
    parked_at    timestamptz NOT NULL,
    UNIQUE (consumer, topic, partition, "offset")
);
CREATE INDEX parked_key ON parked (consumer, key);
COMMENT ON COLUMN parked.waits_behind IS 'null: this message failed; otherwise the failed message of its key that it waits for';

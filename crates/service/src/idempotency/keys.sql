-- The requests that their clients named with an Idempotency-Key, and how they were answered. A row is written in the
-- transaction that does what the request asks for: there is never one without the other.
--
-- Partitioned by day, so that forgetting is dropping a day. A unique index of a partitioned table must contain the
-- column that it is partitioned by, so none could keep a key from being taken again on the next day; and one per day
-- would not see a transaction that is still open from the day before. So what makes a key unique is a lock:
-- idempotency_take, the only one who adds rows, locks the key until the end of the transaction before it looks, in all
-- days. The second of two requests waits for the first, also across midnight and whatever the clocks say, and then sees it.
CREATE TABLE idempotency_keys (
    operation      text        NOT NULL,
    key            text        NOT NULL,
    created_at     timestamptz NOT NULL,
    fingerprint    bytea       NOT NULL CHECK (length(fingerprint) = 32),
    status         smallint,
    location       text,
    body           text,
    reservation    uuid,
    reserved_until timestamptz,
    CHECK ((status IS NULL) = (body IS NULL)),
    CHECK ((status IS NULL) = (reservation IS NOT NULL)),
    CHECK ((reservation IS NULL) = (reserved_until IS NULL))
) PARTITION BY RANGE (created_at);
COMMENT ON COLUMN idempotency_keys.operation IS 'method and path: the same key in another operation is another key';
COMMENT ON COLUMN idempotency_keys.fingerprint IS 'SHA-256 of the body as it was understood: the same key with another body is refused';
COMMENT ON COLUMN idempotency_keys.status IS 'of the answer; null while somebody still works on it';
COMMENT ON COLUMN idempotency_keys.body IS 'of the answer, byte for byte';
COMMENT ON COLUMN idempotency_keys.reservation IS 'who works on it, until reserved_until; then anybody may';

CREATE INDEX idempotency_keys_key ON idempotency_keys (operation, key);

CREATE TABLE idempotency_keys_default PARTITION OF idempotency_keys DEFAULT;

-- Takes a key for a request, with its answer or as a reservation, and gives nothing; or gives the row that has the key.
-- One round trip in both cases. Each statement in here sees what was committed before it began: after the lock.
CREATE FUNCTION idempotency_take(
    _operation text, _key text, _fingerprint bytea,
    _status smallint, _location text, _body text,
    _reservation uuid, _lease_ms bigint
) RETURNS SETOF idempotency_keys LANGUAGE plpgsql
-- Whoever waits holds a connection: better to tell the client to come back.
SET lock_timeout = '5s' AS $$
DECLARE
    _until timestamptz := clock_timestamp() + _lease_ms * interval '1 ms';
    _known idempotency_keys;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(_operation || ' ' || _key, 0));
    SELECT * INTO _known FROM idempotency_keys WHERE operation = _operation AND key = _key;
    IF NOT FOUND THEN
        INSERT INTO idempotency_keys (operation, key, created_at, fingerprint, status, location, body, reservation, reserved_until)
        VALUES (_operation, _key, now(), _fingerprint, _status, _location, _body, _reservation, _until);
        RETURN;
    END IF;
    -- Whoever had reserved it is gone: the next one goes on. If his answer comes at this very moment, nothing is updated.
    IF _known.fingerprint = _fingerprint AND _known.reserved_until <= clock_timestamp() THEN
        UPDATE idempotency_keys
        SET status = _status, location = _location, body = _body, reservation = _reservation, reserved_until = _until
        WHERE operation = _operation AND key = _key AND reservation = _known.reservation;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    RETURN NEXT _known;
END $$;

-- Makes the days ahead and forgets the days that are older than `keep`. Cheap, and harmless to call at any time.
-- Rows that came while their day had no table lie in the default one; they move when their day is made.
CREATE FUNCTION idempotency_keys_maintain(today date, keep int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    day date;
    leaf text;
    low timestamptz;
    high timestamptz;
    old record;
BEGIN
    -- First, since it locks the whole table and then the day. Making a day locks the default one: whoever held that and then
    -- wanted the whole table would wait for those who have the table and want the default one.
    FOR old IN SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'idempotency_keys'::regclass LOOP
        IF old.name ~ '^idempotency_keys_\d{8}$' AND to_date(right(old.name, 8), 'YYYYMMDD') < today - keep THEN
            EXECUTE format('DROP TABLE %s', old.name);
        END IF;
    END LOOP;
    FOR offset_days IN -1..3 LOOP
        day := today + offset_days;
        leaf := format('idempotency_keys_%s', to_char(day, 'YYYYMMDD'));
        low := day::timestamp AT TIME ZONE 'UTC';
        high := (day + 1)::timestamp AT TIME ZONE 'UTC';
        IF to_regclass(leaf) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE idempotency_keys INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', leaf);
            EXECUTE format('WITH late AS (DELETE FROM idempotency_keys_default WHERE created_at >= %L AND created_at < %L RETURNING *)
                            INSERT INTO %I SELECT * FROM late', low, high, leaf);
            EXECUTE format('ALTER TABLE idempotency_keys ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', leaf, low, high);
        END IF;
    END LOOP;
    DELETE FROM idempotency_keys_default WHERE created_at < (today - keep)::timestamp AT TIME ZONE 'UTC';
END $$;

SELECT idempotency_keys_maintain((now() AT TIME ZONE 'UTC')::date, 1);

-- What is not kept for ever: nobody may count on rows of a table that are older than `before`. Whoever compares databases
-- with each other begins there.
CREATE TABLE forgotten (
    what         text        PRIMARY KEY,
    before       timestamptz NOT NULL,
    since        timestamptz,
    removable    timestamptz,
    worker       uuid,
    worker_until timestamptz
);
COMMENT ON COLUMN forgotten.what IS 'a table: one of days, or one from which rows go when what they are about has ended';
COMMENT ON COLUMN forgotten.before IS 'never goes back; of finished rows also: what is older, and is not there, does not begin any more';
COMMENT ON COLUMN forgotten.since IS 'since when `before` is where it is';
COMMENT ON COLUMN forgotten.removable IS 'where `before` was a day ago: finished rows that are older are removed';
COMMENT ON COLUMN forgotten.worker IS 'the instance that removes finished rows, until worker_until; then it is anybody''s turn';

-- Makes the days of a table ahead of time, and drops those that are older than `_keep`. Cheap, and harmless to call at any time.
-- The table is partitioned by range of `_key`, a moment or a UUID v7: ranges of such ids are ranges of time. Its partitions are
-- <table>_YYYYMMDD and <table>_default; one that begins with MINVALUE is what there was before there were days, up to its own.
-- Rows that came while their day had no table lie in the default one; they move when their day is made.
--
-- `_kept`, where it is given, is a query for ids: their rows stay, in the default partition, also when their day is over.
CREATE FUNCTION days_maintain(_table text, _key text, _today date, _keep int, _kept text DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    _default text := _table || '_default';
    _is_id boolean := (SELECT atttypid = 'uuid'::regtype FROM pg_attribute WHERE attrelid = _table::regclass AND attname = _key);
    _oldest text := days_bound(_today - _keep, _is_id);
    _staying uuid[] := '{}';
    _over text[];
    _whole date;
    _day date;
    _leaf text;
    _low text;
    _high text;
    _late bigint;
BEGIN
    SELECT coalesce(array_agg(relname), '{}') INTO _over FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = _table::regclass AND relname ~ ('^' || _table || '_\d{8}$') AND to_date(right(relname, 8), 'YYYYMMDD') < _today - _keep;

    -- What stays is looked for before anything is locked that everybody needs. Of the day that goes nobody writes meanwhile: what
    -- he wrote would go with it. (It cannot move at once: the default partition takes nothing that has a day.)
    IF _kept IS NOT NULL THEN
        FOREACH _leaf IN ARRAY _over LOOP
            EXECUTE format('LOCK TABLE %I IN EXCLUSIVE MODE', _leaf);
        END LOOP;
        EXECUTE format('SELECT coalesce(array_agg(id), ''{}'') FROM (%s) AS kept (id) WHERE id < %L', _kept, _oldest) INTO _staying;
    END IF;
    IF _staying <> '{}' AND _over <> '{}' THEN
        EXECUTE format('CREATE TEMP TABLE days_staying (LIKE %I) ON COMMIT DROP', _table);
        FOREACH _leaf IN ARRAY _over LOOP
            EXECUTE format('INSERT INTO days_staying SELECT * FROM %I WHERE %I = ANY($1)', _leaf, _key) USING _staying;
        END LOOP;
    END IF;

    -- Dropping comes before making, since it locks the whole table and then the day. Making a day locks the default one: whoever
    -- held that and then wanted the whole table would wait for those who have the table and want the default one.
    FOREACH _leaf IN ARRAY _over LOOP
        EXECUTE format('DROP TABLE %I', _leaf);
    END LOOP;
    IF _staying <> '{}' AND _over <> '{}' THEN
        EXECUTE format('INSERT INTO %I SELECT * FROM days_staying', _default);
        DROP TABLE days_staying;
    END IF;

    SELECT to_date(right(relname, 8), 'YYYYMMDD') INTO _whole FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = _table::regclass AND relname ~ '_\d{8}$' AND pg_get_expr(relpartbound, inhrelid) LIKE 'FOR VALUES FROM (MINVALUE)%';
    FOR _offset IN -1..3 LOOP
        _day := _today + _offset;
        _leaf := format('%s_%s', _table, to_char(_day, 'YYYYMMDD'));
        _low := days_bound(_day, _is_id);
        _high := days_bound(_day + 1, _is_id);
        IF to_regclass(_leaf) IS NULL AND _day > coalesce(_whole, '-infinity') THEN
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', _leaf, _table);
            EXECUTE format('WITH late AS (DELETE FROM %I WHERE %I >= %L AND %2$I < %4$L RETURNING *) INSERT INTO %5$I SELECT * FROM late',
                           _default, _key, _low, _high, _leaf);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', _table, _leaf, _low, _high);
        END IF;
    END LOOP;

    EXECUTE format('DELETE FROM %I WHERE %I < %L AND %2$I::text <> ALL ($1::text[])', _default, _key, _oldest) USING _staying;
    GET DIAGNOSTICS _late = ROW_COUNT;
    IF _late > 0 OR _over <> '{}' THEN
        INSERT INTO forgotten (what, before) VALUES (_table, days_start(_today - _keep))
        ON CONFLICT (what) DO UPDATE SET before = greatest(forgotten.before, excluded.before);
    END IF;
END $$;

-- The beginning of a day. No id is older than 1970.
CREATE FUNCTION days_start(_day date) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT greatest(_day::timestamp AT TIME ZONE 'UTC', to_timestamp(0))
$$;

-- The same as a bound of a partition.
CREATE FUNCTION days_bound(_day date, _is_id boolean) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN _is_id THEN inbox_bound(days_start(_day))::text ELSE days_start(_day)::text END
$$;

CREATE OR REPLACE FUNCTION inbox_maintain(today date, keep int) RETURNS void LANGUAGE sql AS $$
    SELECT days_maintain('inbox', 'message_id', today, keep)
$$;

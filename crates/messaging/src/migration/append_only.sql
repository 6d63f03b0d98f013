-- Tells autovacuum to leave alone what only grows: the partitions of `_table`, as long as they do.
--
-- By its defaults it comes to such a table whenever it has grown by a fifth, and analyses it after a tenth: to one that began empty, every
-- time that it looks. Hardly anything in it is dead then, and what reads it does so by its keys and needs no statistics. It still comes
-- where rows do die, and against the wraparound of transaction ids.
--
-- A day (`…_YYYYMMDD`) that was over before `_today` hardly grows any more, and is autovacuum's again, which finds so much that is new that it comes once,
-- analyses it and freezes all of it, in its own time: no vacuum against the wraparound, which yields to nobody, will have to.
CREATE FUNCTION append_only(_table text, _today date DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    _alone CONSTANT text[] := ARRAY['autovacuum_vacuum_insert_threshold=-1', 'autovacuum_analyze_threshold=2147483647'];
    _leaf record;
BEGIN
    FOR _leaf IN SELECT relid AS name, coalesce(reloptions, '{}') @> _alone AS is_alone,
                        CASE WHEN relname ~ '_\d{8}$' THEN to_date(right(relname, 8), 'YYYYMMDD') < _today ELSE false END AS is_over
                 FROM pg_partition_tree(_table::regclass) JOIN pg_class ON pg_class.oid = relid WHERE isleaf LOOP
        BEGIN
            IF _leaf.is_over AND _leaf.is_alone THEN
                EXECUTE format('ALTER TABLE %s RESET (autovacuum_analyze_threshold), '
                               'SET (autovacuum_vacuum_insert_threshold = 0, autovacuum_freeze_min_age = 0)', _leaf.name);
            ELSIF NOT coalesce(_leaf.is_over, false) AND NOT _leaf.is_alone THEN
                EXECUTE format('ALTER TABLE %s SET (%s)', _leaf.name, array_to_string(_alone, ', '));
            END IF;
        EXCEPTION WHEN lock_not_available THEN
            -- Autovacuum is at it. Who maintains the days comes again; of the outbox nobody does.
            IF _today IS NULL THEN
                RAISE;
            END IF;
        END;
    END LOOP;
END $$;

SELECT append_only('outbox');
SELECT append_only('inbox');

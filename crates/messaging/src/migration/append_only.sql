-- Tells autovacuum to leave alone what only grows, until it is emptied or dropped as a whole: `_table`, and each of its partitions.
--
-- By its defaults it comes to such a table whenever it has grown by a fifth, and analyses it after a tenth: to one that begins empty again
-- and again, every time that it looks. Nothing in it is dead then, what reads it does so by its keys and needs no statistics, and it is
-- gone long before its rows would have to be frozen. Where rows do die, and against the wraparound of transaction ids, it comes as ever.
CREATE FUNCTION append_only(_table text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    _options CONSTANT text[] := ARRAY['autovacuum_vacuum_insert_threshold=-1', 'autovacuum_analyze_threshold=2147483647'];
    _leaf regclass;
BEGIN
    FOR _leaf IN SELECT relid FROM pg_partition_tree(_table::regclass) JOIN pg_class ON pg_class.oid = relid
                 WHERE isleaf AND NOT coalesce(reloptions, '{}') @> _options LOOP
        EXECUTE format('ALTER TABLE %s SET (%s)', _leaf, array_to_string(_options, ', '));
    END LOOP;
END $$;

SELECT append_only('outbox');
SELECT append_only('inbox');

-- Takes keys for requests that share a transaction, each with its answer, and gives a row for each that was not taken: the
-- answer that its key got before; or none, when that would have to be waited for (another transaction is at the key, it is
-- reserved, or it comes twice here), so that one request does not hold up the others. One round trip, whatever their number.
CREATE FUNCTION idempotency_take_together(
    _operations text[], _keys text[], _fingerprints text[], _statuses smallint[], _locations text[], _bodies text[]
) RETURNS TABLE (place int, fingerprint bytea, status smallint, location text, body text) LANGUAGE plpgsql AS $$
DECLARE
    _mine bigint[];
BEGIN
    -- The same lock as in idempotency_take. A transaction may take it twice, so each key is tried once.
    WITH first AS MATERIALIZED (
        SELECT min(n) AS n, operation, key FROM unnest(_operations, _keys) WITH ORDINALITY AS claim (operation, key, n)
        GROUP BY operation, key
    )
    SELECT coalesce(array_agg(n), '{}') INTO _mine FROM first
    WHERE pg_try_advisory_xact_lock(hashtextextended(operation || ' ' || key, 0));
    -- Another statement, which sees what was committed before the locks were taken.
    RETURN QUERY
    WITH claim AS MATERIALIZED (
        SELECT claim.*, claim.n = ANY(_mine) AS mine
        FROM unnest(_operations, _keys, _fingerprints, _statuses, _locations, _bodies) WITH ORDINALITY
             AS claim (operation, key, fingerprint, status, location, body, n)
    ), known AS MATERIALIZED (
        SELECT claim.n, keys.fingerprint, keys.status, keys.location, keys.body
        FROM claim JOIN idempotency_keys keys ON keys.operation = claim.operation AND keys.key = claim.key WHERE claim.mine
    ), taken AS (
        INSERT INTO idempotency_keys (operation, key, created_at, fingerprint, status, location, body)
        SELECT claim.operation, claim.key, now(), decode(claim.fingerprint, 'hex'), claim.status, NULLIF(claim.location, ''), claim.body
        FROM claim WHERE claim.mine AND NOT EXISTS (SELECT FROM known WHERE known.n = claim.n)
    )
    SELECT claim.n::int, known.fingerprint, known.status, known.location, known.body
    FROM claim LEFT JOIN known USING (n) WHERE known.n IS NOT NULL OR NOT claim.mine;
END $$;

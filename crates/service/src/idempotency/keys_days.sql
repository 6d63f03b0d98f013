-- What the days of a table have in common, messaging does.
CREATE OR REPLACE FUNCTION idempotency_keys_maintain(today date, keep int) RETURNS void LANGUAGE sql AS $$
    SELECT days_maintain('idempotency_keys', 'created_at', today, keep)
$$;

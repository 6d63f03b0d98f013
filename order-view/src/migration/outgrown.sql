-- The table of jsonb makes room for that of order_views.sql: aside in a schema of its own, where its indexes keep their names.
-- Whoever rebuilds the view just now grows one of jsonb. His attempt is over: whoever follows begins with the new one.
UPDATE rebuilds SET claimed_by = NULL, attempt = NULL, claimed_until = clock_timestamp() WHERE ended_at IS NULL;
CREATE SCHEMA outgrown;
ALTER TABLE order_views SET SCHEMA outgrown;


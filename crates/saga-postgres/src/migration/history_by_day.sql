-- The history grows by some rows with every step of every saga. The ids of sagas are UUID v7, so ranges of ids are ranges of time:
-- the table is partitioned by the day on which a saga began, and forgetting is dropping a day.
ALTER TABLE saga_history RENAME TO saga_history_before;
ALTER INDEX saga_history_pkey RENAME TO saga_history_before_pkey;

CREATE TABLE saga_history (LIKE saga_history_before INCLUDING DEFAULTS, PRIMARY KEY (saga_id, number)) PARTITION BY RANGE (saga_id);
CREATE TABLE saga_history_default PARTITION OF saga_history DEFAULT;

-- What there is becomes the first partition as it is, without being copied: everything up to the end of today.
DO $$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
    whole text := format('saga_history_%s', to_char(today, 'YYYYMMDD'));
    high text := days_bound(today + 1, true);
BEGIN
    IF NOT EXISTS (SELECT FROM saga_history_before) THEN
        DROP TABLE saga_history_before;
        RETURN;
    END IF;
    -- Of whoever's clock is ahead.
    EXECUTE format('WITH ahead AS (DELETE FROM saga_history_before WHERE saga_id >= %L RETURNING *)
                    INSERT INTO saga_history_default SELECT * FROM ahead', high);
    EXECUTE format('ALTER INDEX saga_history_before_pkey RENAME TO %I', whole || '_pkey');
    EXECUTE format('ALTER TABLE saga_history_before RENAME TO %I', whole);
    EXECUTE format('ALTER TABLE saga_history ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO (%L)', whole, high);
END $$;

-- The history of a saga that has not ended outlives its day.
CREATE FUNCTION saga_history_maintain(today date, keep int) RETURNS void LANGUAGE sql AS $$
    SELECT days_maintain('saga_history', 'saga_id', today, keep,
                         $kept$ SELECT saga_id FROM sagas WHERE state NOT IN ('COMPLETED', 'ROLLED_BACK') $kept$)
$$;

SELECT saga_history_maintain((now() AT TIME ZONE 'UTC')::date, 3650);

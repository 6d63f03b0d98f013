-- The relay's own role, where the cluster has one, may read and truncate the outbox and keep its cursor: nothing else.
DO $$
DECLARE leaf regclass;
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'relay') THEN
        GRANT USAGE ON SCHEMA public, relay TO relay;
        GRANT SELECT, UPDATE ON relay.shard TO relay;
        GRANT SELECT ON outbox, outbox_pending TO relay;
        FOR leaf IN SELECT relid FROM pg_partition_tree('outbox') LOOP
            EXECUTE format('GRANT SELECT, TRUNCATE ON %s TO relay', leaf);
        END LOOP;
    END IF;
END $$;

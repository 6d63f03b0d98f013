-- The transactional outbox, in shards, each a ring of leaves that the relay truncates behind itself.
--
-- Per shard one sequence (CACHE 1). A row gets its id when it is inserted, which is the last statement of a
-- transaction that already holds the lock of the row's aggregate. So, per key, the order of ids is the order of
-- commits, and whoever sees a row sees all earlier rows of its key. Whoever has taken an id holds a lock on the sequence
-- until his transaction has ended: by that the relay tells an aborted id from one that is still to come.
CREATE TABLE outbox (
    shard       smallint    NOT NULL,
    id          bigint      NOT NULL,
    message_id  uuid        NOT NULL,
    key         uuid        NOT NULL,
    causation   uuid,
    sequence    bigint      NOT NULL,
    occurred_at timestamptz NOT NULL,
    topic       text        NOT NULL,
    kind        text        NOT NULL,
    traceparent text,
    headers     jsonb,
    body        text        NOT NULL
) PARTITION BY LIST (shard);

CREATE INDEX outbox_id ON outbox (id);

CREATE SCHEMA relay;

-- Lease and cursor of one shard in one row: whoever moves the cursor proves that he still owns the lease.
CREATE TABLE relay.shard (
    shard      smallint    PRIMARY KEY,
    owner      text,
    epoch      bigint      NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL DEFAULT '-infinity',
    position   bigint      NOT NULL DEFAULT 0,
    holes      int8multirange NOT NULL DEFAULT '{}'
) WITH (fillfactor = 50);
COMMENT ON COLUMN relay.shard.position IS 'the highest outbox id that has been published';
COMMENT ON COLUMN relay.shard.holes IS 'ids below position that were not visible yet when their neighbours were published';

-- Adds a shard. The number of shards is fixed once messages flow: a key must stay in its shard.
CREATE FUNCTION outbox_add_shard(shard smallint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE SEQUENCE outbox_s%s_id CACHE 1', shard);
    EXECUTE format('CREATE TABLE outbox_s%s PARTITION OF outbox FOR VALUES IN (%s) PARTITION BY LIST (((id >> 16) & 3))', shard, shard);
    FOR leaf IN 0..3 LOOP
        EXECUTE format('CREATE TABLE outbox_s%s_r%s PARTITION OF outbox_s%s FOR VALUES IN (%s)', shard, leaf, shard, leaf);
    END LOOP;
    INSERT INTO relay.shard (shard) VALUES (shard);
END $$;

-- What has been committed and not yet published, as an operator wants to see it.
CREATE VIEW outbox_pending AS
    SELECT outbox.* FROM outbox JOIN relay.shard USING (shard)
    WHERE outbox.id > shard.position OR shard.holes @> outbox.id;

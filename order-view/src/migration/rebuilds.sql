-- Who had the view rebuilt, and how far that is. At most one is under way; whoever does it says so again and again.
CREATE TABLE rebuilds (
    rebuild_id    uuid        PRIMARY KEY,
    asked_by      text        NOT NULL,
    asked_why     text        NOT NULL,
    asked_at      timestamptz NOT NULL,
    claimed_by    text,
    claimed_until timestamptz NOT NULL,
    attempt       uuid,
    records       bigint      NOT NULL DEFAULT 0,
    ahead         bigint,
    unreadable    bigint      NOT NULL DEFAULT 0,
    problem       text,
    ended_at      timestamptz
);
COMMENT ON COLUMN rebuilds.attempt IS 'of whoever is at it now: another one, who was paused, finds that he is not any more';
COMMENT ON COLUMN rebuilds.records IS 'how many records were read so far';
COMMENT ON COLUMN rebuilds.ahead IS 'how many there were ahead when that was last looked';
COMMENT ON COLUMN rebuilds.unreadable IS 'records that are no message of the contract: parked when they came, and skipped here';
COMMENT ON COLUMN rebuilds.problem IS 'why the last attempt failed; of a rebuild that has ended: why it was not done';
CREATE UNIQUE INDEX rebuilds_under_way ON rebuilds ((true)) WHERE ended_at IS NULL;

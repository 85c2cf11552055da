-- Times are milliseconds since 1970, by the clock of the database.
-- state: 0 pending, 1 waiting for an earlier one of its order key, 2 done, 3 dead, 4 discarded.
-- due_at: of a pending one, when a worker may take it; of a done or discarded one, when it may be removed.
CREATE TABLE countersign_inbox (
    id BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    identity BYTEA NOT NULL,
    sender TEXT NOT NULL,
    key_id TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    received_by TEXT NOT NULL,
    order_key BYTEA,
    keep_until BIGINT NOT NULL,
    state INTEGER NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    token BYTEA,
    failure TEXT,
    finished_at BIGINT,
    headers TEXT NOT NULL,
    body BYTEA NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
CREATE UNIQUE INDEX countersign_inbox_identity ON countersign_inbox (identity);
CREATE INDEX countersign_inbox_due ON countersign_inbox (due_at, id) WHERE state = 0;
CREATE INDEX countersign_inbox_unfinished ON countersign_inbox (id) WHERE state IN (0, 1);
CREATE INDEX countersign_inbox_removable ON countersign_inbox (due_at) WHERE state IN (2, 4);
CREATE INDEX countersign_inbox_dead ON countersign_inbox (id) WHERE state = 3;
CREATE INDEX countersign_inbox_ordered ON countersign_inbox (order_key, id)
    WHERE order_key IS NOT NULL AND state IN (0, 1);
CREATE INDEX countersign_inbox_held ON countersign_inbox (due_at, id) WHERE state = 0 AND token IS NOT NULL;
CREATE INDEX countersign_inbox_leased ON countersign_inbox (order_key)
    WHERE order_key IS NOT NULL AND state = 0 AND token IS NOT NULL;

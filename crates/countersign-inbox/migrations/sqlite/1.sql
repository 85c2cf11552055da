-- Times are milliseconds since 1970, by the clock of the machine.
-- state: 0 pending, 1 waiting for an earlier one of its order key, 2 done, 3 dead, 4 discarded.
-- due_at: of a pending one, when a worker may take it; of a done or discarded one, when it may be removed.
CREATE TABLE countersign_inbox (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    identity BLOB NOT NULL,
    sender TEXT NOT NULL,
    key_id TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    received_by TEXT NOT NULL,
    order_key BLOB,
    keep_until INTEGER NOT NULL,
    state INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    token BLOB,
    failure TEXT,
    finished_at INTEGER
);
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

-- Apart, because a change of state rewrites a row.
CREATE TABLE countersign_inbox_content (
    id INTEGER NOT NULL PRIMARY KEY,
    headers TEXT NOT NULL,
    body BLOB NOT NULL
);

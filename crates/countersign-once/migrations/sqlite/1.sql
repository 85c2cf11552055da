-- Times are milliseconds since 1970, by the clock of the database.
CREATE TABLE countersign_once (
    identity BLOB NOT NULL PRIMARY KEY,
    token BLOB NOT NULL,
    done BOOLEAN NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX countersign_once_expires_at ON countersign_once (expires_at);

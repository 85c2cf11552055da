-- Times are milliseconds since 1970, by the clock of the database.
CREATE TABLE countersign_once (
    identity BYTEA NOT NULL PRIMARY KEY,
    token BYTEA NOT NULL,
    done BOOLEAN NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX countersign_once_expires_at ON countersign_once (expires_at);

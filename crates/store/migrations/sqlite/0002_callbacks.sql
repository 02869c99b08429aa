-- What is told to the endpoints that asked for it, ordered by time through the ids.
-- state: 0 due at `at`, 1 claimed (lease ends at `at`), 2 delivered, 3 failed.
CREATE TABLE callbacks (
    id         BLOB    NOT NULL PRIMARY KEY,
    webhook    TEXT    NOT NULL,
    account    TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    state      INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    decided_at INTEGER NOT NULL,
    note       TEXT,
    body       TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX callbacks_open ON callbacks (at, id) WHERE state < 2;
CREATE INDEX callbacks_done ON callbacks (at) WHERE state >= 2;

-- Times are milliseconds since the Unix epoch (UTC) unless a name says otherwise. Ids of 128 bits are
-- big-endian blobs. `body` is the JSON of crates/store/src/row.

-- Accounts, spaces, WABAs, clients, users, sessions, documents: one tree.
CREATE TABLE entities (
    kind        TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    parent_kind TEXT,
    parent_id   TEXT,
    lookup      TEXT,
    expires_at  INTEGER,
    body        TEXT    NOT NULL,
    content     BLOB,
    PRIMARY KEY (kind, id),
    FOREIGN KEY (parent_kind, parent_id) REFERENCES entities (kind, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX entities_below ON entities (parent_kind, parent_id, kind, id);
CREATE UNIQUE INDEX entities_lookup ON entities (kind, lookup) WHERE lookup IS NOT NULL;
CREATE INDEX entities_expiry ON entities (expires_at) WHERE expires_at IS NOT NULL;

-- One record per phone number; `registered_*` repeat its registration, so that the database itself
-- refuses a second number for one client.
CREATE TABLE numbers (
    number            INTEGER NOT NULL PRIMARY KEY,
    version           INTEGER NOT NULL,
    registered_client TEXT,
    registered_waba   TEXT,
    body              TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX numbers_client ON numbers (registered_client) WHERE registered_client IS NOT NULL;
CREATE INDEX numbers_registered ON numbers (number) WHERE registered_waba IS NOT NULL;

-- Repeats what a record says about its claims, to find the number by it. A WABA with claims stays.
CREATE TABLE claims (
    id             TEXT    NOT NULL PRIMARY KEY,
    number         INTEGER NOT NULL REFERENCES numbers (number),
    waba_kind      TEXT    NOT NULL DEFAULT 'waba' CHECK (waba_kind = 'waba'),
    waba           TEXT    NOT NULL,
    pending_client TEXT,
    pending_since  INTEGER,
    FOREIGN KEY (waba_kind, waba) REFERENCES entities (kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX claims_of_waba ON claims (waba_kind, waba, number);
CREATE INDEX claims_pending ON claims (pending_client, pending_since, number)
    WHERE pending_client IS NOT NULL;

-- The audit chain; `seq` has no gaps.
CREATE TABLE audit (
    seq          INTEGER NOT NULL PRIMARY KEY,
    id           BLOB    NOT NULL,
    at           INTEGER NOT NULL,
    number       INTEGER,
    subject_kind TEXT,
    subject_id   TEXT,
    account      TEXT,
    actor        TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    details      TEXT    NOT NULL,
    hash         BLOB    NOT NULL
) STRICT;
-- Only refusals are asked for by their id (explain links). Each index costs every commit a page.
CREATE INDEX audit_refusals ON audit (id) WHERE kind = 'refused';
-- Each entry ends in the row's `seq`, so it lists in order of it.
CREATE INDEX audit_number ON audit (number) WHERE number IS NOT NULL;

-- State of the shared allowances: theoretical arrival time in microseconds since the Unix epoch.
CREATE TABLE allowances (
    key        TEXT    NOT NULL PRIMARY KEY,
    arrival_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The ledger of sends, ordered by time through their ids.
-- state: 0 decided (due at `at`), 1 claimed (lease ends at `at`), 2 handed over, 3 delivered, 4 failed.
CREATE TABLE sends (
    id          BLOB    NOT NULL PRIMARY KEY,
    number      INTEGER NOT NULL,
    account     TEXT    NOT NULL,
    state       INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    sender      TEXT,
    provider_id TEXT,
    reason      TEXT,
    body        TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sends_open ON sends (at, id) WHERE state < 2;
CREATE INDEX sends_number ON sends (number, id);

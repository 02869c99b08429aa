-- What may happen once, and from when on it may be forgotten; see OnceKey in the store port.
CREATE TABLE nonces (
    key   TEXT    NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX nonces_expiry ON nonces (until);

-- The whole story of a send: when a provider acknowledged it, when its code was used, whether an outcome
-- is unknown, what it costs (millionths of the currency), and every try (JSON objects with commas
-- between them, so that one is added without reading the others).
ALTER TABLE sends ADD COLUMN handed_over_at INTEGER;
ALTER TABLE sends ADD COLUMN confirmed_at INTEGER;
ALTER TABLE sends ADD COLUMN in_doubt INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sends ADD COLUMN charged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sends ADD COLUMN tries TEXT;
UPDATE sends SET handed_over_at = at WHERE state = 2;

-- Receipts name the provider's id. The inbox of a sandbox sends none, and pays for no index.
CREATE INDEX sends_provider ON sends (provider_id, sender, id)
    WHERE provider_id IS NOT NULL AND sender <> 'inbox';

-- Money, a row per budget and span of time, in millionths of the currency.
CREATE TABLE budgets (
    key          TEXT    NOT NULL PRIMARY KEY,
    spent        INTEGER NOT NULL,
    would_refuse INTEGER NOT NULL,
    resets_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

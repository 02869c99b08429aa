-- A code that was requested without a client (in a hosted dialect), found by its WABA, so that an
-- On-Premises client of the WABA can confirm it: `pending_since` stands without `pending_client` then.
CREATE INDEX claims_hosted ON claims (waba, pending_since, number)
    WHERE pending_client IS NULL AND pending_since IS NOT NULL;

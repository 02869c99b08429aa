-- Numbers by state are counted, not read. `proof_at`: since when a claim is verified, or when the code that it
-- awaits was made. Few claims have one at a time, and next to no number is locked, so the indexes stay small.
ALTER TABLE claims ADD COLUMN proof_at INTEGER;
UPDATE claims SET proof_at = (
    SELECT coalesce(json_extract(claim.value, '$.p.v[0]'), json_extract(claim.value, '$.p.c.a'))
    FROM numbers, json_each(numbers.body, '$.c') AS claim
    WHERE numbers.number = claims.number AND json_extract(claim.value, '$.i') = claims.id);
CREATE INDEX claims_proofs ON claims (proof_at, number, pending_since) WHERE proof_at IS NOT NULL;
ALTER TABLE numbers ADD COLUMN locked_since INTEGER;
UPDATE numbers SET locked_since = json_extract(body, '$.b.l');
CREATE INDEX numbers_locked ON numbers (number) WHERE locked_since IS NOT NULL;

-- Moments by which a WABA's numbers are listed, so that a page of them is read and not all.
ALTER TABLE claims ADD COLUMN added_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE claims ADD COLUMN onboarded_at INTEGER NOT NULL DEFAULT 0;
UPDATE claims SET added_at = coalesce((
    SELECT json_extract(claim.value, '$.a') FROM numbers, json_each(numbers.body, '$.c') AS claim
    WHERE numbers.number = claims.number AND json_extract(claim.value, '$.i') = claims.id), 0);
UPDATE claims SET onboarded_at = coalesce((
    SELECT json_extract(numbers.body, '$.r.a') FROM numbers
    WHERE numbers.number = claims.number AND json_extract(numbers.body, '$.r.i') = claims.id), added_at);

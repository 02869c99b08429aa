-- Display names that wait for a verdict; few do at any time, so the index costs other writes nothing.
ALTER TABLE claims ADD COLUMN name_waits INTEGER NOT NULL DEFAULT 0;
CREATE INDEX claims_name_waits ON claims (number) WHERE name_waits;

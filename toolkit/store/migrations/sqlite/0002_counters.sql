-- What the collector has done since the database was made, for metrics: rows by result, what was left out by reason.
CREATE TABLE counters (
    name TEXT NOT NULL,                  -- observations, left_out
    label TEXT NOT NULL,                 -- new, corrected, unchanged; a reason
    count INTEGER NOT NULL,
    PRIMARY KEY (name, label)
) STRICT, WITHOUT ROWID;

INSERT INTO counters SELECT 'observations', 'new', COUNT(*) FROM observation;

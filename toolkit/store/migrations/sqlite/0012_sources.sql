-- Several sources. A station belongs to one: its description counts, and its values replace those of others.
ALTER TABLE stations ADD COLUMN source TEXT;       -- NULL: no source has told of it yet
ALTER TABLE collection_log ADD COLUMN source TEXT; -- NULL: imports, and what is older than this schema
ALTER TABLE collection_log ADD COLUMN kind TEXT;   -- of a failure, the class of the error; NULL: as above

-- How each source does.
CREATE TABLE sources (
    name TEXT NOT NULL PRIMARY KEY,
    succeeded TEXT,                      -- when a document of it was stored last
    failed TEXT,                         -- when a cycle failed last
    newest TEXT,                         -- the time of the newest observation of which it has told
    message TEXT NOT NULL,               -- what became of the last cycle
    cycles INTEGER NOT NULL DEFAULT 0,   -- how many brought a document
    failures INTEGER NOT NULL DEFAULT 0, -- how many failed
    observations INTEGER NOT NULL DEFAULT 0, -- how many were new or corrected
    left_out INTEGER NOT NULL DEFAULT 0  -- how many entries and values were not stored
) STRICT, WITHOUT ROWID;

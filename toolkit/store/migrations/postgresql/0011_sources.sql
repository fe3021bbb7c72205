-- Several sources. A station belongs to one: its description counts, and its values replace those of others.
ALTER TABLE stations ADD COLUMN source text;       -- NULL: no source has told of it yet
ALTER TABLE collection_log ADD COLUMN source text; -- NULL: imports, and what is older than this schema
ALTER TABLE collection_log ADD COLUMN kind text;   -- of a failure, the class of the error; NULL: as above

-- How each source does.
CREATE TABLE sources (
    name text NOT NULL PRIMARY KEY,
    succeeded timestamptz,               -- when a document of it was stored last
    failed timestamptz,                  -- when a cycle failed last
    newest timestamptz,                  -- the time of the newest observation of which it has told
    message text NOT NULL,               -- what became of the last cycle
    cycles bigint NOT NULL DEFAULT 0,    -- how many brought a document
    failures bigint NOT NULL DEFAULT 0,  -- how many failed
    observations bigint NOT NULL DEFAULT 0, -- how many were new or corrected
    left_out bigint NOT NULL DEFAULT 0   -- how many entries and values were not stored
);

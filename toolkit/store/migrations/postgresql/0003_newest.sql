-- When each station was observed last: observations is ordered by time, and one that is silent for long would be
-- searched for through all of it. Collectors, imports and restores keep it; rows that were removed, or put in by hand
-- between those of the collectors, are taken note of by maintenance.
DROP TABLE IF EXISTS newest;             -- where a backup of the schema before this one was restored
CREATE TABLE newest (
    station_id text PRIMARY KEY,
    time timestamptz NOT NULL            -- -infinity: none
) WITH (fillfactor = 40);                -- every cycle changes every row: there is room for it beside the row

-- Of a week, so that a large database does not keep a release waiting; maintenance looks for the others.
INSERT INTO newest
SELECT station_id, MAX(time) FROM observations
WHERE time > (SELECT MAX(time) - interval '7 days' FROM observations) GROUP BY 1;

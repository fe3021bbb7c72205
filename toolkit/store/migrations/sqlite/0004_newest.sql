-- When each station was observed last: observation is ordered by time, and one that is silent for long would be searched
-- for through all of it. No row of a station is later than this; '' where it has none. Where rows were removed it may
-- be later than they are, until maintenance has looked.
CREATE TABLE newest (
    station INTEGER PRIMARY KEY,         -- stations.number
    time TEXT NOT NULL
) STRICT;

-- Of a week, so that a large database does not keep a release waiting; maintenance looks for the others.
INSERT INTO newest
SELECT station, time FROM observation
WHERE time > (SELECT datetime(MAX(time), '-7 days') FROM observation) ORDER BY time
ON CONFLICT (station) DO UPDATE SET time = excluded.time;

CREATE TRIGGER newest_of_station AFTER INSERT ON stations BEGIN
    INSERT INTO newest VALUES (NEW.number, '') ON CONFLICT (station) DO NOTHING;
END;

CREATE TRIGGER newest_of_observation AFTER INSERT ON observation BEGIN
    INSERT INTO newest VALUES (NEW.station, NEW.time)
    ON CONFLICT (station) DO UPDATE SET time = excluded.time WHERE excluded.time > time;
END;

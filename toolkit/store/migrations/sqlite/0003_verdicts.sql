-- What the detector found: one row for each anomaly, however many runs saw it. Times are those of the first and the last
-- reading that was not as it should be.
CREATE TABLE anomalies (
    id INTEGER PRIMARY KEY,
    station_id TEXT NOT NULL,
    variable TEXT NOT NULL,              -- all: the station as a whole
    started TEXT NOT NULL,
    ended TEXT NOT NULL,
    state TEXT NOT NULL,                 -- open while the newest run sees it at its end, then closed
    class TEXT NOT NULL,                 -- device_failure, weather_event, suspected, unverified
    test TEXT NOT NULL,                  -- what found it
    value REAL, expected REAL, score REAL,
    reason TEXT NOT NULL,
    first_run TEXT NOT NULL,             -- the ends of the windows in which it was seen first and last
    last_run TEXT NOT NULL
) STRICT;

CREATE INDEX anomalies_station ON anomalies (station_id, variable, ended);
CREATE INDEX anomalies_ended ON anomalies (ended);

-- Values that the feed offered and that cannot be true: NULL in observations, kept here for the detector and for people.
CREATE TABLE rejected (
    time TEXT NOT NULL,
    station_id TEXT NOT NULL,
    variable TEXT NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (time, station_id, variable)
) STRICT, WITHOUT ROWID;

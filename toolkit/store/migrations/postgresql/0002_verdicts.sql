-- What the detector found: one row for each anomaly, however many runs saw it. Times are those of the first and the last
-- reading that was not as it should be.
CREATE TABLE anomalies (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station_id text NOT NULL,
    variable text NOT NULL,              -- all: the station as a whole
    started timestamptz NOT NULL,
    ended timestamptz NOT NULL,
    state text NOT NULL,                 -- open while the newest run sees it at its end, then closed
    class text NOT NULL,                 -- device_failure, weather_event, suspected, unverified
    test text NOT NULL,                  -- what found it
    value double precision, expected double precision, score double precision,
    reason text NOT NULL,
    first_run timestamptz NOT NULL,      -- the ends of the windows in which it was seen first and last
    last_run timestamptz NOT NULL
);

CREATE INDEX anomalies_station ON anomalies (station_id, variable, ended);
CREATE INDEX anomalies_ended ON anomalies (ended);

-- Values that the feed offered and that cannot be true: NULL in observations, kept here for the detector and for people.
CREATE TABLE rejected (
    time timestamptz NOT NULL,
    station_id text NOT NULL,
    variable text NOT NULL,
    value double precision NOT NULL,
    PRIMARY KEY (time, station_id, variable)
);

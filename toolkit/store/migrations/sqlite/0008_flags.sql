-- What the newest detection run over each time says of the values of a sensor, as intervals. Those of one sensor do not
-- overlap. The view flags puts it together with what people say; observations_qc has the flag of every value.
CREATE TABLE detector_flags (
    station_id TEXT NOT NULL,
    variable TEXT NOT NULL,              -- all: the station as a whole
    started TEXT NOT NULL,               -- the times of the first and the last value
    ended TEXT NOT NULL,
    flag INTEGER NOT NULL,               -- QARTOD: 1 pass (odd, but weather), 2 not evaluated, 3 suspect, 4 fail
    test TEXT NOT NULL,                  -- what decided; '' where the values were too few to be judged
    PRIMARY KEY (station_id, variable, started)
) STRICT, WITHOUT ROWID;

CREATE INDEX detector_flags_ended ON detector_flags (ended);

-- The time that detection runs have judged, each without what a later run has judged of the same variables. A value that
-- was collected later than the run, or is of another variable, was not evaluated.
CREATE TABLE judged (
    id INTEGER PRIMARY KEY,
    started TEXT NOT NULL,               -- after this
    ended TEXT NOT NULL,                 -- up to and including this
    judged_at TEXT NOT NULL,
    variables TEXT NOT NULL              -- with a comma before each, and after the last
) STRICT;

CREATE INDEX judged_ended ON judged (ended);

-- The view observations_qc looks for the intervals of a sensor that have a time.
CREATE INDEX incidents_sensor ON incidents (station_id, variable, ended, started);
CREATE INDEX incident_stations_station ON incident_stations (station_id, ended);

-- What earlier releases found. What they did not find fault with is not known to be good: weather-tool flag judges it.
INSERT INTO detector_flags (station_id, variable, started, ended, flag, test)
SELECT
    station_id, variable, started, MIN(ended, coalesce(datetime(next, '-1 second'), ended)),
    CASE class WHEN 'device_failure' THEN 4 WHEN 'weather_event' THEN 1 ELSE 3 END, test
FROM (
    SELECT *, LEAD(started) OVER (PARTITION BY station_id, variable ORDER BY started, id) AS next FROM anomalies
    WHERE datetime(started) = started AND datetime(ended) = ended AND test <> 'missing'
) WHERE next IS NULL OR next > started;

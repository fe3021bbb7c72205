-- How the feed has described each station, since when: a row is added when it says something else.
CREATE TABLE station_history (
    station_id TEXT NOT NULL,
    since TEXT NOT NULL,
    station_name_en TEXT,
    station_name_gr TEXT,
    latitude REAL,                       -- degrees
    longitude REAL,                      -- degrees
    elevation REAL,                      -- metres
    PRIMARY KEY (station_id, since)
) STRICT, WITHOUT ROWID;

-- What was said before this schema is not known.
INSERT INTO station_history
SELECT station_id, first_seen, station_name_en, station_name_gr, latitude, longitude, elevation FROM stations;

-- What the job of sensor health found last.
CREATE TABLE sensor_health (
    station_id TEXT NOT NULL,
    variable TEXT NOT NULL,
    started TEXT NOT NULL,               -- the time that was looked at
    ended TEXT NOT NULL,
    health TEXT NOT NULL,                -- JSON, a sensor of the report of weather-tool sensors
    PRIMARY KEY (station_id, variable)
) STRICT, WITHOUT ROWID;

-- How the feed has described each station, since when: a row is added when it says something else.
CREATE TABLE station_history (
    station_id text NOT NULL,
    since timestamptz NOT NULL,
    station_name_en text,
    station_name_gr text,
    latitude double precision,           -- degrees
    longitude double precision,          -- degrees
    elevation double precision,          -- metres
    PRIMARY KEY (station_id, since)
);

-- What was said before this schema is not known.
INSERT INTO station_history
SELECT station_id, first_seen, station_name_en, station_name_gr, latitude, longitude, elevation FROM stations;

-- What the job of sensor health found last.
CREATE TABLE sensor_health (
    station_id text NOT NULL,
    variable text NOT NULL,
    started timestamptz NOT NULL,        -- the time that was looked at
    ended timestamptz NOT NULL,
    health text NOT NULL,                -- JSON, a sensor of the report of weather-tool sensors
    PRIMARY KEY (station_id, variable)
);

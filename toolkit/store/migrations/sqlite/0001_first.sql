-- The first schema. What operators query is a contract: stations, observations, collection_log, every time in UTC
-- as text 'YYYY-MM-DD HH:MM:SS'. How observations are packed below the view is ours.

CREATE TABLE stations (
    number INTEGER PRIMARY KEY,          -- what observation.station refers to
    station_id TEXT NOT NULL UNIQUE,
    station_name_en TEXT,
    station_name_gr TEXT,
    latitude REAL,                       -- degrees
    longitude REAL,                      -- degrees
    elevation REAL,                      -- metres
    first_seen TEXT NOT NULL,            -- when the first and the last document with this station was stored
    last_seen TEXT NOT NULL
) STRICT;

-- One row per (time, station), in the order in which windows are read. A value is an integer where it is a whole
-- number of steps (tenths, or ones for humidity) and a real where it is not: exact either way, at two bytes instead
-- of eight. A direction's name is its number on the 16-point compass, or text where it is something else.
CREATE TABLE observation (
    time TEXT NOT NULL,
    station INTEGER NOT NULL REFERENCES stations (number),
    temp_out ANY, hi_temp ANY, low_temp ANY,
    out_hum ANY,
    bar ANY,
    rain ANY,
    wind_speed ANY, wind_dir ANY, wind_dir_str ANY,
    hi_speed ANY, hi_dir ANY, hi_dir_str ANY,
    delay INTEGER NOT NULL,              -- seconds from time to collected_at
    PRIMARY KEY (time, station)
) STRICT, WITHOUT ROWID;

CREATE TABLE collection_log (
    timestamp TEXT NOT NULL,
    status TEXT NOT NULL,                -- success, failed
    stations_count INTEGER NOT NULL,
    observations_count INTEGER NOT NULL, -- new and corrected rows
    message TEXT NOT NULL
) STRICT;

CREATE INDEX collection_log_timestamp ON collection_log (timestamp);

-- The station's WIGOS identifier, such as 0-20000-0-16716: from the feed or from an import of metadata.
ALTER TABLE stations ADD COLUMN wigos_id TEXT;

-- Where operators say that a station was. It counts more than what the feed says.
CREATE TABLE station_places (
    station_id TEXT NOT NULL,
    since TEXT NOT NULL,                 -- 1970-01-01: always
    until TEXT,                          -- NULL: until the next, or until the feed tells of a move
    station_name_en TEXT,                -- NULL: as the feed says
    latitude REAL NOT NULL,              -- degrees
    longitude REAL NOT NULL,             -- degrees
    elevation REAL,                      -- metres
    declared TEXT NOT NULL,              -- when they said so
    origin TEXT NOT NULL,                -- who, or the file
    PRIMARY KEY (station_id, since)
) STRICT, WITHOUT ROWID;

-- When a sensor was replaced.
CREATE TABLE station_sensors (
    station_id TEXT NOT NULL,
    variable TEXT NOT NULL,
    since TEXT NOT NULL,                 -- from when on the new one measured
    sensor TEXT NOT NULL,                -- which, in words
    declared TEXT NOT NULL,
    origin TEXT NOT NULL,
    PRIMARY KEY (station_id, variable, since)
) STRICT, WITHOUT ROWID;

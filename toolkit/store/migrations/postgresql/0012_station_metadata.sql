-- The station's WIGOS identifier, such as 0-20000-0-16716: from the feed or from an import of metadata.
ALTER TABLE stations ADD COLUMN wigos_id text;

-- Where operators say that a station was. It counts more than what the feed says.
CREATE TABLE station_places (
    station_id text NOT NULL,
    since timestamptz NOT NULL,          -- 1970-01-01: always
    until timestamptz,                   -- NULL: until the next, or until the feed tells of a move
    station_name_en text,                -- NULL: as the feed says
    latitude double precision NOT NULL,  -- degrees
    longitude double precision NOT NULL, -- degrees
    elevation double precision,          -- metres
    declared timestamptz NOT NULL,       -- when they said so
    origin text NOT NULL,                -- who, or the file
    PRIMARY KEY (station_id, since)
);

-- When a sensor was replaced.
CREATE TABLE station_sensors (
    station_id text NOT NULL,
    variable text NOT NULL,
    since timestamptz NOT NULL,          -- from when on the new one measured
    sensor text NOT NULL,                -- which, in words
    declared timestamptz NOT NULL,
    origin text NOT NULL,
    PRIMARY KEY (station_id, variable, since)
);

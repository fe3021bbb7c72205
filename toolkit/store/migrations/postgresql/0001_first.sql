-- The names are a contract, as on SQLite. A time is a timestamptz: right in every client's time zone, and shown in UTC
-- where the database's own is UTC (role weather_postgresql).

CREATE TABLE stations (
    station_id text PRIMARY KEY,
    station_name_en text,
    station_name_gr text,
    latitude double precision,           -- degrees
    longitude double precision,          -- degrees
    elevation double precision,          -- metres
    first_seen timestamptz NOT NULL,     -- when the first and the last document with this station was stored
    last_seen timestamptz NOT NULL
);

CREATE TABLE observations (
    time timestamptz NOT NULL,
    station_id text NOT NULL,
    temp_out double precision, hi_temp double precision, low_temp double precision,
    out_hum double precision,
    bar double precision,
    rain double precision,
    wind_speed double precision, wind_dir double precision, wind_dir_str text,
    hi_speed double precision, hi_dir double precision, hi_dir_str text,
    collected_at timestamptz NOT NULL,
    PRIMARY KEY (time, station_id)
);

CREATE TABLE collection_log (
    timestamp timestamptz NOT NULL,
    status text NOT NULL,                -- success, failed
    stations_count integer NOT NULL,
    observations_count integer NOT NULL, -- new and corrected rows
    message text NOT NULL
);

CREATE INDEX collection_log_timestamp ON collection_log (timestamp);

-- What the collectors have done since the database was made, for metrics.
CREATE TABLE counters (
    name text NOT NULL,                  -- observations, left_out
    label text NOT NULL,                 -- new, corrected, unchanged; a reason
    count bigint NOT NULL,
    PRIMARY KEY (name, label)
);

-- With TimescaleDB, time is partitioned and what is older than a month is compressed. Without it the table stays whole:
-- the key serves every query by time, and a partition would save nothing at these sizes.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        PERFORM create_hypertable('observations', 'time', chunk_time_interval => interval '7 days');
        ALTER TABLE observations SET (timescaledb.compress, timescaledb.compress_segmentby = 'station_id');
        PERFORM add_compression_policy('observations', interval '30 days');
    END IF;
END
$$;

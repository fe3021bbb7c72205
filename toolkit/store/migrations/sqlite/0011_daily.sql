-- What each variable did at each station on each day (UTC) that is over, so that years are shown in no time. Maintenance
-- writes it; whatever changes observations of a day takes the day out of summarised, and it is looked at anew.
CREATE TABLE daily (
    day INTEGER NOT NULL,                -- days since 1970-01-01
    station_id TEXT NOT NULL,
    variable TEXT NOT NULL,              -- all: the observations
    number INTEGER NOT NULL,             -- of values
    low REAL, mean REAL, high REAL,      -- NULL for directions
    PRIMARY KEY (day, station_id, variable)
) STRICT, WITHOUT ROWID;

CREATE TABLE summarised (
    day INTEGER PRIMARY KEY,
    ready INTEGER NOT NULL               -- 0 while its rows of daily are being written
) STRICT;

CREATE TRIGGER summarised_insert AFTER INSERT ON observation BEGIN
    DELETE FROM summarised WHERE day = unixepoch(NEW.time) / 86400;
END;
CREATE TRIGGER summarised_update AFTER UPDATE ON observation BEGIN
    DELETE FROM summarised WHERE day IN (unixepoch(OLD.time) / 86400, unixepoch(NEW.time) / 86400);
END;
CREATE TRIGGER summarised_delete AFTER DELETE ON observation BEGIN
    DELETE FROM summarised WHERE day = unixepoch(OLD.time) / 86400;
END;

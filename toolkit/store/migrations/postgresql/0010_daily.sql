-- What each variable did at each station on each day (UTC) that is over, so that years are shown in no time. Maintenance
-- writes it. Collectors and imports take a day whose observations they change out of summarised, and it is looked at
-- anew; whoever changes observations by hand does so, too: DELETE FROM summarised.
CREATE TABLE daily (
    day integer NOT NULL,                -- days since 1970-01-01
    station_id text NOT NULL,
    variable text NOT NULL,              -- all: the observations
    number integer NOT NULL,             -- of values
    low double precision, mean double precision, high double precision, -- NULL for directions
    PRIMARY KEY (day, station_id, variable)
);

CREATE TABLE summarised (
    day integer PRIMARY KEY,
    ready integer NOT NULL               -- 0 while its rows of daily are being written
);

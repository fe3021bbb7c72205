-- Variables that networks have and the first schema lacked. Rows from before have none of them.
ALTER TABLE observations
    ADD COLUMN solar_radiation double precision,
    ADD COLUMN dew_point double precision,
    ADD COLUMN snow_depth double precision;

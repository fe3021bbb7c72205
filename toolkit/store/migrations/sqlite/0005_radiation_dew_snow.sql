-- Variables that networks have and the first schema lacked. Rows from before have none of them.
ALTER TABLE observation ADD COLUMN solar_radiation ANY;
ALTER TABLE observation ADD COLUMN dew_point ANY;
ALTER TABLE observation ADD COLUMN snow_depth ANY;

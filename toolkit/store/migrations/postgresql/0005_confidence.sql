-- How probable the class of an anomaly is, 0 to 1. Rows from before have none.
ALTER TABLE anomalies ADD COLUMN confidence double precision;

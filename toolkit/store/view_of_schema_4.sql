-- The view and its triggers as they were in the schemas 1 to 4. A backup of one of these has exactly this; it is never
-- changed. Later schemas have what store/encoding.py makes.

CREATE VIEW observations AS
SELECT time,
       (SELECT station_id FROM stations WHERE number = station) AS station_id,
       CASE typeof(temp_out) WHEN 'integer' THEN temp_out / 10.0 ELSE temp_out END AS temp_out, CASE typeof(hi_temp) WHEN 'integer' THEN hi_temp / 10.0 ELSE hi_temp END AS hi_temp, CASE typeof(low_temp) WHEN 'integer' THEN low_temp / 10.0 ELSE low_temp END AS low_temp, CASE typeof(out_hum) WHEN 'integer' THEN out_hum / 1.0 ELSE out_hum END AS out_hum, CASE typeof(bar) WHEN 'integer' THEN bar / 10.0 ELSE bar END AS bar, CASE typeof(rain) WHEN 'integer' THEN rain / 10.0 ELSE rain END AS rain, CASE typeof(wind_speed) WHEN 'integer' THEN wind_speed / 10.0 ELSE wind_speed END AS wind_speed, CASE typeof(wind_dir) WHEN 'integer' THEN wind_dir / 10.0 ELSE wind_dir END AS wind_dir, CASE typeof(wind_dir_str) WHEN 'integer' THEN rtrim(substr('N  NNENE ENEE  ESESE SSES  SSWSW WSWW  WNWNW NNW', wind_dir_str * 3 + 1, 3)) ELSE wind_dir_str END AS wind_dir_str, CASE typeof(hi_speed) WHEN 'integer' THEN hi_speed / 10.0 ELSE hi_speed END AS hi_speed, CASE typeof(hi_dir) WHEN 'integer' THEN hi_dir / 10.0 ELSE hi_dir END AS hi_dir, CASE typeof(hi_dir_str) WHEN 'integer' THEN rtrim(substr('N  NNENE ENEE  ESESE SSES  SSWSW WSWW  WNWNW NNW', hi_dir_str * 3 + 1, 3)) ELSE hi_dir_str END AS hi_dir_str,
       datetime(time, delay || ' seconds') AS collected_at
FROM observation;

CREATE TRIGGER observations_insert INSTEAD OF INSERT ON observations BEGIN 
    INSERT INTO stations (station_id, first_seen, last_seen)
    SELECT NEW.station_id, datetime('now'), datetime('now')
    WHERE NOT EXISTS (SELECT 1 FROM stations WHERE station_id = NEW.station_id);
    INSERT OR REPLACE INTO observation
    SELECT NEW.time, number,
           CAST(NEW.temp_out AS REAL), CAST(NEW.hi_temp AS REAL), CAST(NEW.low_temp AS REAL), CAST(NEW.out_hum AS REAL), CAST(NEW.bar AS REAL), CAST(NEW.rain AS REAL), CAST(NEW.wind_speed AS REAL), CAST(NEW.wind_dir AS REAL), NEW.wind_dir_str, CAST(NEW.hi_speed AS REAL), CAST(NEW.hi_dir AS REAL), NEW.hi_dir_str,
           coalesce(unixepoch(NEW.collected_at) - unixepoch(NEW.time), 0)
    FROM stations WHERE station_id = NEW.station_id;
 END;

CREATE TRIGGER observations_update INSTEAD OF UPDATE ON observations BEGIN 
    DELETE FROM observation
    WHERE time = OLD.time AND station = (SELECT number FROM stations WHERE station_id = OLD.station_id);
 
    INSERT INTO stations (station_id, first_seen, last_seen)
    SELECT NEW.station_id, datetime('now'), datetime('now')
    WHERE NOT EXISTS (SELECT 1 FROM stations WHERE station_id = NEW.station_id);
    INSERT OR REPLACE INTO observation
    SELECT NEW.time, number,
           CAST(NEW.temp_out AS REAL), CAST(NEW.hi_temp AS REAL), CAST(NEW.low_temp AS REAL), CAST(NEW.out_hum AS REAL), CAST(NEW.bar AS REAL), CAST(NEW.rain AS REAL), CAST(NEW.wind_speed AS REAL), CAST(NEW.wind_dir AS REAL), NEW.wind_dir_str, CAST(NEW.hi_speed AS REAL), CAST(NEW.hi_dir AS REAL), NEW.hi_dir_str,
           coalesce(unixepoch(NEW.collected_at) - unixepoch(NEW.time), 0)
    FROM stations WHERE station_id = NEW.station_id;
 END;

CREATE TRIGGER observations_delete INSTEAD OF DELETE ON observations BEGIN 
    DELETE FROM observation
    WHERE time = OLD.time AND station = (SELECT number FROM stations WHERE station_id = OLD.station_id);
 END;

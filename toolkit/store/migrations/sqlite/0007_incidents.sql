-- Trouble that people deal with: one row for each station, sensor and kind of trouble, however many runs saw it.
-- started and ended are times of observations; opened, acknowledged and resolved are when that happened.
CREATE TABLE incidents (
    id INTEGER PRIMARY KEY,
    station_id TEXT,                     -- NULL: many stations at once, which incident_stations has
    variable TEXT NOT NULL,              -- all: the station as a whole
    kind TEXT NOT NULL,                  -- data_missing, data_wrong, siting
    symptoms TEXT NOT NULL,              -- the tests and rules that saw it, separated by commas
    severity TEXT NOT NULL,              -- info, warning, critical
    state TEXT NOT NULL,                 -- open, acknowledged, maintenance, resolved, dismissed
    started TEXT NOT NULL,               -- the first wrong or missing reading, as far as it could be traced back
    ended TEXT NOT NULL,                 -- the last one so far
    opened TEXT NOT NULL,
    acknowledged TEXT,
    resolved TEXT,                       -- or dismissed
    judged TEXT NOT NULL,                -- the end of the newest run that judged the sensor
    assignee TEXT,
    verdict TEXT,                        -- what people say: fault, weather, siting, maintenance; NULL: nothing yet
    part_of INTEGER,                     -- the incident of the network that it turned out to be a part of
    reopened INTEGER NOT NULL,           -- how often it came back
    confidence REAL,                     -- that it is a fault, 0 to 1
    evidence TEXT NOT NULL               -- JSON: the worst reading beside the neighbours'
) STRICT;

-- Few of many: those that are not over.
CREATE INDEX incidents_active ON incidents (id) WHERE state IN ('open', 'acknowledged', 'maintenance');
CREATE INDEX incidents_ended ON incidents (ended);
CREATE INDEX incidents_resolved ON incidents (resolved);
CREATE INDEX incidents_station ON incidents (station_id, ended);

CREATE TABLE incident_stations (
    incident_id INTEGER NOT NULL,
    station_id TEXT NOT NULL,
    started TEXT NOT NULL,
    ended TEXT NOT NULL,
    PRIMARY KEY (incident_id, station_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident_history (
    id INTEGER PRIMARY KEY,
    incident_id INTEGER NOT NULL,
    time TEXT NOT NULL,
    actor TEXT NOT NULL,                 -- a person, or the job that did it: detector, sensors, notify
    action TEXT NOT NULL,                -- opened, acknowledged, resolved, …
    note TEXT NOT NULL
) STRICT;

CREATE INDEX incident_history_incident ON incident_history (incident_id, id);

-- When people work on a sensor, or did, or will.
CREATE TABLE maintenance (
    id INTEGER PRIMARY KEY,
    station_id TEXT NOT NULL,
    variable TEXT NOT NULL,              -- all: the station as a whole
    started TEXT NOT NULL,
    ended TEXT NOT NULL,
    actor TEXT NOT NULL,
    note TEXT NOT NULL
) STRICT;

CREATE INDEX maintenance_station ON maintenance (station_id, ended);

-- Messages to people, written with what they tell of, and sent afterwards.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,            -- what it tells of: nothing is told twice
    incident_id INTEGER,
    event TEXT NOT NULL,                 -- opened, reopened, escalated, resolved, …
    severity TEXT NOT NULL,
    state TEXT NOT NULL,                 -- waiting, sending, sent, cancelled
    written TEXT NOT NULL,
    due TEXT NOT NULL,
    tried TEXT,
    attempts INTEGER NOT NULL,
    error TEXT NOT NULL,                 -- of the last attempt
    heard TEXT NOT NULL                  -- which receivers have it, by their marks; one with ? may have it
) STRICT;

CREATE INDEX outbox_state ON outbox (state, due);
CREATE INDEX outbox_incident ON outbox (incident_id);

-- The end of the newest run of each job that opens and resolves incidents.
CREATE TABLE runs (
    job TEXT PRIMARY KEY,
    ended TEXT NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE anomalies ADD COLUMN incident_id INTEGER;

-- What earlier releases found becomes incidents: the anomalies of a sensor that are less than three days apart are one.
INSERT INTO incidents (
    station_id, variable, kind, symptoms, severity, state, started, ended, opened, resolved, judged, reopened,
    confidence, evidence
)
WITH sound AS (
    SELECT *, iif(test = 'missing', 'data_missing', 'data_wrong') AS kind FROM anomalies
    WHERE class IN ('device_failure', 'suspected', 'unverified') AND datetime(started) = started
        AND datetime(ended) = ended AND datetime(first_run) = first_run AND datetime(last_run) = last_run
), apart AS (
    SELECT *, unixepoch(started) - MAX(unixepoch(ended)) OVER (
        PARTITION BY station_id, variable, kind ORDER BY started, id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS gap
    FROM sound
), numbered AS (
    SELECT *, SUM(gap IS NULL OR gap > 259200) OVER (
        PARTITION BY station_id, variable, kind ORDER BY started, id
    ) AS part
    FROM apart
), ordered AS (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY station_id, variable, kind, part ORDER BY ended DESC, id DESC) AS place
    FROM numbered
)
SELECT
    station_id, variable, kind, group_concat(DISTINCT test),
    CASE WHEN MAX(class = 'device_failure') = 0 THEN 'info' WHEN variable = 'all' THEN 'critical' ELSE 'warning' END,
    iif(MAX(state = 'open'), 'open', 'resolved'), MIN(started), MAX(ended), MIN(first_run),
    iif(MAX(state = 'open'), NULL, MAX(last_run)), MAX(last_run), 0, MAX(confidence),
    MAX(iif(place = 1, json_object('detector', json_object(
        'symptom', test, 'class', class, 'reason', reason, 'value', value, 'expected', expected, 'score', score,
        'started', replace(started, ' ', 'T') || 'Z', 'ended', replace(ended, ' ', 'T') || 'Z'
    )), NULL))
FROM ordered GROUP BY station_id, variable, kind, part ORDER BY MIN(first_run), MIN(id);

INSERT INTO incident_history (incident_id, time, actor, action, note)
SELECT id, opened, 'detector', 'opened', '' FROM incidents
UNION ALL SELECT id, resolved, 'detector', 'resolved', '' FROM incidents WHERE resolved IS NOT NULL ORDER BY 1, 2;

UPDATE anomalies SET incident_id = (
    SELECT id FROM incidents AS i
    WHERE i.station_id = anomalies.station_id AND i.variable = anomalies.variable
        AND i.kind = iif(anomalies.test = 'missing', 'data_missing', 'data_wrong')
        AND i.started <= anomalies.started AND i.ended >= anomalies.ended
) WHERE class IN ('device_failure', 'suspected', 'unverified');

INSERT INTO runs (job, ended) SELECT 'detector', MAX(last_run) FROM anomalies WHERE datetime(last_run) = last_run HAVING MAX(last_run) IS NOT NULL;

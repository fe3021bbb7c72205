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

CREATE INDEX incidents_state ON incidents (state, id);
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

#!/usr/bin/env python3
"""Incidents as the detector and people write them: `open`, `acknowledge` or `resolve`. Run by the service's Python."""

from __future__ import annotations

import sys
import time

from toolkit.incidents.telling import messages
from toolkit.settings import load
from toolkit.store import open_for_writing
from toolkit.store.incidents import ACTIVE, Incident, IncidentFilter

NOW = time.time()
VOLOS = Incident(
    id=0, station_id="volos", variable="temp_out", kind="data_wrong", symptoms="spatial", severity="warning",
    state="open", started=NOW - 7200, ended=NOW, opened=NOW, acknowledged=None, resolved=None, judged=NOW,
    assignee=None, verdict=None, part_of=None, reopened=0, confidence=0.9, evidence="{}",
)  # fmt: skip
SETTINGS = load().settings

with open_for_writing(SETTINGS.db) as store, store.transaction():
    if sys.argv[1] == "open":
        changed = [
            VOLOS,
            VOLOS._replace(variable="bar", state="maintenance"),
            VOLOS._replace(variable="rain", station_id=None, severity="critical"),
            VOLOS._replace(variable="rain", station_id="larissa"),
        ]
        changed = [one._replace(id=store.incidents.add(one)) for one in changed]
        action = "opened"
    else:
        found = store.incidents.find(IncidentFilter(states=ACTIVE, stations=["volos"], variables=["temp_out"]))
        state, field = {"acknowledge": ("acknowledged", "acknowledged"), "resolve": ("resolved", "resolved")}[
            sys.argv[1]
        ]
        changed = [one._replace(state=state, **{field: NOW}) for one in found]
        store.incidents.change(changed)
        action = state
    store.incidents.tell(messages([(one, action) for one in changed], SETTINGS, NOW))

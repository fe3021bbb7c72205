"""All checks. Causes come before what they cause: of two failures that explain each other the first is named."""

from __future__ import annotations

from toolkit.checks import Check
from toolkit.checks.probes import (
    api,
    backup,
    clock,
    cluster,
    commands,
    cron,
    database_access,
    database_content,
    database_file,
    database_locks,
    deployed,
    detection,
    disk,
    exporter,
    feed,
    folders,
    host_as_deployed,
    incidents,
    interference,
    journal,
    network,
    observations,
    offsite,
    packages,
    permissions,
    places,
    processes,
    rivals,
    security,
    service,
    settings,
    sources,
    spool,
    system,
    timers,
    units,
    way,
)

_MODULES = (
    packages, system, settings, places, disk, security, units, cron, rivals, interference, deployed, host_as_deployed,
    folders, service, commands,
    processes, timers, journal, database_file, database_content, database_locks, database_access, spool, permissions,
    clock, way, feed, detection, observations, sources, network, incidents, offsite, backup, exporter, api,
    cluster,
)  # fmt: skip
CHECKS = tuple(value for module in _MODULES for value in vars(module).values() if isinstance(value, Check))
BY_ID = {check.id: check for check in CHECKS}
AREAS = tuple(dict.fromkeys(check.area for check in CHECKS))

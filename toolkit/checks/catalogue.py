"""All checks, causes before what they cause."""

from __future__ import annotations

from toolkit.checks import (
    Check,
    backup,
    beside,
    clock,
    configuration,
    data,
    database,
    disk,
    environment,
    feed,
    metrics,
    observations,
    permissions,
    places,
    security,
    service,
    timers,
    units,
)

CHECKS: tuple[Check, ...] = (
    *environment.CHECKS,
    *configuration.CHECKS,
    *places.CHECKS,
    *disk.CHECKS,
    *security.CHECKS,
    *units.CHECKS,
    *beside.CHECKS,
    *service.CHECKS,
    *timers.CHECKS,
    *database.CHECKS,
    *permissions.CHECKS,
    *clock.CHECKS,
    *feed.CHECKS,
    *data.CHECKS,
    *observations.CHECKS,
    *backup.CHECKS,
    *metrics.CHECKS,
)
BY_ID = {check.id: check for check in CHECKS}
AREAS = tuple(dict.fromkeys(check.area for check in CHECKS))

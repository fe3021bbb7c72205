"""All checks, causes before what they cause."""

from __future__ import annotations

from toolkit.checks import (
    Check,
    backup,
    clock,
    configuration,
    data,
    database,
    disk,
    environment,
    feed,
    metrics,
    permissions,
    security,
    service,
    timers,
)

CHECKS: tuple[Check, ...] = (
    *environment.CHECKS,
    *configuration.CHECKS,
    *disk.CHECKS,
    *security.CHECKS,
    *service.CHECKS,
    *timers.CHECKS,
    *database.CHECKS,
    *permissions.CHECKS,
    *clock.CHECKS,
    *feed.CHECKS,
    *data.CHECKS,
    *backup.CHECKS,
    *metrics.CHECKS,
)
BY_ID = {check.id: check for check in CHECKS}
AREAS = tuple(dict.fromkeys(check.area for check in CHECKS))

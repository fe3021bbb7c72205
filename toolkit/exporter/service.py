"""What the host knows of the service and the store does not: findings, jobs, backups, space; for the console's page.

Only the exporter looks at the whole system, so it is asked; the console's own unit sees neither other processes nor
units. It is told on this machine alone: findings have paths and names in them.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from toolkit.backup.drill_record import last
from toolkit.backup.folder import Backup, Folder
from toolkit.checks.host import Host
from toolkit.checks.job_runs import job_runs
from toolkit.collector.spool import waiting, waiting_by_source
from toolkit.errors import ToolkitError
from toolkit.exporter.checks import CheckResults
from toolkit.paths import STATE
from toolkit.settings import spool_folder

# So many of the backups are told of, the newest.
BACKUPS = 14


def of_service(host: Host, checks: CheckResults) -> dict[str, Any]:
    """All of it, as JSON; what cannot be read is null, and a finding says why. Times are seconds since the epoch."""
    return {
        "at": round(host.now),
        "booted": round(time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)),
        "findings": checks.findings(),
        "jobs": _jobs(host),
        "disks": _disks(host),
        **_of_spool(spool_folder(host.settings)),
        **_of_backups(Path(host.settings.backups)),
    }


def _jobs(host: Host) -> list[dict[str, Any]] | None:
    try:
        return [one._asdict() for one in job_runs(host)]
    except ToolkitError:
        return None


def _disks(host: Host) -> list[dict[str, Any]]:
    """Each file system that the service writes to, with what of the service's is there."""
    settings = host.settings
    data = STATE if settings.db.file is None else settings.db.file.parent
    found: dict[str, dict[str, Any]] = {}
    for name, path in (("data", Path(data)), ("reports", Path(settings.reports)), ("backups", Path(settings.backups))):
        with suppress(OSError):
            free, total = host.free(path)
            mount = str(host.mount(path))
            found.setdefault(mount, {"mount": mount, "free": free, "total": total, "holds": []})["holds"].append(name)
    return list(found.values())


def _of_spool(folder: Path) -> dict[str, Any]:
    with suppress(OSError):
        return {"spool": len(waiting(folder)), "spools": waiting_by_source(folder)}
    return {"spool": None, "spools": None}


def _of_backups(folder: Path) -> dict[str, Any]:
    backups = damaged = drill = None
    with suppress(ToolkitError, OSError):
        whole, wrong = Folder(str(folder)).look()
        backups, damaged = [_backup(one) for one in whole[:BACKUPS]], len(wrong)
    with suppress(ToolkitError):
        drill = last(folder)
    return {
        "backups": backups,
        "damaged_backups": damaged,
        "drill": drill and {
            "ended": drill.ended, "backup": drill.backup, "restore_seconds": drill.restore_seconds,
            "observations": drill.observations, "offsite": drill.offsite, "wrong": drill.wrong,
        },
    }  # fmt: skip


def _backup(one: Backup) -> dict[str, Any]:
    made = one.manifest
    return {
        "name": one.name, "created": made.created, "bytes": made.bytes, "observations": made.content.observations,
        "version": made.program_version,
    }  # fmt: skip

"""Checks of the settings."""

from __future__ import annotations

import os
import time

from toolkit import credentials
from toolkit.checks import Check, Finding, Status, bad, good, unseen
from toolkit.checks.host import ANSIBLE, JOBS_FILE, Host
from toolkit.checks.mending import quoted
from toolkit.credentials import Credential
from toolkit.settings import Source

# What a service reads of the settings it reads when it starts.
_AGAIN = "systemctl restart weather-collector.service"


def _readable(host: Host) -> Finding | None:
    file = host.settings_file
    try:
        found = host.look(file)
    except PermissionError:
        return unseen(f"{file} may not be looked at by this user")
    if found is None:
        if not host.deployed:
            return None
        return bad(f"there is no {file}: every setting is at its default", ANSIBLE)
    if host.user and os.geteuid() != host.user.pw_uid and os.geteuid() != 0 and not os.access(file, os.R_OK):
        return unseen(f"{file} may not be read by this user")
    group_reads = found.st_mode & 0o040 and host.user and found.st_gid == host.user.pw_gid
    if host.deployed and host.user and not group_reads and not found.st_mode & 0o004:
        return bad(
            f"the service user cannot read {file}",
            f"chown root:weather {quoted(file)} && chmod 0640 {quoted(file)} && {_AGAIN}",
        )
    return good(f"{file}")


def _valid(host: Host) -> Finding:
    problems = host.loaded.problems
    if not problems and (file := host.settings.feed_ca_file) and not os.access(file, os.R_OK):
        return bad(
            f"WEATHER_FEED_CA_FILE={file}: it is not there, or the service cannot read it",
            f"sed -i '/^WEATHER_FEED_CA_FILE=/s/^/# /' {quoted(host.settings_file)} && {_AGAIN}",
        )
    if not problems:
        return good("every setting can be used")
    remedy = ""
    if lines := [one.line for one in problems if one.line]:
        marks = "; ".join(f"{line}s/^/# /" for line in lines)
        remedy = f"sed -i '{marks}' {quoted(host.settings_file)} && {_AGAIN}"
    return bad("; ".join(map(str, problems)), remedy)


def _known(host: Host) -> Finding:
    unknown = host.loaded.unknown
    if not unknown:
        return good("every name is a setting's")
    first, remedy = unknown[0], ""
    if first.nearest and first.origin.line:
        remedy = f"sed -i 's/^{first.name}=/{first.nearest}=/' {quoted(host.settings_file)} && {_AGAIN}"
    return bad("; ".join(map(str, unknown)), remedy)


def _same(host: Host) -> Finding | None:
    """Whether who asks has the settings that the service has."""
    if not host.deployed or "INVOCATION_ID" in os.environ:
        return None
    given = {name: one for name, one in host.loaded.origins.items() if one.source is Source.ENVIRONMENT}
    names = sorted(name for name in os.environ if name.startswith("WEATHER_") and name != "WEATHER_LOG")
    if given and names:
        said = ", ".join(f"{name}={os.environ[name]}" for name in names)
        return bad(
            f"this shell sets {said}, which the service has not: what is said here is not of the service",
            f"unset {' '.join(names)}",
        )
    return good("what is said here is of the service's settings")


def _in_force(host: Host) -> Finding | None:
    unit = host.unit("weather-collector.service")
    found = host.look(host.settings_file)
    if unit is None or unit["ActiveState"] != "active" or found is None:
        return None
    started = host.now - (time.monotonic() - int(unit["ActiveEnterTimestampMonotonic"] or 0) / 1e6)
    if found.st_mtime > started + 60:
        return bad(f"the settings were changed after the collector was started: {host.settings_file}")
    return good("the collector runs with the present settings")


def _jobs(host: Host) -> Finding | None:
    if not host.deployed or not host.systemd:
        return None
    if not host.jobs:
        return bad(f"{JOBS_FILE} does not say what is to run here")
    return good(f"{len(host.jobs)} jobs")


def _password(host: Host) -> Finding | None:
    if not host.is_postgresql or not host.deployed:
        return None
    if credentials.path(Credential.POSTGRESQL_PASSWORD):
        return good("the credential is there")
    if not os.access(credentials.FOLDER, os.X_OK):
        return unseen("credentials are root's: sudo weather-tool doctor")
    return bad(f"there is no credential {Credential.POSTGRESQL_PASSWORD}", f"ls -la {credentials.FOLDER}")


CHECKS = (
    Check(
        "settings-readable", "configuration", "The service can read its settings.", Status.CRITICAL, _readable,
        "chown root:weather /etc/weather/weather.env && chmod 0640 /etc/weather/weather.env",
    ),
    Check(
        "settings-valid", "configuration", "Every setting has a value that can be used.", Status.CRITICAL, _valid,
        "weather-tool settings", ("settings-readable",),
    ),
    Check(
        "settings-known", "configuration", "Every setting has a name that this release knows.", Status.WARNING, _known,
        "weather-tool settings",
    ),
    Check(
        "settings-same", "configuration", "Who asks has the settings that the service has.", Status.WARNING, _same,
        "env | grep ^WEATHER_",
    ),
    Check(
        "settings-in-force", "configuration", "The collector runs with the settings as they are now.", Status.WARNING,
        _in_force, _AGAIN, ("settings-valid", "settings-known"),
    ),
    Check(
        "jobs-listed", "configuration", "It is written down which jobs this host has.", Status.WARNING, _jobs,
        ANSIBLE,
    ),
    Check(
        "database-password", "configuration", "The password of the database is where units get it from.",
        Status.WARNING, _password, "ls -la /etc/weather/credentials",
    ),
)  # fmt: skip

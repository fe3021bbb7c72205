"""Checks of owners and modes: what is private, and that the service cannot change its own code."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from toolkit.checks import Check, Finding, Status, bad, check, good, unseen
from toolkit.checks.as_deployed import given
from toolkit.checks.closed import closed
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import COPIES, CRON_TABLE, CURRENT, ETC, PACKAGES, USER
from toolkit.checks.host.files import mode_of, owner_of
from toolkit.checks.host.systemd import UNITS
from toolkit.checks.remedies import AsRoot, OnController, Sequence, Shell, allow, give, make, root_owns

COMMAND = Path("/usr/local/bin/weather-tool")

Place: TypeAlias = Callable[[Host], Path | None]


def _private(
    name: str, invariant: str, problem: str, place: Place, allowed: int, owner: str, caused_by: tuple[str, ...] = ()
) -> Check:
    """A check that others than the owner have no more access to a place than the mode `allowed`."""

    @check(
        id=name, area="permissions", invariant=invariant, problem=problem, severity=Status.WARNING,
        remedy=OnController(), caused_by=(*caused_by, "service-user", "files-alone"),
    )  # fmt: skip
    def probe(host: Host) -> Finding | None:
        path = place(host)
        if path is None or not host.deployed:
            return None
        try:
            found = host.look(path)
        except PermissionError:
            return unseen(f"{path} may not be looked at by this user")
        if found is None:
            return None
        mode = allowed | (found.st_mode & (0o700 if stat.S_ISDIR(found.st_mode) else 0o600))
        mend = give(path, mode) if owner == USER else root_owns(path, mode, USER if allowed else "root")
        if found.st_mode & 0o077 & ~allowed:
            return bad(f"others may use {path}: mode {mode_of(found)}", mend)
        if owner_of(found) != owner:
            return bad(f"{path} is {owner_of(found)}'s, not {owner}'s", mend)
        return good(f"{path}, {mode_of(found)}")

    return probe


def _sqlite(host: Host) -> Path | None:
    return None if host.on_server else host.db


def _data(host: Host) -> Path | None:
    return None if host.on_server else host.db.parent


def _backups(host: Host) -> Path:
    return Path(host.settings.backups)


database_private = _private(
    "database-private", "Only the service reads the database's file.", "Others may read the database's file.",
    _sqlite, 0, USER, ("places-plain", "database-owner"),
)  # fmt: skip
data_folder_private = _private(
    "data-folder-private", "Only the service looks into the folder of the database.",
    "Others may look into the folder of the database.", _data, 0, USER,
    ("places-plain", "data-folder", "database-named"),
)  # fmt: skip
backups_private = _private(
    "backups-private", "Only the service reads backups.", "Others may read backups.",
    _backups, 0, USER, ("places-plain", "backup-folder"),
)  # fmt: skip
settings_private = _private(
    "settings-private", "Settings are root's to change, and the service's to read.",
    "Others than root and the service may use the settings.",
    lambda _host: ETC / "weather.env", 0o040, "root", ("settings-readable",),
)  # fmt: skip
credentials_private = _private(
    "credentials-private", "Secrets are root's alone.", "Others than root may read secrets.",
    lambda _host: ETC / "credentials", 0, "root",
)  # fmt: skip


# What root runs or reads for the service, and what tells the service what to do.
_OF_ROOT = (
    COMMAND, COMMAND.with_name("weather-job"), COMMAND.with_name("weather-backup.sh"), ETC / "weather.env",
    ETC / "sources.toml", ETC / "jobs.json", CRON_TABLE, COPIES / "folders",
)  # fmt: skip


@check(
    id="roots-places", area="permissions",
    invariant="What root runs, and what tells the service what to do, is root's alone to change.",
    problem="Others than root may change what root runs, or what tells the service what to do.",
    severity=Status.WARNING, remedy=OnController(), caused_by=("settings-private", "code-read-only", "cron-table"),
)  # fmt: skip
def roots_places(host: Host) -> Finding | None:
    if not host.deployed or host.user is None:
        return None
    files = [*_OF_ROOT, *UNITS.glob("weather-*")]
    places = dict.fromkeys(place for file in files for place in (file, *file.parents))
    for place in sorted(places, key=lambda one: len(one.parts)):
        try:
            found = place.lstat()
        except OSError:
            continue
        if stat.S_ISLNK(found.st_mode) and not found.st_uid:
            continue  # its mode says nothing
        ours = found.st_mode & 0o020 and found.st_gid == host.user.pw_gid
        if found.st_uid or ours or (found.st_mode & 0o002 and not found.st_mode & stat.S_ISVTX):
            said = f"{place} is {owner_of(found)}'s, mode {mode_of(found)}: others than root may change it"
            return bad(said, Sequence(AsRoot("chown -h root {}", place), allow("go-w", place)))
    if gained := _gains(Path(os.path.realpath("/usr/bin/python3"))):
        return gained
    return good(f"{len(places)} files and folders are root's alone to change")


def _gains(program: Path) -> Finding | None:
    """The finding that whoever runs a program gains capabilities by it (capabilities(7))."""
    try:
        os.getxattr(program, "security.capability")
    except OSError:
        return None
    return bad(f"{program} has file capabilities: whoever runs Python has them", Shell("setcap -r {}", program))


@check(
    id="code-read-only", area="permissions",
    invariant="The service cannot change its own code.",
    problem="Others than root may change the service's code.",
    severity=Status.WARNING, remedy=Shell("ls -la /opt/weather/current/"),
)  # fmt: skip
def code_read_only(host: Host) -> Finding | None:
    if not host.deployed or host.look(CURRENT) is None:
        return None
    above = [CURRENT.parent, CURRENT.resolve().parent, PACKAGES, *PACKAGES.glob("*")]
    for path in (
        *above,
        CURRENT.resolve(),
        CURRENT / "bin",
        CURRENT / "bin/weather-tool",
        *CURRENT.glob("lib/python*/site-packages/toolkit"),
    ):
        found = host.look(path)
        if found and (found.st_uid or found.st_mode & 0o022):
            folder = path in above
            place = path if folder else CURRENT.resolve()
            return bad(
                f"others than root may change the code: {path} is {owner_of(found)}'s, mode {mode_of(found)}",
                Sequence(
                    AsRoot(f"chown -h{'' if folder else 'R'} root:root {{}}", place),
                    allow("go-w", place) if folder else Shell("chmod -R go-w {}", place),
                ),
            )
    return good("the code is root's alone to change")


@check(
    id="reports-folder", area="permissions",
    invariant="Detection reports can be written.",
    problem="The service user cannot write detection reports.",
    severity=Status.WARNING, remedy=AsRoot("install -d -o weather -g weather -m 0750 /var/log/weather/reports"),
    caused_by=(
        "service-user", "places-open", "places-plain", "disk-logs-writable", "settings-valid", "files-alone",
    ),
)  # fmt: skip
def reports_folder(host: Host) -> Finding | None:
    folder = Path(host.settings.reports)
    if not host.deployed or host.user is None:
        return None
    if above := closed(host, folder):
        return above
    found = host.look(folder)
    if found is None:
        return bad(f"there is no folder {folder}", make(folder, 0o750, above_is_ours=host.is_ours(folder.parent)))
    if found.st_uid != host.user.pw_uid or found.st_mode & 0o700 != 0o700:
        said = f"the service user cannot write to {folder}: {owner_of(found)}'s, mode {mode_of(found)}"
        return bad(said, given(folder, 0o750))
    return good(f"{folder} is the service user's")

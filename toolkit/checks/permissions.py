"""Checks of owners and modes: private is what is to be private, and code is not the service's to change."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from toolkit.checks import Check, Finding, Status, bad, good, unseen
from toolkit.checks.host import ANSIBLE, CURRENT, ETC, USER, Host, mode_of, owner_of
from toolkit.checks.mending import given, made, quoted


def _private(place: Callable[[Host], Path | None], allowed: int, owner: str, host: Host) -> Finding | None:
    """Whether others than the owner have no more access than `allowed`."""
    path = place(host)
    if path is None or not host.deployed:
        return None
    try:
        found = host.look(path)
    except PermissionError:
        return unseen(f"{path} may not be looked at by this user")
    if found is None:
        return None
    group = "root" if owner == "root" and not allowed else USER
    mode = allowed | (found.st_mode & 0o700)
    mend = given(path, mode) if owner == USER else (
        f"chown -h {owner}:{group} {quoted(path)} && chmod {mode:04o} {quoted(path)}"
    )  # fmt: skip
    if found.st_mode & 0o077 & ~allowed:
        return bad(f"others may use {path}: mode {mode_of(found)}", mend)
    if owner_of(found) != owner:
        return bad(f"{path} is {owner_of(found)}'s, not {owner}'s", mend)
    return good(f"{path}, {mode_of(found)}")


def _code(host: Host) -> Finding | None:
    if not host.deployed or host.look(CURRENT) is None:
        return None
    for path in (
        CURRENT.parent,
        CURRENT.resolve(),
        CURRENT / "bin",
        CURRENT / "bin/weather-tool",
        *CURRENT.glob("lib/python*/site-packages/toolkit"),
    ):
        found = host.look(path)
        if found and (found.st_uid or found.st_mode & 0o022):
            return bad(
                f"others than root may change the code: {path} is {owner_of(found)}'s, mode {mode_of(found)}",
                f"chown -hR root:root {quoted(CURRENT.resolve())} && chmod -R go-w {quoted(CURRENT.resolve())}",
            )
    return good("the code is root's alone to change")


def _reports(host: Host) -> Finding | None:
    folder = Path(host.settings.reports)
    if not host.deployed or host.user is None:
        return None
    found = host.look(folder)
    if found is None:
        return bad(f"there is no folder {folder}", made(host, folder, 0o750))
    if found.st_uid != host.user.pw_uid or found.st_mode & 0o700 != 0o700:
        return bad(
            f"the service user cannot write to {folder}: {owner_of(found)}'s, mode {mode_of(found)}",
            given(folder, 0o750),
        )
    return good(f"{folder} is the service user's")


def _check(
    name: str,
    guards: str,
    place: Callable[[Host], Path | None],
    allowed: int,
    owner: str,
    because: tuple[str, ...] = (),
) -> Check:
    probe = partial(_private, place, allowed, owner)
    return Check(name, "permissions", guards, Status.WARNING, probe, ANSIBLE, because)


CHECKS = (
    _check("database-private", "Only the service reads the database's file.",
           lambda host: None if host.is_postgresql else host.db, 0, USER, ("places-plain", "database-owner")),
    _check("data-folder-private", "Only the service looks into the folder of the database.",
           lambda host: None if host.is_postgresql else host.db.parent, 0, USER, ("places-plain", "data-folder")),
    _check("backups-private", "Only the service reads backups.",
           lambda host: Path(host.settings.backups), 0, USER, ("places-plain", "backup-folder")),
    _check("settings-private", "Settings are root's to change, and the service's to read.",
           lambda _host: ETC / "weather.env", 0o040, "root", ("settings-readable",)),
    _check("credentials-private", "Secrets are root's alone.", lambda _host: ETC / "credentials", 0, "root"),
    Check("code-read-only", "permissions", "The service cannot change its own code.", Status.WARNING, _code,
          "ls -la /opt/weather/current/"),
    Check("reports-folder", "permissions", "Detection reports can be written.", Status.WARNING, _reports,
          "install -d -o weather -g weather -m 0750 /var/log/weather/reports", ("places-plain", "disk-logs-writable")),
)  # fmt: skip

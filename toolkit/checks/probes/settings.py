"""Checks of the settings."""

from __future__ import annotations

import codecs
import os
import re
import stat
from dataclasses import replace
from pathlib import Path

from toolkit import credentials, envfile
from toolkit.checks import Finding, Status, bad, check, good, unseen
from toolkit.checks.as_deployed import difference, mended
from toolkit.checks.closed import closed
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import JOBS_FILE, USER, copy_of
from toolkit.checks.host.files import mode_of, owner_of
from toolkit.checks.host.systemd import COLLECTOR, seconds_since
from toolkit.checks.host_as_deployed import kept, put_back
from toolkit.checks.remedies import (
    AsRoot,
    EditSettings,
    OnController,
    Remedy,
    Restart,
    Sequence,
    Shell,
    Tool,
    allow,
    put_aside,
    root_owns,
)
from toolkit.credentials import Credential
from toolkit.envfile import EnvironmentFileError
from toolkit.schedules import lacking
from toolkit.settings import CREDENTIALS, DECLARATIONS, Source

# A service reads the settings when it is started.
_AGAIN = Restart("collector")
_SHOW = Tool("settings")
# What a shell, or a tool for templates, would have replaced.
_UNEXPANDED = re.compile(r"~|/?\$\{?\w|.*(\{\{|\$\{|\$\(|<%)")
_SECRETS = Shell("ls -la {}", credentials.FOLDER)


@check(
    id="settings-readable", area="configuration",
    invariant="The service can read its settings.",
    problem="The service cannot read its settings.",
    severity=Status.CRITICAL, remedy=Sequence(
        AsRoot("chown -h root:weather /etc/weather/weather.env"), Shell("chmod 0640 /etc/weather/weather.env")
    ),
    caused_by=("service-user", "places-open", "files-alone"),
)  # fmt: skip
def settings_readable(host: Host) -> Finding | None:
    file = host.settings_file
    if host.deployed and (above := host.closed_above(file)):
        return bad(
            f"the service user may not pass {above}: {owner_of(above.stat())}'s, mode {mode_of(above.stat())}",
            Sequence(allow("g+rx", above), Shell("chgrp -h weather {}", above), _AGAIN),
        )
    if host.deployed and file.is_symlink() and not os.access(file, os.R_OK):
        target = file.readlink()
        return bad(f"{file} is a link to {target}, which the service user cannot read", _put_back(host, file))
    try:
        found = host.look(file)
    except PermissionError:
        return unseen(f"{file} may not be looked at by this user")
    if found is None:
        if not host.deployed:
            return None
        return bad(f"there is no {file}: every setting is at its default", mended(host, file))
    if host.deployed and not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "no ordinary file"
        if file.is_symlink():
            what = f"a link to {file.readlink()}"
        return bad(
            f"{file} is {what}, in the place of the settings: every setting is at its default",
            _put_back(host, file),
        )
    if host.user and os.geteuid() != host.user.pw_uid and os.geteuid() != 0 and not os.access(file, os.R_OK):
        return unseen(f"{file} may not be read by this user")
    group_reads = found.st_mode & 0o040 and host.user and found.st_gid == host.user.pw_gid
    if host.deployed and host.user and not group_reads and not found.st_mode & 0o004:
        return bad(
            f"the service user cannot read {file}",
            Sequence(root_owns(file, 0o640, USER), _AGAIN),
        )
    return good(f"{file}")


def _put_back(host: Host, file: Path) -> Remedy:
    """Put a file back as it was deployed, in the place of something that is no file."""
    if copy_of(file).exists():
        return mended(host, file)
    return Sequence(put_aside(file), note="then site.yml again")


@check(
    id="settings-valid", area="configuration",
    invariant="Every setting has a value that can be used.",
    problem="A setting has a value that cannot be used.",
    severity=Status.CRITICAL, remedy=_SHOW, caused_by=("settings-readable", "places-open", "files-alone"),
)  # fmt: skip
def settings_valid(host: Host) -> Finding:
    problems = host.loaded.problems
    if not problems and host.sources_problem:
        return bad(host.sources_problem, Sequence(OnController(), _AGAIN))
    if not problems and (file := host.settings.feed_ca_file) and not os.access(file, os.R_OK):
        without = EditSettings("/^WEATHER_FEED_CA_FILE=/s/^/# /", host.settings_file)
        return _unreadable(host, Path(file), f"WEATHER_FEED_CA_FILE={file}", Sequence(without, _AGAIN))
    for one in () if problems else host.sources:
        for field in ("ca_file", "stations"):
            file = getattr(one.settings, f"feed_{field}")
            if file != getattr(host.settings, f"feed_{field}") and not os.access(file, os.R_OK):
                return _unreadable(host, Path(file), f"source {one.name}: {field} = {file}", None)
    if not problems and (
        name := next((one for one, was in host.loaded.origins.items() if _UNEXPANDED.match(was.text)), "")
    ):
        origin = host.loaded.origins[name]
        change = EditSettings(f"{origin.line}s/^/# /", host.settings_file)
        return bad(
            f"{DECLARATIONS[name].variable}={origin.text!r} ({origin.place}): nothing replaces what stands for a value",
            Sequence(change, _AGAIN) if origin.line else None,
        )
    if not problems:
        return good("every setting can be used")
    if not all(one.setting for one in problems) and (unread := _unread(host)):
        return bad("; ".join(map(str, problems)), unread)
    remedy = None
    if lines := [one.line for one in problems if one.line]:
        remedy = _without(host, "; ".join(f"{line}s/^/# /" for line in lines), lines)
    return bad("; ".join(map(str, problems)), remedy)


def _unreadable(host: Host, file: Path, said: str, without: Remedy | None) -> Finding:
    """The finding that the service cannot read a file that a setting names; `without` takes the setting away."""
    if above := closed(host, file, _AGAIN):
        return replace(above, evidence=f"{said}: {above.evidence}")
    if not os.path.lexists(file):
        if os.path.lexists(kept(file)):
            return bad(f"{said}: it is gone since the deployment", Sequence(put_back(file), _AGAIN))
        return bad(f"{said}: there is no such file", without)
    found = file.lstat()
    said += f": the service user cannot read it: {owner_of(found)}'s, mode {mode_of(found)}"
    return bad(said, Sequence(allow("a+r", file), _AGAIN))


def _without(host: Host, marks: str, lines: list[int]) -> Remedy:
    """Make comments of lines; where nothing else was changed since the deployment, put the file back."""
    try:
        text = host.settings_file.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        text = []
    names = {text[line - 1].strip().partition("=")[0] for line in lines if line <= len(text)}
    changed = difference(host.settings_file)
    if changed and changed.lines and {line.partition("=")[0] for line in changed.lines} <= names:
        return mended(host, host.settings_file)
    return Sequence(EditSettings(marks, host.settings_file), _AGAIN)


def _unread(host: Host) -> Remedy | None:
    """What makes a file of settings readable of which a line is no assignment; None where it is none of the lines."""
    file = host.settings_file
    try:
        text, wrong = file.read_bytes(), envfile.wrong_lines(file)
    except (OSError, EnvironmentFileError):
        return None
    if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # of an editor of Windows
        anew = Shell("iconv -f UTF-16 -t UTF-8 {0} > {0}.utf-8 && cat {0}.utf-8 > {0} && rm {0}.utf-8", file)
        return Sequence(anew, _AGAIN)
    if text.startswith(codecs.BOM_UTF8):
        return Sequence(EditSettings(r"1s/^\xef\xbb\xbf//", file), _AGAIN)
    if b"\n=======" in text and b"\n>>>>>>>" in text:  # what the file had before the merge stays
        return Sequence(EditSettings(r"/^[=|]\{7\}/,/^>>>>>>>/d; /^<<<<<<</d", file), _AGAIN)
    return _without(host, "; ".join(f"{line}s/^/# /" for line in wrong), wrong) if wrong else None


@check(
    id="settings-known", area="configuration",
    invariant="Every setting has a name that this release knows.",
    problem="A setting has a name that this release does not know.",
    severity=Status.WARNING, remedy=_SHOW,
)  # fmt: skip
def settings_known(host: Host) -> Finding:
    unknown = host.loaded.unknown
    if not unknown:
        return good("every name is a setting's")
    first, remedy = unknown[0], None
    deployed = difference(host.settings_file)
    if deployed and not any(line.startswith(f"{first.nearest}=") for line in deployed.lines):  # it was added by hand
        remedy = Sequence(EditSettings(f"/^{first.name}=/s/^/# /", host.settings_file), _AGAIN)
    elif first.nearest and first.origin.line:
        remedy = Sequence(EditSettings(f"s/^{first.name}=/{first.nearest}=/", host.settings_file), _AGAIN)
    return bad("; ".join(map(str, unknown)), remedy)


@check(
    id="settings-once", area="configuration",
    invariant="Every setting is set once.",
    problem="A setting is set more than once, and the last line counts.",
    severity=Status.WARNING, remedy=_SHOW, caused_by=("settings-readable", "settings-valid"),
)  # fmt: skip
def settings_once(host: Host) -> Finding:
    try:
        found = envfile.read(host.settings_file)
    except EnvironmentFileError as error:
        return unseen(str(error))
    twice = {name: (*one.before, one.line) for name, one in found.items() if one.before}
    if not twice:
        return good("every setting is set once")
    said = "; ".join(f"{name} in lines {', '.join(map(str, lines))}" for name, lines in twice.items())
    # The deployment writes each name once: what comes later was added by hand.
    marks = "; ".join(f"{line}s/^/# /" for lines in twice.values() for line in lines[1:])
    every = [line for lines in twice.values() for line in lines]
    return bad(f"{said}: the last line counts", _without(host, marks, every))


@check(
    id="settings-same", area="configuration",
    invariant="Whoever asks has the settings that the service has.",
    problem="This shell has other settings than the service.",
    severity=Status.WARNING, remedy=Shell("env | grep ^WEATHER_"),
)  # fmt: skip
def settings_same(host: Host) -> Finding | None:
    if not host.deployed or "INVOCATION_ID" in os.environ:
        return None
    given = {name: one for name, one in host.loaded.origins.items() if one.source is Source.ENVIRONMENT}
    names = sorted(name for name in os.environ if name.startswith("WEATHER_") and name != "WEATHER_LOG")
    if given and names:
        said = ", ".join(f"{name}={os.environ[name]}" for name in names)
        return bad(
            f"this shell sets {said}, which the service has not: what is said here is not of the service",
            Shell("unset {}", names),
        )
    return good("what is said here is of the service's settings")


@check(
    id="settings-of-units", area="configuration",
    invariant="Units have the addresses in the credentials that people have.",
    problem="A credential is there that no unit has: people are told of another feed than the service's.",
    severity=Status.WARNING, remedy=_SECRETS,
)  # fmt: skip
def settings_of_units(host: Host) -> Finding | None:
    unit = host.unit(COLLECTOR)
    if unit is None or "INVOCATION_ID" in os.environ:
        return None
    for name, origin in host.loaded.origins.items():
        if origin.source is Source.CREDENTIAL and f"{CREDENTIALS[name]}:" not in unit["LoadCredential"]:
            file = credentials.FOLDER / CREDENTIALS[name]
            return bad(
                f"{file} overrides {DECLARATIONS[name].variable} for who calls weather-tool; it is handed to no unit",
                put_aside(file),
            )
    return good("units have the credentials that people have")


@check(
    id="settings-in-force", area="configuration",
    invariant="The collector runs with the settings as they are now.",
    problem="The settings were changed after the collector was started.",
    severity=Status.WARNING, remedy=_AGAIN, caused_by=("settings-valid", "settings-known", "files-alone"),
)  # fmt: skip
def settings_in_force(host: Host) -> Finding | None:
    unit = host.unit(COLLECTOR)
    if unit is None or unit["ActiveState"] != "active":
        return None
    started = host.now - seconds_since("ActiveEnter", unit)
    for file in (host.settings_file, *map(Path, filter(None, [host.settings.sources_file]))):
        if (found := host.look(file)) and found.st_mtime > started + 60:
            return bad(f"the settings were changed after the collector was started: {file}")
    return good("the collector runs with the present settings")


@check(
    id="jobs-listed", area="configuration",
    invariant="The list of this host's jobs is there, and has those that a database of its own needs.",
    problem="The list of this host's jobs is missing, or lacks a job that it needs.",
    severity=Status.WARNING, remedy=OnController(), caused_by=("settings-readable", "files-alone"),
)  # fmt: skip
def jobs_listed(host: Host) -> Finding | None:
    if not host.deployed:
        return None
    if (found := host.look(JOBS_FILE)) and not found.st_mode & 0o004:
        return bad(
            f"the service user cannot read {JOBS_FILE}: {owner_of(found)}'s, mode {mode_of(found)}",
            root_owns(JOBS_FILE, 0o644, USER),
        )
    if found is None:
        return bad(f"there is no {JOBS_FILE}", mended(host, JOBS_FILE))
    if not host.jobs:
        return bad(f"{JOBS_FILE} does not say what is to run here")
    if not host.on_server and (without := lacking(host.jobs)):
        return bad(
            f"{JOBS_FILE} was deployed without jobs that this host needs: {without}",
            OnController("the inventory combines weather_jobs with weather_default_jobs"),
        )
    return good(f"{len(host.jobs)} jobs")


@check(
    id="database-password", area="configuration",
    invariant="The password of the database is where units get it from.",
    problem="The password of the database is missing where units get it from.",
    severity=Status.WARNING, remedy=_SECRETS,
)  # fmt: skip
def database_password(host: Host) -> Finding | None:
    if not host.on_server or not host.deployed:
        return None
    if credentials.path(Credential.POSTGRESQL_PASSWORD):
        return good("the credential is there")
    if not os.access(credentials.FOLDER, os.X_OK):
        return unseen("credentials are root's: sudo weather-tool doctor")
    file = credentials.FOLDER / Credential.POSTGRESQL_PASSWORD
    return bad(
        f"there is no credential {Credential.POSTGRESQL_PASSWORD}",
        mended(host, file) if copy_of(file).exists() else _SECRETS,
    )

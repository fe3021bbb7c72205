"""The check that every file of the role is as it was deployed, and that nothing beside them changes what they say.

Other checks tell what a change does, and come first; this one is the net below them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.as_deployed import Difference, differences, files, folders, mended
from toolkit.checks.causes import BACKUP_DISK, DATABASE, DISK, FEED, OF_UNITS
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import COPIES, CRON_TABLE, ETC, JOBS_FILE
from toolkit.checks.host.systemd import UNITS
from toolkit.checks.host_as_deployed import since
from toolkit.checks.remedies import OfSystemd, OnController, Restart, Sequence
from toolkit.checks.unit_files import is_harmless, lines_of

# How many files one finding names and puts back; the others are told by the next.
MOST = 5
# Where systemd looks for what is added to a unit, besides its own folders; and for a unit in the place of ours.
_DROPPED = tuple(Path(folder, "systemd/system") for folder in ("/etc", "/run", "/usr/local/lib"))
_ABOVE = tuple(map(Path, ("/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient")))
# What a changed file can make fail, by the beginning of the file's, the setting's or the secret's name.
_OF_FEED = frozenset((
    *FEED, "feed-complete", "feed-stations", "feed-variables", "collection-succeeds", "observations-fresh",
    "stations-reporting", "sources-told", "sources-fresh", "collector-running",
))  # fmt: skip
_OF_DATABASE = frozenset((
    *DATABASE, *DISK, "database-server", "database-readable", "database-continues", "spool-usable", "spool-empty",
    "observations-fresh", "collector-running", "collection-succeeds",
))  # fmt: skip
_OF_BACKUPS = frozenset((
    *BACKUP_DISK, "backup-succeeds", "backup-recent", "backup-whole", "backup-own", "drill-well", "drill-recent",
    "offsite-possible", "offsite-whole",
))  # fmt: skip
_OF_COMMANDS = ("weather-tool", "weather-job")
_TROUBLES = {
    "feed": _OF_FEED, "source": _OF_FEED, "cadence": _OF_FEED, "db": _OF_DATABASE, "spool": _OF_DATABASE,
    "postgresql": _OF_DATABASE, "backup": _OF_BACKUPS, "restic": _OF_BACKUPS, "offsite": _OF_BACKUPS,
    "api": frozenset(("api-running", "api-answers")), "console": frozenset(("api-running", "api-answers")),
    "metrics": frozenset(("exporter-running", "exporter-answers")), "notify": frozenset(("people-told",)),
    "apprise": frozenset(("people-told", "people-named")), "cluster": frozenset(("cluster-answers",)),
    "fresh": frozenset(("observations-fresh", "stations-reporting")),
    "reports": frozenset(("detector-succeeds", "detection-recent")),
    "detection": frozenset(("detector-succeeds", "detection-recent")),
}  # fmt: skip
# What can have changed files of one kind alone: of the settings, units, secrets, programs, cron's table, and folders.
_CAUSES_OF = {
    "settings": (
        "settings-readable", "settings-valid", "settings-known", "settings-once", "settings-fit", "settings-private",
        "database-named", "jobs-listed", "exceptions-current",
    ),
    "units": (
        "units-present", "units-genuine", "units-as-deployed", "units-hardened", "units-may-write", "units-at-boot",
        "ports-closed", "collector-enabled", "exporter-enabled", "api-enabled", "detector-timer", "healthcheck-timer",
        "backup-timer", "restore-drill-timer", "maintenance-timer", "notify-timer",
    ),
    "secrets": ("settings-of-units", "credentials-private", "database-password"),
    "programs": ("command-present", "commands-genuine"),
    "cron": ("cron-table",),
    "folders": (
        "data-folder", "data-folder-private", "backups-private", "reports-folder", "backup-folder", "code-read-only",
    ),
}  # fmt: skip
# What changes owners and modes, and no file's text.
_OF_OWNERS = frozenset((
    "settings-readable", "settings-private", "credentials-private", "service-user", "places-open", "roots-places",
    "data-folder-private", "backups-private", "code-read-only",
))  # fmt: skip
_OF_TEXT = ("was changed", "is another", "is not as", "is empty")


@check(
    id="files-as-deployed", area="service",
    invariant="Every file and folder of the deployment is as it was deployed: there, unchanged, its owner's.",
    problem="A file or folder of the deployment is not as it was deployed.",
    severity=Status.WARNING, remedy=OnController(),
    caused_by=(
        "release-current", "command-present", "commands-genuine", "system-places", "settings-readable",
        "settings-valid", "settings-known", "settings-once", "settings-of-units", "settings-fit", "settings-private",
        "credentials-private", "database-named", "database-password", "jobs-listed", "jobs-alone", "files-alone",
        "service-user",
        "places-plain", "places-open", "roots-places", "data-folder", "data-folder-private", "backups-private",
        "reports-folder", "backup-folder", "code-read-only", "units-present", "units-genuine", "units-as-deployed",
        "units-hardened", "units-may-write", "units-at-boot", "ports-closed", "cron-table", "collector-enabled",
        "exporter-enabled", "api-enabled", "detector-timer", "healthcheck-timer", "backup-timer",
        "restore-drill-timer", "maintenance-timer", "notify-timer", "folders-bounded", "exceptions-current",
    ),
)  # fmt: skip
def files_as_deployed(host: Host) -> Finding | None:
    if not host.deployed or not files():
        if host.deployed and since() is not None:
            return bad(f"the copies of what was deployed are gone: {COPIES} is not there, or empty")
        return None
    by_root = _seen_by_root(host)
    seen = {one.path for one in by_root}
    if found := [*(one for one in differences() if one.path not in seen), *by_root]:
        said = "; ".join(f"{one.path} {one.said}" for one in found[:MOST])
        more = f"; and {len(found) - MOST} others" if len(found) > MOST else ""
        return Finding(
            False, f"{said}{more}", mended(host, *(one.path for one in found[:MOST])), explains=_troubled(found),
            apart=frozenset().union(*map(_apart, found)),
        )  # fmt: skip
    for unit, file, words in _beside():
        away = OfSystemd("rm -- {}", file)
        services = [
            name for name in host.services if unit in {f"weather-{name}.service", "service", "weather-.service"}
        ]
        again = [Restart(*services)] if services else []
        timers = [OfSystemd("systemctl restart {}", unit)] if unit.endswith(".timer") and unit in host.units else []
        return Finding(
            False, f"{file} changes {unit}, and was not deployed: {words}",
            Sequence(away, OfSystemd("systemctl daemon-reload"), *again, *timers), explains=OF_UNITS,
        )  # fmt: skip
    return good(f"{len(files())} files are as they were deployed")


def _seen_by_root(host: Host) -> list[Difference]:
    """What differs in files that only root reads; /usr/local/bin/weather-tool compares those."""
    return [Difference(path, said) for path, said in host.compared_by_root]


def _kind(path: Path) -> str:
    """What a file or folder of the deployment is, as `_CAUSES_OF` has it; empty for none of them."""
    if path.parent.name == "credentials":
        return "secrets"
    if path.name in _OF_COMMANDS:
        return "programs"
    if any(one.path == str(path) for one in folders()):
        return "folders"
    return {CRON_TABLE: "cron", ETC / path.name: "settings", UNITS / path.name: "units"}.get(path, "")


def _apart(one: Difference) -> frozenset[str]:
    """The causes of this check that cannot have made a difference: those of other files, and of owners alone."""
    kind = _kind(one.path)
    others = {name for its, names in _CAUSES_OF.items() if its != kind for name in names}
    return frozenset(others | (_OF_OWNERS if one.said.startswith(_OF_TEXT) else set()))


def _troubled(found: list[Difference]) -> frozenset[str]:
    """The checks whose failures the differences explain."""
    ids: set[str] = set()
    for one in found:
        if one.path.parent == UNITS or one.path in {CRON_TABLE, JOBS_FILE} or one.path.name in _OF_COMMANDS:
            ids |= OF_UNITS
        elif one.path.is_relative_to(ETC):
            names = [name.lower() for line in one.lines for name in re.findall(r"^WEATHER_(\w+)", line)]
            if one.path.parent.name == "credentials" or one.path.name == "sources.toml":
                names = [one.path.name]
                ids |= OF_UNITS  # a unit is not started without one that it names
            elif one.path.name == "weather.env" and not names:  # it is gone, or empty
                names = list(_TROUBLES)
            for name in names:
                ids |= next((these for begins, these in _TROUBLES.items() if name.startswith(begins)), frozenset())
    return frozenset(ids)


def _beside() -> Iterator[tuple[str, Path, str]]:
    """Files that change units of ours and were not deployed: the unit, the file, and what it says."""
    units = [path.name for path in files() if path.parent == UNITS]
    kinds = [kind for kind in ("service", "timer") if any(name.endswith(f".{kind}") for name in units)]
    names = [*units, *(f"{name.partition('@')[0]}@.service" for name in units if "@" in name)]
    names += [name for kind in kinds for name in (f"weather-.{kind}", kind)]
    for name in dict.fromkeys(names):
        for folder in (*_DROPPED, *_ABOVE):
            for file in sorted((folder / f"{name}.d").glob("*.conf")):
                if lines := [line for line in lines_of(file) if not is_harmless(line, UNITS / name)]:
                    yield name, file, "; ".join(f"{line.key}={line.value}" for line in lines[:4])
    for name in units:
        for folder in _ABOVE:
            if (folder / name).exists():
                yield name, folder / name, f"it is in the place of {UNITS / name}"

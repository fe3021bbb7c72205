"""Checks that nothing else on the host is set up to remove or change the service's files, or to end its processes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import CRON_TABLE, CURRENT, ETC
from toolkit.checks.host.systemd import UNITS
from toolkit.checks.remedies import AllTimers, Shell

CRONTAB = Path("/etc/crontab")
CRON_FOLDERS = tuple(Path("/etc", name) for name in ("cron.d", "cron.hourly", "cron.daily", "cron.weekly"))
TMPFILES = (Path("/etc/tmpfiles.d"), Path("/run/tmpfiles.d"))
LOGROTATE = Path("/etc/logrotate.d")
LARGEST_FILE = 1 << 20
MOST_FILES = 500

# Commands that remove or change the files that they name.
_CHANGES = re.compile(
    r"\b(rm|unlink|shred|truncate|mv|chown|chgrp|chmod|chattr|setfacl|tmpreaper|tmpwatch)\s|\brsync\b.*--delete|"
    r"\bfind\b.*(-delete|-exec)"
)
_ENDS = re.compile(
    r"\b(pkill|killall)\b.*(weather|toolkit)|\bsystemctl\s+(stop|disable|mask|kill)\b.*weather-|weather-job\s+--stop"
)
_PATH = re.compile(r"(?<![\w./-])/[^\s'\";,&|()<>]*")
# Folders of which everybody's programs remove something: naming one of them means nothing for what is below it.
_OF_ALL = set(map(Path, ("/", "/etc", "/opt", "/tmp", "/var", "/var/lib", "/var/log", "/var/tmp")))  # noqa: S108
# What systemd-tmpfiles removes, or what it empties or changes: tmpfiles.d(5).
_REMOVES = {"r", "R", "D"}
_AGED = {"d", "D", "e", "v", "q", "Q", "C"}
_SETS = {"z", "Z"}


@check(
    id="files-alone", area="service",
    invariant="Nothing else on the host is set up to remove or change the service's files, or to end its processes.",
    problem="Something else on the host removes or changes the service's files, or ends its processes.",
    severity=Status.WARNING, remedy=AllTimers(), caused_by=("jobs-alone", "units-alone"),
)  # fmt: skip
def files_alone(host: Host) -> Finding | None:
    if not host.deployed:
        return None
    places = _places(host)
    for file, line in (*_of_cron(places), *_of_units(places), *_of_tmpfiles(places), *_of_logrotate(places)):
        return bad(
            f"{file} is set up to do this to the service's files or processes: {line.strip()[:120]!r}",
            Shell("mv -- {} {}", file, f"/root/{file.name}.weather"),
        )
    return good("nothing else on the host is set up to change the service's files")


def _places(host: Host) -> list[Path]:
    settings = host.settings
    places = [host.spool, Path(settings.backups), Path(settings.reports), CURRENT.parent, ETC]
    return places if host.on_server else [host.db.parent, *places]


def _of_cron(places: list[Path]) -> Iterator[tuple[Path, str]]:
    for file in (CRONTAB, *(path for folder in CRON_FOLDERS for path in _files(folder))):
        if file != CRON_TABLE:
            yield from ((file, line) for line in _lines(file) if _harms(line, places))


def _of_units(places: list[Path]) -> Iterator[tuple[Path, str]]:
    for file in _files(UNITS):
        if file.suffix == ".service" and not file.name.startswith("weather-"):
            yield from (
                (file, line) for line in _lines(file) if line.lstrip().startswith("Exec") and _harms(line, places)
            )


def _of_tmpfiles(places: list[Path]) -> Iterator[tuple[Path, str]]:
    for file in (path for folder in TMPFILES for path in _files(folder)):
        for line in _lines(file):
            kind, path, *rest = (*line.split(), "", "")
            letter, age = kind[:1], rest[3] if len(rest) > 3 else "-"
            removes = letter in _REMOVES or (letter in _AGED and age not in {"", "-"}) or letter in _SETS
            if removes and _touches(path, places):
                yield file, line


def _of_logrotate(places: list[Path]) -> Iterator[tuple[Path, str]]:
    for file in _files(LOGROTATE):
        if file.name != CRON_TABLE.name:
            for line in _lines(file):
                names = line.partition("{")[0].split()
                if any(name.startswith("/") and _touches(name, places) for name in names):
                    yield file, line


def _harms(line: str, places: list[Path]) -> bool:
    """Whether a line of a shell ends the service's processes, or changes files of its places."""
    if _ENDS.search(line):
        return True
    if not _CHANGES.search(line):
        return False
    # What only takes files of certain names does so to others' files, unless it names a place of ours.
    named = re.search(r"-i?name\b", line) is not None
    return any(_touches(word, places, above=not named) for word in _PATH.findall(line))


def _touches(word: str, places: list[Path], *, above: bool = True) -> bool:
    """Whether a path, or what a pattern stands for, is one of the service's places, in one, or above one."""
    path = Path(re.split(r"[*?\[]", word)[0] or "/")
    if "*" in word or "?" in word or "[" in word:
        path = path if word.split("*", maxsplit=1)[0].endswith("/") else path.parent
    return any(
        path.is_relative_to(place) or (above and path not in _OF_ALL and place.is_relative_to(path)) for place in places
    )


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for _, path in zip(range(MOST_FILES), folder.iterdir(), strict=False) if path.is_file())
    except OSError:
        return []


def _lines(file: Path) -> list[str]:
    """A file's lines without comments; none where it cannot be read."""
    try:
        if file.stat().st_size > LARGEST_FILE:
            return []
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [
        line for line in text.replace("\\\n", " ").splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]

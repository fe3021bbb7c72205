"""Checks that nothing else on the host is set up to remove or change the service's files, or to end its processes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import CRON_TABLE, CURRENT, ETC, TAKEN_BY_CRON
from toolkit.checks.host.systemd import UNITS
from toolkit.checks.remedies import AllTimers, OnMachine, Remedy, Restart, Sequence, put_aside

CRONTAB, RC_LOCAL = Path("/etc/crontab"), Path("/etc/rc.local")
# Where commands are that others run: by the clock, and whenever packages, networks or the host itself change.
FOLDERS = tuple(
    Path("/etc", name)
    for name in (
        "cron.d", "cron.hourly", "cron.daily", "cron.weekly", "cron.monthly", "apt/apt.conf.d", "kernel/postinst.d",
        "network/if-up.d", "network/if-down.d", "NetworkManager/dispatcher.d", "dhcp/dhclient-exit-hooks.d",
    )
)  # fmt: skip
TMPFILES = (Path("/etc/tmpfiles.d"), Path("/run/tmpfiles.d"))
LOGROTATE = Path("/etc/logrotate.d")
LARGEST_FILE = 1 << 20
MOST_FILES = 500

# Commands that remove or change the files that they name.
_CHANGES = re.compile(
    r"\b(rm|unlink|shred|truncate|mv|chown|chgrp|chmod|chattr|setfacl|tmpreaper|tmpwatch)\s|\brsync\b.*--delete|"
    r"\bfind\b.*(-delete|-exec)|\bsed\b.*(\s-\w*i|--in-place)|\bg?zip\s|\b[bx]z(ip2)?\s|"
    r"\bsqlite3\b.*\b(delete|drop|update|insert|replace|alter|vacuum)\b", re.IGNORECASE,
)  # fmt: skip
# Commands that change the file that they name last, and what comes behind one that writes a file.
_WRITES = re.compile(r"\b(?:cp|install|ln|rsync|scp)\s[^;&|<>]*?([^\s;&|<>'\"]+)['\"]?\s*(?:$|[;&|<>]|\d>)")
_INTO = re.compile(r"(?:>|\bof=|\btee\s+(?:-a\s+)?)\s*(/[^\s'\";,&|()<>]*)")
_ENDS = re.compile(
    r"\b(pkill|killall)\b.*(weather|toolkit|python)|\bweather-job\s+--stop|"
    r"\b(systemctl|service)\b.*\b(stop|disable|mask|kill)\b.*weather-|\bservice\s+weather-\S+\s+stop"
)
# Who sets the clock by other means than a time service puts it wrong sooner or later.
_SETS_CLOCK = re.compile(
    r"\bhwclock\b.*(--hctosys|\s-s\b)|\bdate\s+(-s|--set)|\btimedatectl\s+set-time|\bntpdate\s|\brdate\s"
)
# A unit that is never up together with one of the service's: it is stopped when the other is started.
_EXCLUDES = re.compile(r"Conflicts\s*=.*\bweather-")
_PATH = re.compile(r"(?<![\w./-])/[^\s'\";,&|()<>]*")
# Folders of which everybody's programs remove something: naming one of them means nothing for what is below it.
_OF_ALL = set(map(Path, ("/", "/etc", "/opt", "/tmp", "/var", "/var/lib", "/var/log", "/var/tmp")))  # noqa: S108
# What systemd-tmpfiles removes, or what it empties or changes: tmpfiles.d(5).
_REMOVES = {"r", "R", "D"}
_AGED = {"d", "D", "e", "v", "q", "Q", "C"}
_SETS = {"z", "Z"}


@check(
    id="files-alone", area="service",
    invariant="Nothing else on the host changes the service's files, ends its processes or sets the clock.",
    problem="Something else on the host changes the service's files, ends its processes or sets the clock.",
    severity=Status.WARNING, remedy=AllTimers(), caused_by=("jobs-alone", "units-alone"), leaves_harm=True,
)  # fmt: skip
def files_alone(host: Host) -> Finding | None:
    if not host.deployed:
        return None
    places = _places(host)
    for file, line in (
        *_of_cron(places),
        *_of_crontabs(host, places),
        *_of_units(places),
        *_of_tmpfiles(places),
        *_of_logrotate(places),
    ):
        return bad(
            f"{file} is set up to do this to the service's files or processes, or to the clock: {line.strip()[:120]!r}",
            _away(file, host.services),
        )
    return good("nothing else on the host is set up to change the service's files")


def _away(file: Path, services: list[str]) -> Remedy:
    """Move a file away, so that it has no effect any more."""
    moved = put_aside(file, OnMachine)
    if file.parent != UNITS:
        return moved
    ended = OnMachine("systemctl disable --now {}", file.name)
    return Sequence(ended, moved, OnMachine("systemctl daemon-reload"), Restart(*(services or ["collector"])))


def _places(host: Host) -> list[Path]:
    settings = host.settings
    places = [host.spool, Path(settings.backups), Path(settings.reports), CURRENT.parent, ETC]
    return places if host.on_server else [host.db.parent, *places]


def _of_cron(places: list[Path]) -> Iterator[tuple[Path, str]]:
    for file in (CRONTAB, RC_LOCAL, *(path for folder in FOLDERS for path in _files(folder))):
        taken = not file.parent.name.startswith("cron.") or TAKEN_BY_CRON.fullmatch(file.name)
        if file != CRON_TABLE and taken:
            yield from ((file, line) for line in _lines(file) if _harms(line, places))


def _of_crontabs(host: Host, places: list[Path]) -> Iterator[tuple[Path, str]]:
    """Of people's own tables, which only root reads."""
    yield from (one for one in host.seen_by_root if "sudoers" not in str(one[0]) and _harms(one[1], places))


def _of_units(places: list[Path]) -> Iterator[tuple[Path, str]]:
    for file in _files(UNITS):
        if file.suffix == ".service" and not file.name.startswith("weather-"):
            yield from (
                (file, line)
                for line in _lines(file)
                if (line.lstrip().startswith("Exec") and _harms(line, places)) or _EXCLUDES.match(line.lstrip())
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
    if _ENDS.search(line) or _SETS_CLOCK.search(line):
        return True
    written = [*_WRITES.findall(line), *_INTO.findall(line)]
    if any(_touches(word, places, above=False) for word in written if word.startswith("/")):
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

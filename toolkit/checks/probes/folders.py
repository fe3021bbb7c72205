"""Check that no folder of the service grows without a bound."""

from __future__ import annotations

import os
from pathlib import Path

from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.as_deployed import mended
from toolkit.checks.filled import OF_BACKUPS, moved
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import CRON, CRON_LOGS, CURRENT, RELEASES
from toolkit.checks.host.files import mode_of, owner_of
from toolkit.checks.probes.interference import LOGROTATE
from toolkit.checks.remedies import AsUser, Remedy, Sequence, Shell, Start, Stop, Tool, root_owns

# A detection every hour writes two files; twice as many are not being removed.
REPORTS_A_DAY = 48
# Those of a day are removed by the next night's backup; people make some by hand.
SPARE_BACKUPS = 50
SPARE_REPORTS = 1000
# How large a file may be that is in a folder of the service and not its own, and how large a log.
FOREIGN_BYTES = 256 << 20
LOG_BYTES = 1 << 30
REPLACED_DAYS = 30
MOST_REPLACED = 50
MOST_RELEASES = 12
# How many entries of a folder are looked at.
MOST_ENTRIES = 50_000
# Up to so many documents the remedy moves away by name; more of them it removes.
MOST_NAMED = 20


@check(
    id="folders-bounded", area="disk",
    invariant="No folder of the service grows without a bound.",
    problem="A folder of the service grows and is not tidied up.",
    severity=Status.WARNING, remedy=Start("maintenance"),
    caused_by=(
        "disk-data-space", "disk-logs-space", "disk-backups-space", "disk-data-inodes", "disk-logs-inodes",
        "maintenance-timer", "maintenance-succeeds", "database-shape",
    ),
    is_of_last_run=True,
)  # fmt: skip
def folders_bounded(host: Host) -> Finding | None:
    if not host.deployed:
        return None
    for look in (_of_reports, _of_data, _of_logs, _of_rotation, _of_backups, _of_releases):
        found = look(host)
        if found:
            return found
    return good("no folder grows without a bound")


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for _, entry in zip(range(MOST_ENTRIES), entries, strict=False)]
    except OSError:
        return []


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:
        return 0


def _of_reports(host: Host) -> Finding | None:
    folder, days = Path(host.settings.reports), host.settings.report_days
    number = len(_entries(folder))
    most = 2 * REPORTS_A_DAY * days + SPARE_REPORTS
    if days and number > most:
        return bad(f"{number:,} files are in {folder}: more than {days} days of reports")
    return None


def _of_data(host: Host) -> Finding | None:
    damaged = [entry.name for entry in _entries(host.spool) if entry.name.endswith((".damaged", ".refused"))]
    if damaged:
        away: Remedy = AsUser("mv -t /var/tmp -- {}", [host.spool / name for name in damaged])
        if len(damaged) <= MOST_NAMED and all(name.endswith(".refused") for name in damaged):
            # The store did not take them, perhaps of something that is mended now: they are observations.
            back = [AsUser("mv -- {} {}", host.spool / name, host.spool / f"{name[:-8]}.gz") for name in damaged]
            away = Sequence(
                Stop("collector"),
                *back,
                Start("collector"),
                note="remove what is refused again",
            )
        if len(damaged) > MOST_NAMED:
            away = AsUser("find {} '(' -name '*.damaged' -o -name '*.refused' ')' -delete", host.spool)
        return bad(
            f"{len(damaged)} documents in {host.spool} could not be read or stored, and were set aside: {damaged[0]}",
            away,
        )
    if host.on_server:
        large = [one for one in _entries(host.spool.parent) if _size(one) > FOREIGN_BYTES]
        return _foreign(host.spool.parent, large[0]) if large else None
    entries = _entries(host.db.parent)
    replaced = [entry for entry in entries if entry.name.startswith(f"{host.db.name}.replaced-")]
    old = [one for one in replaced if host.now - one.stat(follow_symlinks=False).st_mtime > REPLACED_DAYS * 86400]
    if old or len(replaced) > MOST_REPLACED:
        names = sorted(one.name for one in old or replaced[:-1])
        return bad(
            f"{len(replaced)} databases that a restore replaced are still in {host.db.parent}",
            AsUser("rm -r -- {}", [host.db.parent / name for name in names]),
        )
    foreign = [
        one for one in entries if not one.name.lstrip(".").startswith(host.db.name) and _size(one) > FOREIGN_BYTES
    ]
    if foreign:
        return _foreign(host.db.parent, foreign[0])
    return None


def _foreign(folder: Path, entry: os.DirEntry[str]) -> Finding:
    return bad(
        f"{folder / entry.name} has {_size(entry) >> 20} MiB and is not the service's own",
        moved(folder / entry.name),
    )


def _of_logs(host: Host) -> Finding | None:
    for entry in _entries(Path(host.settings.reports).parent):
        if entry.is_file(follow_symlinks=False) and _size(entry) > LOG_BYTES:
            return _foreign(Path(host.settings.reports).parent, entry)
    backups = Path(host.settings.backups)
    for entry in _entries(backups):
        if not entry.name.lstrip(".").startswith(OF_BACKUPS) and _size(entry) > FOREIGN_BYTES:
            return _foreign(backups, entry)
    return None


def _of_rotation(host: Host) -> Finding | None:
    """Whether logrotate has and takes the rule for the logs of cron's jobs, which nothing else bounds."""
    if host.scheduler != CRON:
        return None
    rule, logs = LOGROTATE / "weather", f"{CRON_LOGS}/*.log"
    if not (found := host.look(rule)):
        return bad(f"there is no {rule}: the logs in {CRON_LOGS} grow for ever", mended(host, rule))
    if found.st_uid or found.st_mode & 0o022:
        return bad(
            f"logrotate does not take {rule}: it is {owner_of(found)}'s, mode {mode_of(found)}",
            root_owns(rule, 0o644),
        )
    lines = [line.split("#")[0] for line in rule.read_text(encoding="utf-8", errors="replace").splitlines()]
    if not any(logs in line.replace("{", " ").split() for line in lines):
        return bad(f"{rule} does not name {logs}: the logs grow for ever", mended(host, rule))
    return None


def _of_backups(host: Host) -> Finding | None:
    settings = host.settings
    kept = settings.backup_keep_daily + settings.backup_keep_weekly + settings.backup_keep_monthly
    number = len(host.backups[0])
    if "backup" in host.jobs and number > kept + SPARE_BACKUPS:
        return bad(f"{number} backups are in {settings.backups}, and {kept} are to be kept", Tool("backup prune"))
    return None


def _of_releases(_: Host) -> Finding | None:
    releases = [entry for entry in _entries(RELEASES) if entry.is_dir(follow_symlinks=False)]
    if len(releases) > MOST_RELEASES:
        return bad(
            f"{len(releases)} releases are in {RELEASES}: a rollout leaves three",
            Shell("ls -dt {}/*/", RELEASES, note=f"in use: {CURRENT.resolve().name}"),
        )
    return None

"""What checks look at, read once however many of them ask: settings, units, the store, the feed, the clock.

Nothing here is changed, everything is bounded in time, and only the standard library is needed to begin with: a doctor
has to work where nothing else does.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import stat
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from toolkit.address import shown
from toolkit.checks.reach import reach
from toolkit.errors import ToolkitError, reason
from toolkit.kinds import is_postgresql
from toolkit.settings import Loaded, Settings, settings_file, spool_folder

if TYPE_CHECKING:
    from toolkit.backup.drill_record import Drill
    from toolkit.backup.folder import Backup, Damaged
    from toolkit.feed.fetch import Fetched
    from toolkit.model import Document
    from toolkit.store.base import Logged, Store

CURRENT = Path("/opt/weather/current")
RELEASES = Path("/opt/weather/releases")
ETC = Path("/etc/weather")
JOBS_FILE = ETC / "jobs.json"
UNITS = Path("/etc/systemd/system")
COLLECTOR = "weather-collector.service"
CRON_TABLE = Path("/etc/cron.d/weather")
CRON_RUN = Path("/run/weather")
USER = "weather"
# By whom jobs are run, besides systemd.
CRON, COMPOSE, KUBERNETES = "cron", "compose", "kubernetes"
# The remedy for what only the controller can put right.
ANSIBLE = "ansible-playbook site.yml  # on the controller"
# Of each thing that is asked and may not answer.
PATIENCE_SECONDS = 2.0
LOCK_SECONDS = 0.5
# Of programs of the system: a machine that is busy is not one that is broken.
SYSTEM_SECONDS = 3.5
# Of the feed: its limit is the collector's, which is longer than people want to wait for a doctor.
FEED_SECONDS = 5.0

T = TypeVar("T")


class SilentError(ToolkitError):
    """A program of the system does not answer in time."""


class fact(Generic[T]):  # noqa: N801 - used as property is
    """A property that is worked out once; who asks meanwhile waits. A failure is remembered like a value."""

    def __init__(self, function: Callable[[Any], T]) -> None:
        self._function = function
        self.__doc__ = function.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, host: Any, owner: type | None = None) -> T:
        with host.lock(self._name):
            kept = host.kept
            if self._name not in kept:
                try:
                    kept[self._name] = (self._function(host), None)
                except Exception as error:
                    kept[self._name] = (None, error)
            value, failure = kept[self._name]
        if failure is not None:
            raise failure
        return value  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the service as it was deployed; see `weather_jobs`.

    Attributes:
        name: of it, without `weather-`.
        schedule: minute, hour and weekday as cron has them; None for a service that is always up.
        command: of weather-tool, with its options.
        network: whether it reaches beyond this host.
    """

    name: str
    schedule: dict[str, Any] | None
    command: str
    network: bool = False


class Host:
    """The machine, the service on it, and what it depends on."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.settings: Settings = loaded.settings
        self.kept: dict[str, tuple[Any, BaseException | None]] = {}
        self._locks: dict[str, RLock] = {}
        self._guard = RLock()

    def lock(self, name: str) -> RLock:
        """By which a fact is worked out once."""
        with self._guard:
            return self._locks.setdefault(name, RLock())

    # Where it is deployed

    @fact
    def systemd(self) -> bool:
        """Whether systemd runs this machine, and the service on it."""
        return Path("/run/systemd/system").is_dir() and self.scheduler == "systemd"

    @fact
    def scheduler(self) -> str:
        """By whom the service's jobs are run: systemd, CRON, or COMPOSE or KUBERNETES, which are not ours to see."""
        return self._told("scheduler", "systemd")

    @fact
    def place(self) -> str:
        """Where compose is called (a folder), or where Kubernetes has it (a namespace)."""
        return self._told("place", "")

    def _told(self, name: str, otherwise: str) -> str:
        try:
            return str(json.loads(JOBS_FILE.read_text(encoding="utf-8")).get(name, otherwise))
        except (OSError, ValueError, AttributeError):
            return otherwise

    @property
    def contained(self) -> bool:
        """Whether this is a container, where there is nothing of the host's."""
        return self.scheduler in {COMPOSE, KUBERNETES}

    def kept_by_cron(self, name: str) -> float | None:
        """When a service that cron keeps up was started, seconds since the epoch; None if it does not run.

        Raises:
            PermissionError: this user may not see.
        """
        file = CRON_RUN / f"{name}.pid"
        try:
            group, started = int(file.read_text(encoding="ascii")), file.stat().st_mtime
        except (FileNotFoundError, ValueError):
            return None
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return None
        except PermissionError:
            pass  # it runs, as another user
        return started

    @fact
    def deployed(self) -> bool:
        """Whether the role has put the service here; in a container there are no paths of it."""
        return not self.contained and (RELEASES.is_dir() or ETC.is_dir())

    @fact
    def jobs(self) -> dict[str, Job]:
        """What is to run here, by name; empty where nothing says.

        Raises:
            ToolkitError: the list cannot be read.
        """
        try:
            told = json.loads(JOBS_FILE.read_text(encoding="utf-8"))
            return {
                name: Job(name, job.get("schedule"), str(job["command"]), job.get("network") is True)
                for name, job in told["jobs"].items()
            }
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ToolkitError(f"cannot read {JOBS_FILE}: {reason(error)}") from error
        except (ValueError, KeyError, AttributeError) as error:
            raise ToolkitError(f"{JOBS_FILE} is not as it was written: {error}") from error

    @fact
    def user(self) -> pwd.struct_passwd | None:
        """The service user."""
        try:
            return pwd.getpwnam(USER)
        except KeyError:
            return None

    @fact
    def settings_file(self) -> Path:
        """Where the settings are."""
        return settings_file(os.environ)

    # systemd

    @fact
    def units(self) -> dict[str, dict[str, str]]:
        """What systemd knows of each unit of the service, by the unit's name.

        Raises:
            ToolkitError: it does not answer.
        """
        names = [f"weather-{name}.{kind}" for name, job in self.jobs.items() for kind in _kinds(job)]
        if not self.systemd or not names:
            return {}
        text = self.ask("systemctl", "show", "--no-pager", f"--property={','.join(_PROPERTIES)}", *names)
        blocks = [dict(line.partition("=")[::2] for line in block.splitlines()) for block in text.split("\n\n")]
        return {block["Id"]: block for block in blocks if "Id" in block}

    def unit(self, name: str) -> dict[str, str] | None:
        """What systemd knows of a unit; None where systemd is not, or the unit is not meant to be."""
        return self.units.get(name)

    def ask(self, *command: str) -> str:
        """What a program of the system says.

        Raises:
            ToolkitError: it is not there, fails, or takes too long.
        """
        try:
            done = subprocess.run(  # noqa: S603
                command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SYSTEM_SECONDS,
                check=False,
                env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            )
        except FileNotFoundError:
            raise ToolkitError(f"{command[0]} is not installed") from None
        except subprocess.TimeoutExpired:
            raise SilentError(f"{command[0]} did not answer for {SYSTEM_SECONDS:g} s") from None
        if done.returncode:
            raise ToolkitError(f"{' '.join(command[:2])}: {done.stderr.strip() or f'exit code {done.returncode}'}")
        return done.stdout

    # Files

    @fact
    def is_postgresql(self) -> bool:
        """Whether observations are on a server."""
        return is_postgresql(self.settings.db)

    @fact
    def db(self) -> Path:
        """The database's file; of SQLite alone."""
        return Path(self.settings.db)

    @fact
    def spool(self) -> Path:
        """Where documents wait."""
        return spool_folder(self.settings)

    def look(self, path: Path) -> os.stat_result | None:
        """What a file is; None where there is none.

        Raises:
            OSError: it cannot be seen.
        """
        try:
            return path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def free(self, path: Path) -> tuple[int, int]:
        """Free and all bytes of the file system that a path is, or would be, on."""
        usage = shutil.disk_usage(_there(path))
        return usage.free, usage.total

    def inodes(self, path: Path) -> tuple[int, int]:
        """Free and all inodes of the file system that a path is, or would be, on; 0 of 0 where it has no such bound."""
        found = os.statvfs(_there(path))
        return found.f_favail, found.f_files

    def read_only(self, path: Path) -> bool:
        """Whether the file system that a path is on takes no writes.

        In a unit's sandbox it never does, for us; then what counts is how it is mounted for all.
        """
        if not os.statvfs(_there(path)).f_flag & os.ST_RDONLY:
            return False
        if "INVOCATION_ID" not in os.environ:
            return True
        return "ro" in self._mounted(path)[1]

    def mount(self, path: Path) -> Path:
        """Where the file system that a path is on is mounted; a part of one that is mounted there, too."""
        return self._mounted(path)[0]

    def _mounted(self, path: Path) -> tuple[Path, list[str]]:
        """Where a path is mounted, and the options of the file system itself."""
        path = _there(path).resolve()
        found: tuple[Path, list[str]] = Path("/"), []
        for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            words, _, device = line.partition(" - ")
            if "INVOCATION_ID" in os.environ and words.split()[3] == words.split()[4] != "/":
                continue  # a part of the host's own file system, as a unit's sandbox mounts it in its place
            place = Path(re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), words.split()[4]))
            # The last of those that cover it, and the deepest, is the one that is seen.
            if path.is_relative_to(place) and len(place.parts) >= len(found[0].parts):
                found = place, device.split()[-1].split(",")
        return found

    # The store

    @fact
    def newest(self) -> str | None:
        """The time of the newest observation, as it is stored.

        Raises:
            StoreError: the store cannot be read.
        """
        with self.store() as store:
            return store.newest()

    @fact
    def latest(self) -> dict[str, int]:
        """The time of each station's newest observation, seconds since the epoch, by station.

        Raises:
            StoreError: the store cannot be read.
        """
        with self.store() as store:
            return {one.station_id: one.time for one in store.latest()}

    @fact
    def log(self) -> list[Logged]:
        """The last lines of the collection log, the newest first.

        Raises:
            StoreError: the store cannot be read.
        """
        with self.store() as store:
            return store.log(200)

    def store(self) -> Store:
        """The store, for a look.

        Raises:
            StoreError: it cannot be read.
        """
        from toolkit.store import open_for_reading

        return open_for_reading(self.settings.db, LOCK_SECONDS, look=True)

    # The backups

    @fact
    def backups(self) -> tuple[list[Backup], list[Damaged]]:
        """The backups, the newest first, and what only has the name of one.

        Raises:
            ToolkitError: the folder cannot be read.
        """
        from toolkit.backup.folder import Folder

        return Folder(self.settings.backups).look()

    @fact
    def drill(self) -> Drill | None:
        """The last rehearsal.

        Raises:
            ToolkitError: its record cannot be read.
        """
        from toolkit.backup.drill_record import last

        return last(Path(self.settings.backups))

    # The feed

    @fact
    def fetched(self) -> Fetched:
        """The feed's document of this moment. To be asked for by the main thread first.

        Raises:
            ToolkitError: there is none.
        """
        from toolkit.collector.feed import fetcher_of
        from toolkit.feed.errors import AnswerError

        reach(self.settings.feed_proxy or self.settings.feed_url)
        fetched = fetcher_of(self.settings, FEED_SECONDS).fetch()
        if fetched is None:
            raise AnswerError(f"the feed {shown(self.settings.feed_url)} offers no document")
        return fetched

    @fact
    def document(self) -> Document:
        """The same, read.

        Raises:
            FeedError: it is no document of a feed.
        """
        from toolkit.collector.feed import reader_of

        return reader_of(self.settings).read(self.fetched.body)

    @fact
    def now(self) -> float:
        """The host's clock when it was asked first, seconds since the epoch."""
        return time.time()


_PROPERTIES = (
    "Id", "LoadState", "ActiveState", "SubState", "Result", "UnitFileState", "FragmentPath", "DropInPaths",
    "NeedDaemonReload", "NRestarts", "MainPID", "StatusText", "ExecStart", "User", "ExecMainStatus",
    "ActiveEnterTimestampMonotonic", "WatchdogTimestampMonotonic", "WatchdogUSec", "MemoryCurrent", "MemoryMax",
    "NoNewPrivileges", "ProtectSystem", "PrivateUsers", "CapabilityBoundingSet", "SystemCallFilter",
    "Group", "WorkingDirectory", "ReadWritePaths", "RootDirectory", "StandardOutput", "StandardInput",
    "RuntimeDirectory", "LoadCredential", "ConditionResult", "ConditionTimestampMonotonic", "LoadError", "ExecMainCode",
    "Unit",
    "NextElapseUSecRealtime", "LastTriggerUSec", "TimersCalendar", "ExecMainExitTimestampMonotonic",
)  # fmt: skip


def _kinds(job: Job) -> tuple[str, ...]:
    return ("service",) if job.schedule is None else ("service", "timer")


def _there(path: Path) -> Path:
    """A path, or the nearest folder above it that exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def mode_of(found: os.stat_result) -> str:
    """A file's mode as people write it."""
    return f"{stat.S_IMODE(found.st_mode):04o}"


def owner_of(found: os.stat_result) -> str:
    """A file's owner by name."""
    try:
        return pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        return str(found.st_uid)


def long(seconds: float) -> str:
    """A length of time as people say it."""
    for length, unit in ((2 * 86400, "days"), (2 * 3600, "hours"), (2 * 60, "minutes")):
        if seconds >= length:
            return f"{seconds / (length / 2):.0f} {unit}"
    return f"{seconds:.0f} seconds"

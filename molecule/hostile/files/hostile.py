#!/usr/bin/env python3
"""What the service's account could do to root on this host; as root: hostile.py door|logs|remedies|siege [SECONDS].

Each prints what went wrong, and its exit code is 1 then. What is root's is a canary: it has to be as it was, with its
owner and mode. What is planted is planted by the account itself: where the kernel refuses, it refuses an attacker.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import pwd
import random
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

WEATHER = pwd.getpwnam("weather")
TABLE = Path("/etc/cron.d/weather")
LOGS, DATA, BACKUPS = Path("/var/log/weather"), Path("/var/lib/weather"), Path("/var/backups/weather")
DB = DATA / "data" / "weather_stream.db"
CANARY = Path("/root/canary")
SECRET = "what only root may read"
# What is done by root may fail, but it ends.
LIMIT_SECONDS = 240
JOBS = (
    "collector", "exporter", "api", "detector", "sensors", "healthcheck", "backup", "restore-drill", "maintenance",
    "network-report",
)  # fmt: skip
# What root's side has to do with: in the service's folders, and where everybody may write.
PLACES = (
    *(LOGS / f"{name}.log" for name in JOBS),
    *(LOGS / f"{name}.log.1" for name in JOBS),
    LOGS / "healthcheck.log.1.gz", LOGS / "healthcheck.log.old",
    LOGS / "reports", LOGS / "reports" / "index.html",
    DATA / "data", DB, Path(f"{DB}-wal"), Path(f"{DB}.spool"), DATA / "data" / "alerts", DATA / "matplotlibrc",
    BACKUPS / "drill.json", BACKUPS / ".lock", Path("/tmp/matplotlibrc"), Path("/tmp/fontlist-v390.json"),
)  # fmt: skip
LIBC = ctypes.CDLL(None, use_errno=True)
PIDFD_GETFD = 438
# A command that goes on until it is ended, in the background.
SIMULATED = (
    "rm -f said; weather-tool simulate --address 127.0.0.1 --port 18098 >said 2>&1 & "
    "until grep -s stations said; do sleep 0.1; done"
)
wrong: list[str] = []


def main() -> int:
    """Try it."""
    CANARY.write_text(f"{SECRET}\n")
    before = canaries()
    {"door": door, "logs": logs, "remedies": remedies, "siege": siege}[sys.argv[1]]()
    after = canaries()
    wrong.extend(f"{path} was changed" for path in sorted(before | after) if before.get(path) != after.get(path))
    print("\n".join(wrong) or "nothing of root's was touched")
    return bool(wrong)


def canaries() -> dict[str, object]:
    """What is root's, and how it is."""
    found: dict[str, object] = {}
    for top in ("/root", "/etc", "/usr/local", "/opt/weather", "/var/spool/cron"):
        for folder, names, files in os.walk(top):
            for path in [folder, *(f"{folder}/{name}" for name in [*names, *files])]:
                seen = os.lstat(path)
                content = ""
                if stat.S_ISREG(seen.st_mode) and top != "/opt/weather":
                    content = hashlib.sha256(Path(path).read_bytes()).hexdigest()
                found[path] = (seen.st_uid, seen.st_gid, oct(seen.st_mode), content)
    # Written by a rollout, which may run beside.
    return {
        path: how for path, how in found.items() if not path.startswith(("/etc/weather/deployed", "/root/.ansible"))
    }


def as_weather(act: Callable[[], object]) -> int:
    """Do it in a process of the service's account; its number."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.setsid()
        os.initgroups("weather", WEATHER.pw_gid)
        os.setresgid(*[WEATHER.pw_gid] * 3)
        os.setresuid(*[WEATHER.pw_uid] * 3)
        code = 0 if act() in {None, True} else 1
    finally:
        os._exit(code)


def does(act: Callable[[], object]) -> bool:
    """The same, and wait; whether it could."""
    return os.waitstatus_to_exitcode(os.waitpid(as_weather(act), 0)[1]) == 0


def root_does(command: str, **more: object) -> subprocess.CompletedProcess[str]:
    """What root runs, which must end."""
    began = time.monotonic()
    # A file, for what is left in the background would keep a pipe open.
    with Path("/root/said").open("w+") as said:
        done = subprocess.run(
            ["timeout", "--kill-after=1", str(LIMIT_SECONDS), "sh", "-c", command],
            stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False, **more,  # type: ignore[call-overload]
        )  # fmt: skip
        said.seek(0)
        text = said.read()
    Path("/root/said").unlink()
    if done.returncode in {124, 137}:
        wrong.append(f"hung: {command}: {text[-300:]}")
    if SECRET in text:
        wrong.append(f"showed what only root may read: {command}")
    print(f"{time.monotonic() - began:5.1f} s, {done.returncode}: {command[:100]}", file=sys.stderr)
    return subprocess.CompletedProcess(command, done.returncode, text)


# What is planted


def plant(path: Path, kind: str) -> None:
    """Put something else in the place of a path; what was there waits beside it."""
    kept = path.with_name(f"{path.name}.kept")
    with contextlib.suppress(FileNotFoundError):
        if not kept.exists():
            path.rename(kept)
    take_away(path)
    if kind == "link":
        path.symlink_to(random.choice([CANARY, Path("/etc/passwd"), Path("/root"), Path("/root/new")]))
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/full")
    elif kind == "hard link":
        os.link("/etc/passwd", path)
    else:
        path.mkdir()


def take_away(path: Path) -> None:
    """Whatever is there."""
    if not path.is_symlink() and path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def clear(path: Path) -> None:
    """Put back what was there."""
    kept = path.with_name(f"{path.name}.kept")
    take_away(path)
    if kept.exists():
        kept.rename(path)


KINDS = ("link", "fifo", "device", "hard link", "folder")


# What root runs


def lines() -> dict[str, str]:
    """The jobs' commands: cron's lines, or what starts the units."""
    if not TABLE.exists():
        return {name: f"systemctl start weather-{name}.service" for name in JOBS}
    found = re.findall(r"^\S+ \S+ \S+ \S+ \S+ root (.*)$", TABLE.read_text(), re.MULTILINE)
    commands = [re.sub(r"--delay \d+ ", "", line.replace("\\%", "%")) for line in found]
    return {line.split()[2 if "--keep" in line else 1]: line for line in commands if "--keep" not in line} | {
        name: f"weather-job --stop {name}; weather-job --start {name}" for name in ("collector", "exporter", "api")
    }


def logs() -> None:
    """Each log is replaced in each way; jobs run, and logs are rotated and shown."""
    for kind in KINDS:
        planted = [path for path in PLACES if path.parent == LOGS and does(partial(plant, path, kind))]
        print(f"{kind}: {len(planted)} of {len(PLACES)}", file=sys.stderr)
        for name in ("collector", "healthcheck", "maintenance"):
            root_does(lines()[name])
        if TABLE.exists():
            root_does("weather-job --log healthcheck")
            root_does("logrotate --force /etc/logrotate.d/weather")
            root_does("flock /run/weather/maintenance.lock weather-job maintenance maintain")
        for path in planted:
            does(partial(clear, path))
    # As a host has them from before: root's, in the service's folder.
    log = LOGS / "healthcheck.log"
    log.unlink(missing_ok=True)
    log.touch(mode=0o640)
    if TABLE.exists():
        root_does(lines()["healthcheck"])
        if log.owner() != "weather" or not log.stat().st_size:
            wrong.append("a log of root's was not put aside")


def remedies() -> None:
    """A place of the service's is a link to what is root's; root does what the doctor says mends it."""
    for path in (DB, DB.parent, LOGS / "reports"):
        if not does(partial(link, path, Path("/root"))):
            wrong.append(f"{path} could not be replaced")
        for cause in json.loads(root_does("weather-tool doctor --json 2>/dev/null").stdout)["causes"]:
            if cause["remedy"] and not cause["remedy"].startswith("ansible-playbook"):
                root_does(f"timeout 60 sh -c {shlex.quote(cause['remedy'])} || true")
        does(partial(clear, path))


def link(path: Path, target: Path) -> None:
    """Put a link into the place of a path; what was there waits beside it."""
    if path.exists():
        path.rename(path.with_name(f"{path.name}.kept"))
    path.symlink_to(target)


def siege() -> None:
    """The account replaces everything, again and again, while root does what root does."""
    end = time.monotonic() + float(sys.argv[2])
    attacker = as_weather(lambda: replace_until(end + 5))
    told = [
        *lines().values(), "weather-tool doctor", "weather-tool backup verify", "weather-tool restore LATEST --drill",
        "weather-tool report --html -", "cd /tmp && weather-tool settings", "weather-tool data latest",
    ]  # fmt: skip
    if TABLE.exists():
        told += ["logrotate --force /etc/logrotate.d/weather", *(f"weather-job --log {name}" for name in JOBS)]
    while time.monotonic() < end:
        root_does(random.choice(told))
    os.killpg(attacker, signal.SIGKILL)
    os.waitpid(attacker, 0)
    for path in [*PLACES, *BACKUPS.glob("weather_*.zst"), *BACKUPS.glob("weather_*.json")]:
        does(partial(clear, path))


def replace_until(end: float) -> None:
    """Plant and clear by chance, backups too."""
    while time.monotonic() < end:
        path = random.choice([*PLACES, *BACKUPS.glob("weather_*.zst"), *BACKUPS.glob("weather_*.json")])
        with contextlib.suppress(OSError):
            plant(path, random.choice(KINDS))
        time.sleep(random.uniform(0, 0.05))
        with contextlib.suppress(OSError):
            clear(path)


# The door: weather-tool


def door() -> None:
    """What root's call of weather-tool shares with what runs as the service: nothing."""
    for command in ("weather-tool simulate --address 127.0.0.1 --port 18099", "sudo -u weather sleep 18099"):
        with a_shell() as (terminal, typed):
            shell = typed(command, {"PLANTED": "1", "PYTHONPATH": "/tmp", "LD_LIBRARY_PATH": "/tmp"})
            if not awaited(lambda: taken(terminal) > 0):
                wrong.append(f"no process of the service's was seen under {command}")
            os.killpg(shell, signal.SIGINT)  # Ctrl-C
            if not awaited(lambda: taken(terminal) == 0):
                wrong.append(f"Ctrl-C does not end {command}")
    hostile_folder = Path("/tmp/hostile")
    shutil.rmtree(hostile_folder, ignore_errors=True)
    (hostile_folder / "toolkit").mkdir(parents=True)
    (hostile_folder / "toolkit" / "__init__.py").write_text("raise SystemExit('imported from the working folder')\n")
    for name in ("signal", "os", "pwd", "encodings"):
        (hostile_folder / f"{name}.py").write_text("raise SystemExit('imported from the working folder')\n")
    os.mkfifo(hostile_folder / "matplotlibrc")
    release = Path("/opt/weather/current").resolve()
    python, hidden = release / "bin" / "python", release / "bin" / "python.hidden"
    cases = {
        "weather-tool doctor --area nonsense": (2, "there is no area 'nonsense'"),
        "weather-tool report --html -": (0, "<html"),
        "WEATHER_RELEASE=/tmp/hostile weather-tool settings": (2, "is not a release"),
        # The service asks root to stop and to start the collector, and no more.
        "weather-tool restore LATEST": (0, "the collector stores again"),
        "pgrep -u weather -f 'weather-tool [c]ollect'": (0, ""),
        "weather-tool data export - | head -n 1": (0, "station_id"),
        "printf 'a,b\\n1,2\\n' | weather-tool data import -": (1, "no column"),
        "su deploy -c 'weather-tool doctor --area nonsense'": (2, "there is no area 'nonsense'"),
        f"{SIMULATED}; kill -TERM $!; wait $!; cat said": (0, "stations"),
        f"{SIMULATED}; kill -KILL $!; while pgrep -u weather -f '[1]8098'; do sleep 0.1; done; echo gone": (0, "gone"),
    }
    broken = {
        "weather-tool doctor --area nonsense": (2, "there is no area 'nonsense'"),
        "su deploy -c 'weather-tool doctor --area nonsense'": (2, "there is no area 'nonsense'"),
        "su deploy -c 'weather-tool healthcheck'": (None, "WEATHER "),
        "weather-tool collect --once": (2, "weather-tool doctor says why"),
    }
    check(cases, hostile_folder)
    secret = Path("/etc/weather/credentials/hostile")
    secret.write_text("of root's\n")
    secret.chmod(0o600)
    lent = (
        f"umask 077; {SIMULATED}; cd /run/weather-tool.*; stat --format '%U %G %a' . hostile; "
        "setpriv --reuid weather --regid weather --init-groups cat hostile; kill $!; wait"
    )
    check({lent: (0, "root weather 750\nroot weather 440\nof root's\n")}, hostile_folder)
    # What a call that is killed leaves, the next one removes.
    check({f"{SIMULATED}; kill -KILL $!; wait; ls -d /run/weather-tool.*": (0, "/run/weather-tool.")}, hostile_folder)
    secret.unlink()
    python.rename(hidden)
    try:
        check(broken, hostile_folder)
    finally:
        hidden.rename(python)
    if left := list(Path("/run").glob("weather-tool.*")):
        wrong.append(f"copies of credentials are left: {left}")


def check(cases: dict[str, tuple[int | None, str]], folder: Path) -> None:
    """Commands of root's or an operator's in a hostile folder, with the code and a word of what they say."""
    for command, (code, says) in cases.items():
        done = root_does(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(folder), "PLANTED": "1"})
        if (code is not None and done.returncode != code) or says not in done.stdout:
            wrong.append(f"{command}: {done.returncode}, {done.stdout[-500:]}")


@contextlib.contextmanager
def a_shell() -> Iterator[tuple[int, Callable[[str, dict[str, str]], int]]]:
    """Root's shell on a terminal: what it is, and how something is typed there."""
    children: list[int] = []
    master, slave = os.openpty()
    terminal = os.fstat(slave).st_rdev

    def typed(command: str, environment: dict[str, str]) -> int:
        child = os.fork()
        if not child:
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for number in range(3):
                os.dup2(slave, number)
            os.execvpe("bash", ["bash", "-c", f"{command}; true"], {**os.environ, **environment})
        children.append(child)
        return child

    try:
        yield terminal, typed
    finally:
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
        os.set_blocking(slave, False)
        os.close(master)
        os.close(slave)


def awaited(well: Callable[[], bool]) -> bool:
    """Whether it becomes so in time."""
    end = time.monotonic() + LIMIT_SECONDS
    while not (is_well := well()) and time.monotonic() < end:
        time.sleep(0.2)
    return is_well


def taken(terminal: int) -> int:
    """Look at the service's processes for root's terminal and environment, and try to type; how many there were."""
    number = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid != WEATHER.pw_uid or b"18099" not in (process / "cmdline").read_bytes():
                continue
            number += 1
            tty = int((process / "stat").read_text().rpartition(")")[2].split()[4])
            opened = [file.stat().st_rdev for file in (process / "fd").iterdir()]
            if b"PLANTED" in (process / "environ").read_bytes():
                wrong.append("root's environment came along")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        if os.makedev(tty >> 8, tty & 0xFF) == terminal or terminal in opened:
            wrong.append(f"a process of the service's has root's terminal: {process}")
        if does(partial(types_into, int(process.name), terminal)):
            wrong.append("the service's account could type into root's terminal")
    return number


def types_into(process: int, terminal: int) -> bool:
    """As one who traces it: whether its files let one type into root's terminal."""
    one = os.pidfd_open(process)
    for number in range(10):
        got = LIBC.syscall(PIDFD_GETFD, one, number, 0)
        if got >= 0 and os.fstat(got).st_rdev == terminal:
            with contextlib.suppress(OSError):
                fcntl.ioctl(got, termios.TIOCSCTTY, 0)
            with contextlib.suppress(OSError):
                fcntl.ioctl(got, termios.TIOCSTI, b"x")
                return True
    return False


if __name__ == "__main__":
    sys.exit(main())

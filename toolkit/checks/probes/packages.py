"""Checks of the release: its Python, its packages, and the command.

Where the release's Python cannot run, the doctor runs these with the host's own.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import stat
import subprocess
import sys
from base64 import urlsafe_b64encode
from contextlib import suppress
from hashlib import sha256
from importlib.metadata import PathDistribution
from pathlib import Path

from toolkit import damaged
from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.as_deployed import mended
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import CRON, CURRENT, RELEASES
from toolkit.checks.host.files import mode_of, owner_of
from toolkit.checks.remedies import OnController, OnMachine, Remedy, Restart, Sequence, Shell, allow, put_aside
from toolkit.errors import reason

SYSTEM = Path("/usr/bin/python3")
COMMAND = Path("/usr/local/bin/weather-tool")
# How they begin as they are deployed: roles/weather/files/.
_COMMANDS = {
    COMMAND: b"#!/usr/bin/python3 -IS\n",
    Path("/usr/local/bin/weather-job"): b"#!/bin/sh\n# What /etc/cron.d/weather calls",
}
# What weather-job calls to begin a job; setpriv is missed by weather-tool itself.
_PROGRAMS = ("flock", "setsid", "timeout", "shuf")
_AGAIN = Restart("collector")
# How long an interpreter may take to start.
START_SECONDS = 3.0
# What Python could import that lies beside the release's program, and what is there of the installer's.
_MODULES, _OF_UV = {".py", ".pyc", ".so"}, {"activate_this.py"}
# In a package's list of files, those that are imported by its name, or by theirs.
_MODULE = re.compile(r"^([\w.-]+/__init__\.py|\w+\.py),", re.MULTILINE)
# Modules that Python imports whenever it starts.
_RUN_FIRST = {"sitecustomize.py", "usercustomize.py"}


@check(
    id="release-current", area="Python environment",
    invariant="A release is installed and in use.",
    problem="No release is in use.",
    severity=Status.CRITICAL, remedy=OnController(), caused_by=("files-alone",),
)  # fmt: skip
def release_current(host: Host) -> Finding | None:
    if not host.deployed:
        return None
    closed = host.closed_above(CURRENT / "bin/python")
    with suppress(OSError):  # a link, where releases share their packages
        closed = closed or host.closed_above((CURRENT / "bin/uv").readlink())
    if closed:
        mode = mode_of(closed.stat())
        return bad(
            f"the service user may not pass {closed}: {owner_of(closed.stat())}'s, mode {mode}",
            Sequence(allow("a+rx", closed), _AGAIN),
        )
    if CURRENT.is_dir():
        release = CURRENT.resolve()
        if not CURRENT.is_symlink():
            aside = Shell("mv -T -- {} {}", CURRENT, f"{CURRENT}.folder")
            return _not_in_use(host, f"{CURRENT} is a folder, not a link to a release in {RELEASES}", aside)
        if release.parent != RELEASES.resolve():
            return _not_in_use(host, f"{CURRENT} is {release}, which is not in {RELEASES}")
        return good(f"{CURRENT} is {release.name}")
    where = f"points at {CURRENT.readlink()}, which is not there" if CURRENT.is_symlink() else "is not there"
    return _not_in_use(host, f"{CURRENT} {where}")


def _not_in_use(host: Host, said: str, *before: Remedy) -> Finding:
    """The finding that no release is in use, which is mended by the newest that is left."""
    complete = sorted(RELEASES.glob("*/.complete"), key=lambda file: file.stat().st_mtime)
    if not complete:
        return bad(f"{said}; no release is left")
    release = complete[-1].parent
    if CURRENT.is_symlink() and CURRENT.readlink().parent == RELEASES:
        said += f"; {release.name}, which is older, takes its place until site.yml is run again"
    used = Shell("ln -sfn {} {}", release, CURRENT)
    return bad(said, Sequence(*before, used, Restart(*(host.services or ["collector"]))))


@check(
    id="release-complete", area="Python environment",
    invariant="The release in use was installed to its end.",
    problem="The installation of the release in use did not come to its end.",
    severity=Status.CRITICAL, remedy=OnController(), caused_by=("release-current", "files-alone"),
)  # fmt: skip
def release_complete(host: Host) -> Finding | None:
    if not host.deployed or not CURRENT.is_dir():
        return None
    if not (CURRENT / ".complete").exists():
        return bad(f"the installation of {CURRENT.resolve()} did not come to its end")
    program = CURRENT.resolve() / "bin/weather-tool"
    with suppress(OSError):
        if program.read_bytes().partition(b"\n")[0].endswith(b"\r"):
            return bad(
                f"the first line of {program} ends in a carriage return: no unit can run it",
                Sequence(Shell("sed -i {} {}", r"s/\r$//", program), _AGAIN),
            )
    return good("its installation came to its end")


@check(
    id="python-runs", area="Python environment",
    invariant="The release's Python runs, and is the one that it was made for.",
    problem="The release's Python cannot run, or is another than it was made for.",
    severity=Status.CRITICAL, remedy=OnController(), caused_by=("release-current", "packages-alone"),
)  # fmt: skip
def python_runs(host: Host) -> Finding | None:
    if not host.deployed or not CURRENT.is_dir():
        return None
    if os.statvfs(CURRENT).f_flag & os.ST_NOEXEC:
        mount = host.mount(CURRENT)
        return bad(
            f"no program may be run on {mount}: it is mounted noexec",
            Sequence(OnMachine("mount -o remount,exec {}", mount), _AGAIN),
        )
    python = CURRENT / "bin/python"
    if not os.access(python, os.X_OK):
        target = f"points at {python.readlink()}, which cannot be run" if python.is_symlink() else "is not there"
        if not os.access(SYSTEM, os.X_OK):
            return bad(f"{python} {target}", OnMachine("apt-get install --reinstall python3-minimal"))
        return bad(f"{python} {target}", Sequence(Shell("ln -sf {} {}", SYSTEM, python), _AGAIN))
    if not (CURRENT / "pyvenv.cfg").exists():
        return bad(
            f"{CURRENT}/pyvenv.cfg is not there: its Python does not find its packages", Sequence(_configured(), _AGAIN)
        )
    if not os.access(CURRENT / "bin/weather-tool", os.X_OK):
        there = (CURRENT / "bin/weather-tool").exists()
        remedy = Sequence(allow("0755", CURRENT / "bin/weather-tool"), _AGAIN) if there else None
        return bad(f"{CURRENT}/bin/weather-tool {'cannot be run' if there else 'is not there'}", remedy)
    with (CURRENT / "bin/weather-tool").open("rb") as file:
        first = file.readline().decode(errors="replace").strip()
    its = f"#!{CURRENT.resolve()}/bin/python -I"
    if not first.startswith(its):
        change = Shell("sed -i {} {}", f"1s|.*|{its}|", CURRENT.resolve() / "bin/weather-tool")
        return bad(f"{CURRENT}/bin/weather-tool begins with {first!r}, not with {its!r}", Sequence(change, _AGAIN))
    made_for = [path.name for path in CURRENT.glob("lib/python3.*")]
    runs = _version(python)
    if not runs:
        return bad(
            f"{python} is {python.resolve()}, which is no Python",
            Sequence(Shell("ln -sf {} {}", SYSTEM, python), _AGAIN),
        )
    if made_for and runs not in made_for:
        return bad(f"the release was made for {made_for[0]}, and the host's is {runs} now")
    # Where the release's own Python runs this, it runs.
    if Path(sys.prefix) != CURRENT.resolve() and (ended := _ended(python)):
        return ended
    return good(f"{runs} runs")


def _ended(python: Path) -> Finding | None:
    """The finding that an interpreter ends as soon as it starts, and what ends it; None where it starts."""
    if not (said := _said(python, "-I")):
        if (CURRENT / "lib" / _version(python) / "site-packages/toolkit").is_dir() and _said(
            python, "-I", "import toolkit"
        ):
            return bad(
                f"{CURRENT}/pyvenv.cfg does not lead its Python to its packages", Sequence(_configured(), _AGAIN)
            )
        return None
    if bare := _said(python, "-IS"):
        return bad(
            f"{python} does not start: {bare.splitlines()[-1]}",
            Sequence(OnMachine(damaged.library_again(bare) or damaged.PYTHON_AGAIN), _AGAIN),
        )
    # It starts without `site`: what `site` runs ends it.
    folders = [
        *map(Path, sys.path),
        Path("/usr/lib/python3/dist-packages"),
        *CURRENT.glob("lib/python3.*/site-packages"),
    ]
    hooks = [Path(name) for name in re.findall(r'File "(/[^"]+)"', said) if Path(name).name in _RUN_FIRST]
    hooks += [path for folder in folders for name in sorted(_RUN_FIRST) if (path := Path(folder, name)).exists()]
    if not hooks:
        return bad(f"{python} does not start: {said.splitlines()[-1]}")
    hook = hooks[0].resolve()
    return bad(
        f"{hook}, which Python runs whenever it starts, ends it: {said.splitlines()[-1]}",
        Sequence(put_aside(hook), _AGAIN),
    )


def _said(python: Path, options: str, code: str = "") -> str:
    """What an interpreter says that does not run some code; empty where it runs it."""
    try:
        done = subprocess.run(  # noqa: S603
            [python, options, "-c", f"{code}\nprint(1)"],
            capture_output=True, text=True, errors="replace", timeout=START_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"it does not come to the first line of a program within {START_SECONDS:g} s"
    except OSError as error:
        return reason(error)
    return "" if done.stdout.strip() == "1" else done.stderr.strip() or f"exit code {done.returncode}"


def _configured() -> Remedy:
    """Write what tells the release's Python where it is."""
    lines = "home = /usr/bin\\ninclude-system-site-packages = false\\n"
    return Shell("printf {} > {}", lines, CURRENT / "pyvenv.cfg")


def _version(python: Path) -> str:
    """The version of an interpreter, such as `python3.11`, by its name: it is not run."""
    found = re.search(r"python3\.\d+$", python.resolve().name)
    return found[0] if found else ""


@check(
    id="packages-complete", area="Python environment",
    invariant="Every package that the service needs is there.",
    problem="A package that the service needs is missing.",
    severity=Status.CRITICAL, remedy=OnController(), caused_by=("release-current", "release-complete"),
)  # fmt: skip
def packages_complete(host: Host) -> Finding | None:
    folders = [str(path) for path in CURRENT.glob("lib/python3.*/site-packages")] if host.deployed else sys.path
    if not folders:
        return None
    for folder in map(Path, folders):
        closed = [path for path in _entries(folder) if _is_closed(path)]
        if closed:
            # What releases share is behind a link.
            its = closed[0].resolve().parent
            return bad(
                f"the service user may not read {closed[0]}",
                Sequence(Shell("chmod -R a+rX {}", its), _AGAIN),
            )
    found = {
        _plain(path.stem.partition("-")[0]): path
        for folder in map(Path, folders)
        for path in _entries(folder)
        if path.suffix in {".dist-info", ".egg-info"}
    }
    missing = _required(found.get("weather-toolkit")) - set(found)
    missing |= {name for name, path in found.items() if _gone(path)}
    if missing:
        return bad(f"not installed, or not whole: {', '.join(sorted(missing))}")
    return good(f"{len(found)} packages")


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _is_closed(path: Path) -> bool:
    """Whether something is there that may not be read."""
    try:
        may = os.R_OK | (os.X_OK if stat.S_ISDIR(path.stat().st_mode) else 0)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return not os.access(path, may)


def _commands(record: Path) -> set[str]:
    """The names of the commands that a package brought: jmespath's is a module, jp.py."""
    with record.open(encoding="utf-8", newline="") as file:
        return {name[0].rpartition("/")[2] for name in csv.reader(file) if name and name[0].startswith("../../../bin/")}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _required(toolkit: Path | None) -> set[str]:
    """The packages that the toolkit needs on every system and Python, without extras, and itself, by its metadata."""
    requires = (toolkit and PathDistribution(toolkit).requires) or ()
    return {"weather-toolkit"} | {
        _plain(re.split(r"[\s<>=!~\[;(]", text, maxsplit=1)[0]) for text in requires if ";" not in text
    }


def _gone(info: Path) -> bool:
    """Whether the metadata or a module of a package is missing, by its folder of metadata.

    Its list of files is read as a text: importlib.metadata makes an object of each of thousands of files, and since
    Python 3.12 leaves out those that are missing.
    """
    if info.suffix == ".egg-info":  # of a package of Debian, which has no list
        return False
    if not (info / "METADATA").exists():
        return True
    try:
        text = (info / "RECORD").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return False
    return any(not (info.parent / name).exists() for name in _MODULE.findall(text))


@check(
    id="packages-alone", area="Python environment",
    invariant="Nothing is among the release's packages that was not installed with it.",
    problem="Something is among the release's packages that was not installed with it.",
    severity=Status.WARNING, remedy=OnController(), caused_by=("release-current", "release-complete"),
)  # fmt: skip
def packages_alone(host: Host) -> Finding | None:
    if not host.deployed or not CURRENT.is_dir():
        return None
    records = list(CURRENT.glob("lib/python3.*/site-packages/*.dist-info/RECORD"))
    known = _OF_UV.union(*map(_commands, records))
    beside = [path for path in _entries(CURRENT / "bin") if path.suffix in _MODULES and path.name not in known]
    if beside:
        away = Sequence(Shell("rm -r -- {}", beside[0]), _AGAIN)
        return bad(f"{beside[0]} was not installed with the release, and has the name of a module", away)
    for folder in CURRENT.glob("lib/python3.*/site-packages"):
        installed = {"__pycache__"}
        for record in folder.glob("*.dist-info/RECORD"):
            installed.add(record.parent.name)
            with record.open(encoding="utf-8") as file:
                installed |= {line.partition("/")[0].partition(",")[0] for line in file}
        foreign = sorted(path for path in folder.iterdir() if path.name not in installed)
        # What Python runs whenever it starts comes first.
        foreign.sort(key=lambda path: path.suffix != ".pth" and path.name not in _RUN_FIRST)
        if foreign:
            first = foreign[0]
            runs = first.suffix == ".pth" or first.name in _RUN_FIRST
            what = "was not installed with the release" + (", and Python runs it whenever it starts" if runs else "")
            return bad(f"{first} {what}", Sequence(Shell("rm -r -- {}", first), _AGAIN))
    return good("every package was installed with the release")


@check(
    id="packages-whole", area="Python environment",
    invariant="The files of packages are as they were installed.",
    problem="A file of a package is missing, or is not as it was installed.",
    severity=Status.WARNING, remedy=OnController(), caused_by=("release-complete", "packages-complete"), costly=True,
)  # fmt: skip
def packages_whole(host: Host) -> Finding | None:
    """Compare the sizes of all files with those that were installed, and of the toolkit's own also the hashes."""
    if not host.deployed or not CURRENT.is_dir():
        return None
    number = 0
    for record in CURRENT.glob("lib/python3.*/site-packages/*.dist-info/RECORD"):
        with record.open(encoding="utf-8", newline="") as file:
            for name, digest, size in csv.reader(file):
                # What is written beside the packages, such as commands, is not installed with a release.
                if not size or ".." in name or name.endswith(".pyc"):
                    continue
                number += 1
                wrong = _wrong(
                    f"{record.parent.parent}/{name}", int(size), digest if name.startswith("toolkit/") else ""
                )
                if wrong:
                    return bad(wrong)
    return good(f"{number} files are as they were installed")


def _wrong(path: str, size: int, digest: str) -> str:
    """What is wrong with a file; its hash is compared where one is given."""
    try:
        found = os.stat(path)  # noqa: PTH116 - for thousands
    except FileNotFoundError:
        return f"{path} is not there"
    if found.st_size != size or (digest and f"sha256={_hash(path)}" != digest):
        return f"{path} is not as it was installed"
    return ""


def _hash(path: str) -> str:
    return urlsafe_b64encode(sha256(Path(path).read_bytes()).digest()).rstrip(b"=").decode()


@check(
    id="command-present", area="Python environment",
    invariant="The commands are where people and cron look for them, as they were deployed.",
    problem="A command is missing, cannot be run, or is another one.",
    severity=Status.WARNING, remedy=OnController(), quick=True,
)  # fmt: skip
def command_present(host: Host) -> Finding | None:
    if not host.deployed:
        return None
    wanted = _COMMANDS if host.scheduler == CRON else {COMMAND: _COMMANDS[COMMAND]}
    for command, begins in wanted.items():
        try:
            found = command.stat()
        except FileNotFoundError:
            return bad(f"{command} is not there", mended(host, command))
        if found.st_mode & 0o111 != 0o111:
            return bad(f"{command} cannot be run: mode {mode_of(found)}", allow("0755", command))
        with command.open("rb") as file:
            if not file.read(len(begins)).startswith(begins):
                return bad(f"{command} is not the one that was deployed", mended(host, command))
    lacking = [name for name in _PROGRAMS if not shutil.which(name)] if host.scheduler == CRON else []
    if lacking:
        return bad(
            f"{', '.join(lacking)}, by which cron's jobs are begun, is not installed",
            OnMachine("apt-get install --yes --reinstall util-linux coreutils"),
            Status.CRITICAL,
        )
    return good(f"{COMMAND}")

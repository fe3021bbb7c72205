"""Checks of the release: its Python, its packages, and the command. Made with another Python where this one is gone."""

from __future__ import annotations

import csv
import os
import re
import sys
from base64 import urlsafe_b64encode
from hashlib import sha256
from importlib.metadata import Distribution, distributions
from pathlib import Path

from toolkit.checks import Check, Finding, Status, bad, good
from toolkit.checks.host import ANSIBLE, CURRENT, RELEASES, Host

SYSTEM = Path("/usr/bin/python3")
COMMAND = Path("/usr/local/bin/weather-tool")
_AGAIN = "systemctl restart weather-collector.service"
_ANEW = "rm -f {release}/.complete  # then, on the controller: ansible-playbook site.yml"


def _current(host: Host) -> Finding | None:
    if not host.deployed:
        return None
    if CURRENT.is_dir():
        return good(f"{CURRENT} is {CURRENT.resolve().name}")
    complete = sorted(RELEASES.glob("*/.complete"), key=lambda file: file.stat().st_mtime)
    where = f"points at {CURRENT.readlink()}, which is not there" if CURRENT.is_symlink() else "is not there"
    remedy = f"ln -sfn {complete[-1].parent} {CURRENT} && {_AGAIN}" if complete else ""
    return bad(f"{CURRENT} {where}", remedy)


def _complete(host: Host) -> Finding | None:
    if not host.deployed or not CURRENT.is_dir():
        return None
    if not (CURRENT / ".complete").exists():
        return bad(f"the installation of {CURRENT.resolve()} did not come to its end")
    return good("its installation came to its end")


def _python(host: Host) -> Finding | None:
    if not host.deployed or not CURRENT.is_dir():
        return None
    python = CURRENT / "bin/python"
    if not os.access(python, os.X_OK):
        target = f"points at {python.readlink()}, which cannot be run" if python.is_symlink() else "is not there"
        if not os.access(SYSTEM, os.X_OK):
            return bad(f"{python} {target}", "apt-get install --reinstall python3-minimal")
        return bad(f"{python} {target}", f"ln -sf {SYSTEM} {python} && {_AGAIN}")
    if not (CURRENT / "pyvenv.cfg").exists():
        again = f"printf 'home = /usr/bin\\ninclude-system-site-packages = false\\n' > {CURRENT}/pyvenv.cfg && {_AGAIN}"
        return bad(f"{CURRENT}/pyvenv.cfg is not there: its Python does not find its packages", again)
    if not os.access(CURRENT / "bin/weather-tool", os.X_OK):
        there = (CURRENT / "bin/weather-tool").exists()
        remedy = (
            f"chmod 0755 {CURRENT}/bin/weather-tool && {_AGAIN}" if there else _ANEW.format(release=CURRENT.resolve())
        )
        return bad(f"{CURRENT}/bin/weather-tool {'cannot be run' if there else 'is not there'}", remedy)
    made_for = [path.name for path in CURRENT.glob("lib/python3.*")]
    runs = _version(python)
    if runs and made_for and runs not in made_for:
        return bad(
            f"the release was made for {made_for[0]}, and the host's is {runs} now",
            _ANEW.format(release=CURRENT.resolve()),
        )
    return good(f"{runs or 'its Python'} runs")


def _version(python: Path) -> str:
    """`python3.11` of an interpreter, by its name: it is not run."""
    found = re.search(r"python3\.\d+$", python.resolve().name)
    return found[0] if found else ""


def _packages(host: Host) -> Finding | None:
    folders = [str(path) for path in CURRENT.glob("lib/python3.*/site-packages")] if host.deployed else sys.path
    if not folders:
        return None
    found = {_plain(one.metadata["Name"] or ""): one for one in distributions(path=folders)}
    missing = {name for one in found.values() for name in _required(one)} - set(found)
    missing |= {name for name, one in found.items() if _gone(one)}
    if "weather-toolkit" not in found:
        missing.add("weather-toolkit")
    if missing:
        remedy = _ANEW.format(release=CURRENT.resolve()) if host.deployed else ""
        return bad(f"not installed, or not whole: {', '.join(sorted(missing))}", remedy)
    return good(f"{len(found)} packages")


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _required(one: Distribution) -> set[str]:
    """What a package needs always: not for an extra, another system or another Python."""
    if _plain(one.metadata["Name"] or "") != "weather-toolkit":
        return set()
    return {_plain(re.split(r"[\s<>=!~\[;(]", text, maxsplit=1)[0]) for text in one.requires or () if ";" not in text}


def _gone(one: Distribution) -> bool:
    """Whether a module or a package that was installed is not there."""
    tops = [file for file in one.files or () if re.fullmatch(r"[\w.-]+/__init__\.py|\w+\.py", str(file))]
    return any(not Path(str(one.locate_file(file))).exists() for file in tops)


def _whole(host: Host) -> Finding | None:
    """Whether files of packages are as large as they were when they were installed, and our own the same."""
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
                    return bad(wrong, _ANEW.format(release=CURRENT.resolve()))
    return good(f"{number} files are as they were installed")


def _wrong(path: str, size: int, digest: str) -> str:
    """What is wrong with a file; of a hash only where one is given."""
    try:
        found = os.stat(path)  # noqa: PTH116 - for thousands
    except FileNotFoundError:
        return f"{path} is not there"
    if found.st_size != size or (digest and f"sha256={_hash(path)}" != digest):
        return f"{path} is not as it was installed"
    return ""


def _hash(path: str) -> str:
    return urlsafe_b64encode(sha256(Path(path).read_bytes()).digest()).rstrip(b"=").decode()


def _command(host: Host) -> Finding | None:
    if not host.deployed:
        return None
    if not os.access(COMMAND, os.X_OK):
        return bad(f"{COMMAND} is not there or cannot be run")
    return good(f"{COMMAND}")


CHECKS = (
    Check(
        "release-current", "Python environment", "A release is installed and in use.", Status.CRITICAL, _current,
        ANSIBLE,
    ),
    Check(
        "release-complete", "Python environment", "The release in use was installed to its end.", Status.CRITICAL,
        _complete, ANSIBLE, ("release-current",),
    ),
    Check(
        "python-runs", "Python environment", "The release's Python runs, and is the one that it was made for.",
        Status.CRITICAL, _python, ANSIBLE, ("release-current",),
    ),
    Check(
        "packages-complete", "Python environment", "Every package that the service needs is there.", Status.CRITICAL,
        _packages, ANSIBLE, ("release-current", "release-complete"),
    ),
    Check(
        "packages-whole", "Python environment", "The files of packages are as they were installed.", Status.WARNING,
        _whole, ANSIBLE, ("release-complete", "packages-complete"), costly=True,
    ),
    Check(
        "command-present", "Python environment", "The command weather-tool is where people look for it.",
        Status.WARNING, _command, ANSIBLE,
    ),
)  # fmt: skip

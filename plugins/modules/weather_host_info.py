#!/usr/bin/python
"""Ansible module: all that a rollout asks of a host before it changes anything, in one step."""

from __future__ import annotations

DOCUMENTATION = """
module: weather_host_info
short_description: See what of the weather service is on a host, and runs
description:
  - Looks and changes nothing. A task for each question would cost a connection's round trip for each.
attributes:
  check_mode:
    description: Looks, and changes nothing in either mode.
    support: full
options:
  release:
    description: The folder of the release that is to be installed.
    type: path
    required: true
  packages:
    description: The hash of the locked packages that it needs.
    type: str
    required: true
  schedulers:
    description: The schedulers, by name, with a regular expression of the paths of their files as C(files).
    type: dict
    required: true
  folders:
    description: The folders that settings name, with the setting of each, as C(path) and C(setting).
    type: list
    elements: dict
    default: []
author: The weather-toolkit developers
"""

EXAMPLES = """
- name: See what the host has
  weather.toolkit.weather_host_info:
    release: /opt/weather/releases/1.5.0+701ffc7a
    packages: 7b1626643dbfbb569ff90b4c597368dbf64c43c4b9e546e4e1c36b411751e069
    schedulers:
      systemd: {files: /etc/systemd/system/weather-}
  register: host
"""

RETURN = """
kind:
  description: The version of the host's python3 and its architecture, such as 3.11-x86_64.
  type: str
  returned: always
fresh:
  description: Whether nothing was ever deployed here.
  type: bool
  returned: always
deployed:
  description: The fingerprint of what was deployed last and found healthy; empty where a rollout did not end.
  type: str
  returned: always
running:
  description: The folder of the release in use; empty for none.
  type: str
  returned: always
previous:
  description: The folder of the release that can be gone back to; empty for none.
  type: str
  returned: always
installed:
  description: Whether the release is there, installed to its end for this Python, and no file of it is missing.
  type: bool
  returned: always
beside:
  description: >-
    Whether its packages are there for another release, each file of them as it was installed. Looked for only where the
    release is not installed.
  type: bool
  returned: always
packages:
  description: The folder of its packages, or where they are to be installed.
  type: str
  returned: always
all_packages:
  description: The folders of packages.
  type: list
  returned: always
packages_of:
  description: The folder of packages that a release has links to, by the release's folder.
  type: dict
  returned: always
unpacked:
  description: Whether a bundle is there that was unpacked by a run which died.
  type: bool
  returned: always
releases:
  description: The folders of all releases, the newest first.
  type: list
  returned: always
schedulers:
  description: The schedulers that have something to run.
  type: list
  returned: always
credentials:
  description: The secrets that are there, by name.
  type: list
  returned: always
units:
  description: The service's units, by name.
  type: list
  returned: always
up:
  description: Those that are active and come back with the host.
  type: list
  returned: always
unfit:
  description: What is wrong with the folders that settings name, each with the setting.
  type: list
  returned: always
stale:
  description: Whether a service was started before a part of it was replaced, by a run that did not end.
  type: bool
  returned: always
leased:
  description: Whether a run of a playbook changes the host, or has died while it did.
  type: bool
  returned: always
"""

import base64
import csv
import hashlib
import platform
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.weather.toolkit.plugins.module_utils.weather_lease import holder
from ansible_collections.weather.toolkit.plugins.module_utils.weather_unfit import unfit

PYTHON = "/usr/bin/python3"
OPT = Path("/opt/weather")
# Of releases that need the same: each of them has links to a folder of these.
PACKAGES = OPT / "packages"
ETC = Path("/etc/weather")
UNITS = Path("/etc/systemd/system")
OLDEST = (3, 11)


def python_of(module: AnsibleModule) -> str:
    """The version of the Python that releases are made for, which need not be the one that Ansible uses."""
    if not Path(PYTHON).exists():
        module.fail_json(msg=f"there is no {PYTHON}: apt-get install python3")
    _, printed, _ = module.run_command(
        [PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], check_rc=True
    )
    version = str(printed.strip())
    if tuple(map(int, version.split("."))) < OLDEST:
        module.fail_json(msg=f"{PYTHON} is {version}, older than {OLDEST[0]}.{OLDEST[1]}: upgrade this host")
    return version


def target_of(link: Path) -> str:
    """Where a link points, if that is there; else an empty text."""
    return str(link.resolve()) if link.is_symlink() and link.exists() else ""


def text_of(file: Path) -> str:
    """What a file holds; empty where there is none."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def has(release: Path, packages: str, python: str) -> bool:
    """Whether a release was installed to its end, with these packages, for this Python."""
    return text_of(release / ".complete") == packages and (release / "lib" / f"python{python}").is_dir()


def site_of(release: Path, python: str) -> Path:
    """Where a release's packages are."""
    return release / "lib" / f"python{python}" / "site-packages"


def recorded(site: Path) -> Iterator[list[str]]:
    """The name, digest and size of each file that was installed, by the packages' RECORDs (PEP 376)."""
    for record in site.glob("*.dist-info/RECORD"):
        with record.open(newline="", encoding="utf-8") as lines:
            yield from csv.reader(lines)


def is_there(release: Path, python: str) -> bool:
    """Whether its command is there, and every file of its packages with the size that it was installed with."""
    site = site_of(release, python)
    for name, _, size in recorded(site):
        if not size or name.startswith(".."):
            continue
        try:
            if (site / name).stat().st_size != int(size):
                return False
        except OSError:
            return False
    return (release / "bin" / "weather-tool").exists() and (site / "toolkit").is_dir()


def is_whole(folder: Path, python: str) -> bool:
    """Whether every file of a folder of packages is as it was installed."""
    site = site_of(folder, python)
    for name, digest, _ in recorded(site):
        # Of commands a release has the installer alone.
        if not digest or (name.startswith("..") and not name.endswith("bin/uv")):
            continue
        algorithm, _, wanted = digest.partition("=")
        try:
            found = hashlib.new(algorithm, (site / name).read_bytes()).digest()
        except OSError:
            return False
        if base64.urlsafe_b64encode(found).rstrip(b"=").decode() != wanted:
            return False
    return True


def packages_for(lock: str, python: str) -> tuple[Path, bool]:
    """The folder of the packages of a lock, by its hash, and whether they are there and whole; else a free one."""
    named = f"{lock[:12]}-"
    for folder in sorted(PACKAGES.glob(f"{named}*")):
        if has(folder, lock, python) and is_whole(folder, python):
            return folder, True
    return next(one for number in count(1) if not (one := PACKAGES / f"{named}{number}").exists()), False


def packages_of(release: Path) -> str:
    """The folder of packages that a release has links to; empty where it has packages of its own."""
    uv = release / "bin/uv"
    folder = uv.readlink().parent.parent if uv.is_symlink() else OPT
    return str(folder) if folder.parent == PACKAGES else ""


def up_of(module: AnsibleModule, units: list[str]) -> list[str]:
    """Those units that are active and enabled."""
    if not units or not Path("/run/systemd/system").is_dir():
        return []
    _, shown, _ = module.run_command(["systemctl", "show", "--property=Id,ActiveState,UnitFileState", *units])
    blocks = [block.splitlines() for block in shown.split("\n\n")]
    return [
        line.partition("=")[2]
        for block in blocks
        if "ActiveState=active" in block and "UnitFileState=enabled" in block
        for line in block
        if line.startswith("Id=")
    ]


def files_of(scheduler: dict[str, str]) -> list[Path]:
    """The files that say what a scheduler runs: `files` is a regular expression of their paths."""
    folder = Path(scheduler["files"].replace("\\", "")).parent
    return [path for path in folder.glob("*") if re.match(scheduler["files"], str(path))]


def is_stale(units: list[str], files: list[Path]) -> bool:
    """Whether a part of a service is newer than the service: its run-time folder, or its pid's file."""
    parts = [OPT / "current", ETC / "weather.env", ETC / "sources.toml", *files]
    changed = max((part.lstat().st_mtime for part in parts if part.is_symlink() or part.exists()), default=0.0)
    started = [Path("/run", name.removesuffix(".service")) for name in units if name.endswith(".service")]
    started += Path("/run/weather").glob("*.pid")
    return any(one.stat().st_mtime < changed for one in started if one.exists())


def main() -> None:
    """Run the module."""
    options = {
        "release": {"type": "path", "required": True},
        "packages": {"type": "str", "required": True},
        "schedulers": {"type": "dict", "required": True},
        "folders": {"type": "list", "elements": "dict", "default": []},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    release, packages = Path(module.params["release"]), module.params["packages"]
    python = python_of(module)
    folders = [path for path in (OPT / "releases").glob("*") if path.is_dir()]
    releases = sorted(folders, key=lambda folder: folder.stat().st_mtime, reverse=True)
    units = sorted(path.name for path in UNITS.glob("weather-*") if re.search(r"\.(service|timer)$", path.name))
    own = [name for name in units if "@" not in name]
    of_schedulers = {name: files_of(one) for name, one in module.params["schedulers"].items()}
    installed = has(release, packages, python) and is_there(release, python)
    its_packages, beside = (packages_of(release), False) if installed else packages_for(packages, python)
    module.exit_json(
        changed=False,
        kind=f"{python}-{platform.machine()}",
        fresh=not ETC.exists(),
        deployed=text_of(ETC / "deployed"),
        running=target_of(OPT / "current"),
        previous=target_of(OPT / "previous"),
        installed=installed,
        beside=beside,
        packages=str(its_packages),
        all_packages=[str(path) for path in PACKAGES.glob("*")],
        packages_of={str(one): shared for one in releases if (shared := packages_of(one))},
        unpacked=(OPT / "incoming").exists(),
        releases=[str(one) for one in releases],
        schedulers=[name for name, files in of_schedulers.items() if files],
        credentials=sorted(file.name for file in (ETC / "credentials").glob("*")),
        units=units,
        up=up_of(module, own),
        stale=is_stale(own, [file for files in of_schedulers.values() for file in files]),
        leased=bool(holder()),
        unfit=unfit(module.params["folders"]),
    )


if __name__ == "__main__":
    main()

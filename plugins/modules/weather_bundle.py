#!/usr/bin/python
"""Ansible module: a release as files that a host can install without internet access."""

from __future__ import annotations

DOCUMENTATION = """
module: weather_bundle
short_description: Name a release of weather-toolkit, and build its bundles
description:
  - Runs on the controller. For each target it makes a tar file with the toolkit's wheel, the wheels of all that it
    depends on, the installer uv, and the script that installs them.
  - The hashes in requirements/hosts.txt and uv.txt say which wheels these are. None of an index is asked for, and none
    that was brought before is taken again without another look.
  - For hosts that have the same packages already it makes one that brings the toolkit alone, a hundredth as large.
  - A release is named by the version and a hash of what it is made from, so that equal sources give the same
    release and a changed line gives another.
attributes:
  check_mode:
    description: Builds nothing, and says what it would build.
    support: full
options:
  project:
    description: The toolkit's source tree.
    type: path
    required: true
  folder:
    description: Where bundles and wheels are kept. What no run has needed for a day is removed.
    type: path
    required: true
  targets:
    description: >-
      The kinds of hosts, by Python version and architecture, such as 3.11-x86_64. Not given, nothing is built.
    type: list
    elements: str
author: The weather-toolkit developers
"""

EXAMPLES = """
- name: Name the release that these sources make
  weather.toolkit.weather_bundle:
    project: /home/maria/weather-toolkit
    folder: /home/maria/weather-toolkit/dist/bundles
  delegate_to: localhost

- name: Build what a Debian 12 and a Debian 13 need to install it
  weather.toolkit.weather_bundle:
    project: /home/maria/weather-toolkit
    folder: /home/maria/weather-toolkit/dist/bundles
    targets: [3.11-x86_64, 3.13-x86_64]
  delegate_to: localhost
"""

RETURN = """
release:
  description: The release's name.
  type: str
  returned: always
packages:
  description: A hash of what is locked; releases that have it in common have the same packages.
  type: str
  returned: always
bundles:
  description: The path of each kind's bundle; of the toolkit alone, by `toolkit`.
  type: dict
  returned: always
digests:
  description: The sha256 of each bundle, by kind; empty texts where none was built.
  type: dict
  returned: always
"""

import fcntl
import hashlib
import re
import shutil
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.weather.toolkit.plugins.module_utils.weather_lock import (
    LockError,
    Package,
    digest_of,
    packages_of,
    wheels_of,
)

# glibc versions that wheels are built for; Debian 12 has 2.36.
MANYLINUX = ["2_17", "2_24", "2_27", "2_28", "2_31", "2_34", "2_35", "2_36"]
# The bundle of the toolkit alone, among those of targets.
TOOLKIT = "toolkit"
VERSION_FILE = Path("toolkit", "__init__.py")
INSTALLER = Path("roles", "weather", "files", "install.sh")
# For how long what no run needs stays: another run, of other sources, may be about to bring it to its hosts.
KEPT_SECONDS = 24 * 3600


def sources(project: Path) -> list[Path]:
    """What a release is made from."""
    code = [path for path in (project / "toolkit").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return sorted([*code, project / INSTALLER, project / "pyproject.toml", *locks_of(project)])


def locks_of(project: Path) -> list[Path]:
    """Where the packages are locked that a release needs, and what installs them."""
    return [project / "requirements" / name for name in ("hosts.txt", "uv.txt")]


def hash_of(project: Path, files: list[Path]) -> str:
    """A hash of files' names and contents."""
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(project)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def name_of(project: Path) -> str:
    """The release's name: VERSION+HASH, in the form of PEP 440; the version is the one that the tree names."""
    named = re.search(r'^__version__ = "(.+)"$', (project / VERSION_FILE).read_text(encoding="utf-8"), re.MULTILINE)
    if named is None:
        raise LockError(f"{VERSION_FILE} names no __version__")
    return f"{named[1]}+{hash_of(project, sources(project))[:8]}"


class Builder:
    """Builds bundles with the tools of the controller's own venv."""

    def __init__(self, module: AnsibleModule, project: Path, release: str, packages: str) -> None:
        self._module = module
        self._project = project
        self._release = release
        self._packages = packages

    def _pip(self, *words: str) -> tuple[int, str]:
        """Run pip; returns its exit code and what it said of errors."""
        command = [sys.executable, "-m", "pip", *words, "--quiet", "--disable-pip-version-check"]
        code, _, err = self._module.run_command(command, cwd=str(self._project))
        return code, str(err)

    def build(self, to: dict[str, Path]) -> dict[str, str]:
        """Write bundles to these paths, by kind, each whole or not at all; returns the digest of each."""
        digests = {}
        folder = next(iter(to.values())).parent
        locked = {kind: self._locked_wheels(folder / f"wheels-{kind}", kind) for kind in to if kind != TOOLKIT}
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            bundle = Path(scratch) / self._release
            (bundle / "wheels").mkdir(parents=True)
            shutil.copy2(self._project / INSTALLER, bundle)
            (bundle / "packages").write_text(f"{self._packages}\n")
            wheel = self._wheel(bundle / "wheels")
            (bundle / "toolkit.txt").write_text(_requirement(wheel))
            for kind, path in to.items():
                if kind != TOOLKIT:
                    for one in locked[kind]:
                        shutil.copyfile(one, bundle / "wheels" / one.name)
                    # What was copied is what is looked at: others may write where wheels are kept.
                    wheels = wheels_of(bundle / "wheels", packages_of(locks_of(self._project), kind))
                    (bundle / "packages.txt").write_text("".join(map(_requirement, wheels.values())))
                digests[kind] = self._pack(bundle, path)
                for added in set((bundle / "wheels").iterdir()) - {wheel}:
                    added.unlink()
        return digests

    def _pack(self, bundle: Path, to: Path) -> str:
        """The same content gives the same file: who builds it a second time takes nothing from under another run."""
        partial = bundle.parent / "bundle.tar"
        with tarfile.open(partial, "w") as tar:
            tar.add(bundle, self._release, filter=_as_every_time)
        digest = digest_of(partial)
        partial.replace(to)
        return digest

    def _wheel(self, wheels: Path) -> Path:
        """Build the toolkit's own wheel, from what is installed here alone."""
        words = ["--isolated", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), "."]
        code, err = self._pip("wheel", *words)
        if code:
            self._module.fail_json(msg=f"the toolkit's wheel cannot be built: {_last_line(err)}", stderr=err)
        (wheel,) = wheels.iterdir()
        return wheel

    def _locked_wheels(self, kept: Path, kind: str) -> list[Path]:
        """The wheels that are locked for a kind of host, from those kept here and, for what is not there, an index."""
        kept.mkdir(exist_ok=True)
        packages = packages_of(locks_of(self._project), kind)
        wheels = wheels_of(kept, packages)
        if lacking := [one for name, one in packages.items() if name not in wheels]:
            with tempfile.TemporaryDirectory(dir=kept) as scratch:
                self._download(Path(scratch), lacking, kind)
                for name, wheel in wheels_of(Path(scratch), packages).items():
                    wheels[name] = wheel.replace(kept / wheel.name)
        if missing := sorted(set(packages) - set(wheels)):
            raise LockError(f"for {kind} there is no wheel of {', '.join(missing)}")
        for wheel in wheels.values():
            wheel.touch()
        return [wheels[name] for name in sorted(wheels)]

    def _download(self, to: Path, lacking: list[Package], kind: str) -> None:
        python, architecture = kind.split("-", 1)
        requirements = to / "lacking.txt"
        requirements.write_text("".join(f"{one.line()}\n" for one in lacking))
        platforms = [f"--platform=manylinux_{glibc}_{architecture}" for glibc in MANYLINUX]
        code, err = self._pip(
            "download", "--require-hashes", "--no-deps", "--only-binary=:all:", f"--python-version={python}",
            *platforms, f"--platform=manylinux2014_{architecture}", "--dest", str(to), "-r", str(requirements),
        )  # fmt: skip
        if code:
            other = re.findall(r"^\s*(\S+==\S+)[^\n]* from (\S+)[^\n]*:\n\s+Expected", err, re.MULTILINE)
            told = "; ".join(f"{name} from {place} is not a file that requirements/ locks" for name, place in other)
            self._module.fail_json(msg=f"nothing was built for {kind}: {told or _last_line(err)}", stderr=err)


def _requirement(wheel: Path) -> str:
    """The line by which exactly this file is installed."""
    return f"./wheels/{wheel.name} --hash=sha256:{digest_of(wheel)}\n"


def _last_line(said: str) -> str:
    return (said.strip().splitlines() or ["it did not say why"])[-1]


def _as_every_time(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    info.mtime = 0
    info.mode = 0o755 if info.isdir() or info.mode & 0o100 else 0o644
    return info


def clear_away(folder: Path) -> None:
    """Remove what no run has needed for a day."""
    for one in (*folder.glob("weather-*.tar"), *folder.glob("wheels-*/*.whl")):
        if one.stat().st_mtime < time.time() - KEPT_SECONDS:
            one.unlink(missing_ok=True)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "project": {"type": "path", "required": True},
            "folder": {"type": "path", "required": True},
            "targets": {"type": "list", "elements": "str"},
        },
        supports_check_mode=True,
    )
    project, folder, targets = Path(module.params["project"]), Path(module.params["folder"]), module.params["targets"]
    try:
        release = name_of(project)
    except LockError as error:
        module.fail_json(msg=f"nothing was built: {error}")
    packages = hash_of(project, locks_of(project))
    bundles = {TOOLKIT: folder / f"weather-{release}.tar"}
    bundles |= {kind: folder / f"weather-{release}-{kind}.tar" for kind in targets or []}
    told = {"release": release, "packages": packages, "bundles": {kind: str(path) for kind, path in bundles.items()}}
    if targets is None or module.check_mode:
        missing = targets is not None and not all(path.exists() for path in bundles.values())
        module.exit_json(changed=missing, digests=dict.fromkeys(bundles, ""), **told)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # who runs beside waits
        before = {kind: digest_of(path) for kind, path in bundles.items() if path.exists()}
        try:
            digests = Builder(module, project, release, packages).build(bundles)
        except LockError as error:
            module.fail_json(msg=f"nothing was built: {error}")
        clear_away(folder)
    module.exit_json(changed=digests != before, digests=digests, **told)


if __name__ == "__main__":
    main()

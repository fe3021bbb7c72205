#!/usr/bin/python
"""Ansible module: a release as files that a host can install without internet access."""

from __future__ import annotations

DOCUMENTATION = """
module: weather_bundle
short_description: Name a release of weather-toolkit, and build its bundles
description:
  - Runs on the controller. For each target it makes a tar file with the toolkit's wheel, the wheels of all that it
    depends on (locked by hash in requirements/hosts.txt), the installer uv, and the script that installs them.
  - For hosts that have the same packages already it makes one that brings the toolkit alone, a hundredth as large.
  - A release is named by the version and a hash of what it is made from, so that equal sources give the same
    release and a changed line gives another.
options:
  project:
    description: The toolkit's source tree.
    type: path
    required: true
  folder:
    description: Where bundles are kept. Those of other releases are removed.
    type: path
    required: true
  targets:
    description: >-
      The kinds of hosts, by Python version and architecture, such as 3.11-x86_64. Not given, nothing is built.
    type: list
    elements: str
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
"""

import fcntl
import hashlib
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

# glibc versions that wheels are built for; Debian 12 has 2.36.
MANYLINUX = ["2_17", "2_24", "2_27", "2_28", "2_31", "2_34", "2_35", "2_36"]
# The bundle of the toolkit alone, among those of targets.
TOOLKIT = "toolkit"
INSTALLER = Path("roles", "weather", "files", "install.sh")


def sources(project: Path) -> list[Path]:
    """What a release is made from."""
    # Not the version that the build writes: the same sources are the same release, whichever commit they are of.
    code = [
        path
        for path in (project / "toolkit").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "_version.py"
    ]
    return sorted([*code, project / INSTALLER, project / "pyproject.toml", *locked(project)])


def locked(project: Path) -> list[Path]:
    """The packages that a release needs, and what installs them."""
    return [project / "requirements" / name for name in ("hosts.txt", "uv.txt")]


def digest_of(project: Path, files: list[Path]) -> str:
    """A hash of files' names and contents."""
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(project)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def name_of(module: AnsibleModule, project: Path) -> str:
    """The release's name: VERSION+HASH, in the form of PEP 440; the version is that of the newest git tag."""
    git = module.get_bin_path("git")
    describe = [git, "-C", str(project), "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"]
    tag = module.run_command(describe)[1].strip() if git else ""
    return f"{tag.removeprefix('v') or '0.0.0'}+{digest_of(project, sources(project))[:8]}"


class Builder:
    """Builds bundles with the tools of the controller's own venv."""

    def __init__(self, module: AnsibleModule, project: Path, release: str, packages: str) -> None:
        self._module = module
        self._project = project
        self._release = release
        self._packages = packages

    def _run(self, *words: str) -> str:
        _, out, _ = self._module.run_command([sys.executable, "-m", *words], check_rc=True, cwd=str(self._project))
        return str(out)

    def build(self, to: dict[str, Path]) -> None:
        """Write bundles to these paths, by kind, each whole or not at all."""
        folder = next(iter(to.values())).parent
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            bundle = Path(scratch) / self._release
            (bundle / "wheels").mkdir(parents=True)
            shutil.copy2(self._project / INSTALLER, bundle)
            (bundle / "packages").write_text(f"{self._packages}\n")
            (bundle / "toolkit.txt").write_text(self._wheel(bundle / "wheels"))
            (wheel,) = (bundle / "wheels").iterdir()
            for kind, path in to.items():
                if kind != TOOLKIT:
                    self._add_packages(bundle, *kind.split("-"))
                self._pack(bundle, path)
                for added in set((bundle / "wheels").iterdir()) - {wheel}:
                    added.unlink()

    def _pack(self, bundle: Path, to: Path) -> None:
        partial = bundle.parent / "bundle.tar"
        with tarfile.open(partial, "w") as tar:
            tar.add(bundle, self._release, filter=_owned_by_root)
        partial.replace(to)

    def _wheel(self, wheels: Path) -> str:
        """Build the toolkit's own wheel; returns its line of requirements."""
        self._run("pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), ".")
        (wheel,) = wheels.iterdir()
        return f"./wheels/{wheel.name} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"

    def _add_packages(self, bundle: Path, python: str, architecture: str) -> None:
        requirements = bundle / "packages.txt"
        # What of the lock applies to the target: pip would take the controller's own Python for it.
        requirements.write_text(
            self._run(
                "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--no-deps", "--generate-hashes",
                "--python-version", python, "--python-platform", f"{architecture}-unknown-linux-gnu",
                *map(str, locked(self._project)),
            )
        )  # fmt: skip
        platforms = [f"--platform=manylinux_{glibc}_{architecture}" for glibc in MANYLINUX]
        self._run(
            "pip", "download", "-q", "--disable-pip-version-check", "--require-hashes", "--no-deps",
            "--only-binary=:all:", f"--python-version={python}", *platforms, f"--platform=manylinux2014_{architecture}",
            "--dest", str(bundle / "wheels"), "-r", str(requirements),
        )  # fmt: skip


def _owned_by_root(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    return info


def _missing(bundles: dict[str, Path]) -> dict[str, Path]:
    return {kind: path for kind, path in bundles.items() if not path.exists()}


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
    release = name_of(module, project)
    packages = digest_of(project, locked(project))
    bundles = {TOOLKIT: folder / f"weather-{release}.tar"}
    bundles |= {kind: folder / f"weather-{release}-{kind}.tar" for kind in targets or []}
    missing = _missing(bundles) if targets is not None else {}
    if missing and not module.check_mode:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # who runs beside waits, and finds it made
            if missing := _missing(bundles):
                Builder(module, project, release, packages).build(missing)
        for old in folder.glob("weather-*.tar"):
            if not old.name.startswith((f"weather-{release}-", f"weather-{release}.tar")):
                old.unlink(missing_ok=True)
    told = {kind: str(path) for kind, path in bundles.items()}
    module.exit_json(changed=bool(missing), release=release, packages=packages, bundles=told)


if __name__ == "__main__":
    main()

#!/usr/bin/python
"""Ansible module: one file with all that a host needs to install a release without internet access."""

from __future__ import annotations

DOCUMENTATION = """
module: weather_bundle
short_description: Build the bundle of a release of weather-toolkit
description:
  - Runs on the controller. For each target it makes a tar file with the toolkit's wheel, the wheels of all that it
    depends on (locked by hash in requirements/hosts.txt), the installer uv, and the script that installs them.
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
    description: The Python version and the architecture of each kind of host.
    type: list
    elements: dict
    required: true
    options:
      python:
        description: Such as 3.11.
        type: str
        required: true
      architecture:
        description: Such as x86_64.
        type: str
        required: true
"""

RETURN = """
release:
  description: The release's name.
  type: str
  returned: always
bundles:
  description: The path of each target's bundle, by python-architecture.
  type: dict
  returned: always
"""

import hashlib
import shutil
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

# glibc versions that wheels are built for; Debian 12 has 2.36.
MANYLINUX = ["2_17", "2_24", "2_27", "2_28", "2_31", "2_34", "2_35", "2_36"]
UNPACKED = {"uv": "uv"}


def sources(project: Path) -> list[Path]:
    """What a release is made from."""
    # Not the version that the build writes: the same sources are the same release, whichever commit they are of.
    code = [
        path
        for path in (project / "toolkit").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "_version.py"
    ]
    installer = project / "roles" / "weather" / "files" / "install.sh"
    return sorted([*code, installer, project / "pyproject.toml", *(project / "requirements").glob("[hu]*.txt")])


def name_of(module: AnsibleModule, project: Path) -> str:
    """The release's name: VERSION+HASH, in the form of PEP 440; the version is that of the newest git tag."""
    digest = hashlib.sha256()
    for path in sources(project):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(project)}\0{len(content)}\0".encode() + content)
    git = module.get_bin_path("git")
    describe = [git, "-C", str(project), "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"]
    tag = module.run_command(describe)[1].strip() if git else ""
    return f"{tag.removeprefix('v') or '0.0.0'}+{digest.hexdigest()[:8]}"


class Builder:
    """Builds bundles with the tools of the controller's own venv."""

    def __init__(self, module: AnsibleModule, project: Path, release: str) -> None:
        self._module = module
        self._project = project
        self._release = release

    def _run(self, *words: str) -> str:
        _, out, _ = self._module.run_command([sys.executable, "-m", *words], check_rc=True, cwd=str(self._project))
        return out

    def build(self, python: str, architecture: str, to: Path) -> None:
        """Write the bundle of one target to `to`, whole or not at all."""
        with tempfile.TemporaryDirectory(dir=to.parent) as scratch:
            bundle = Path(scratch) / self._release
            wheels = bundle / "wheels"
            wheels.mkdir(parents=True)
            own = self._wheel(wheels)
            locked = self._locked(python, architecture)
            (bundle / "requirements.txt").write_text(locked + own)
            self._download(bundle / "requirements.txt", python, architecture, wheels)
            self._unpack_uv(python, architecture, bundle)
            shutil.copy2(self._project / "roles" / "weather" / "files" / "install.sh", bundle)
            partial = Path(scratch) / "bundle.tar"
            with tarfile.open(partial, "w") as tar:
                tar.add(bundle, self._release, filter=_owned_by_root)
            partial.replace(to)

    def _wheel(self, wheels: Path) -> str:
        """Build the toolkit's own wheel; returns its line for requirements.txt."""
        self._run("pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), ".")
        (wheel,) = wheels.iterdir()
        return f"./wheels/{wheel.name} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"

    def _locked(self, python: str, architecture: str) -> str:
        """The locked dependencies that apply to the target: pip would take the controller's own Python for it."""
        return self._run(
            "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--no-deps", "--generate-hashes",
            "--python-version", python, "--python-platform", f"{architecture}-unknown-linux-gnu",
            "requirements/hosts.txt",
        )  # fmt: skip

    def _download(self, requirements: Path, python: str, architecture: str, wheels: Path) -> None:
        platforms = [f"--platform=manylinux_{glibc}_{architecture}" for glibc in MANYLINUX]
        self._run(
            "pip", "download", "-q", "--disable-pip-version-check", "--require-hashes", "--no-deps",
            "--only-binary=:all:", f"--python-version={python}", *platforms, f"--platform=manylinux2014_{architecture}",
            "--dest", str(wheels), "-r", str(requirements),
        )  # fmt: skip

    def _unpack_uv(self, python: str, architecture: str, bundle: Path) -> None:
        """Put uv's program into the bundle: hosts need no pip, and install in seconds."""
        with tempfile.TemporaryDirectory(dir=bundle) as scratch:
            self._download(self._project / "requirements" / "uv.txt", python, architecture, Path(scratch))
            (wheel,) = Path(scratch).iterdir()
            with zipfile.ZipFile(wheel) as archive:
                (program,) = [name for name in archive.namelist() if name.endswith(".data/scripts/uv")]
                (bundle / "uv").write_bytes(archive.read(program))
        (bundle / "uv").chmod(0o755)


def _owned_by_root(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    return info


def main() -> None:
    """Run the module."""
    target = {"python": {"type": "str", "required": True}, "architecture": {"type": "str", "required": True}}
    module = AnsibleModule(
        argument_spec={
            "project": {"type": "path", "required": True},
            "folder": {"type": "path", "required": True},
            "targets": {"type": "list", "elements": "dict", "required": True, "options": target},
        },
        supports_check_mode=True,
    )
    project, folder = Path(module.params["project"]), Path(module.params["folder"])
    release = name_of(module, project)
    builder = Builder(module, project, release)
    bundles, changed = {}, False
    for wanted in module.params["targets"]:
        name = f"{wanted['python']}-{wanted['architecture']}"
        path = folder / f"weather-{release}-{name}.tar"
        bundles[name] = str(path)
        if path.exists():
            continue
        changed = True
        if not module.check_mode:
            folder.mkdir(parents=True, exist_ok=True)
            builder.build(wanted["python"], wanted["architecture"], path)
    if changed and not module.check_mode:
        for old in folder.glob("weather-*.tar"):
            if not old.name.startswith(f"weather-{release}-"):
                old.unlink()
    module.exit_json(changed=changed, release=release, bundles=bundles)


if __name__ == "__main__":
    main()

"""Build what is published of a version: `make release`, from its tag and a clean tree, into dist/release.

The sdist, the wheel, the Ansible collection, a bundle for each Python and architecture that hosts have, the container
image, bills of materials in CycloneDX form, and the checksums of all of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from toolkit import __version__
from tools import collection

ROOT = Path(__file__).parent.parent
TO = ROOT / "dist" / "release"
# Debian 12 and 13.
TARGETS = ["3.11-x86_64", "3.11-aarch64", "3.13-x86_64", "3.13-aarch64"]
# A Debian 12, for its Python is the bundle's.
BASE_IMAGE = os.environ.get("BASE_IMAGE", "debian:bookworm-slim")


def main() -> int:
    """Build it; returns 1 if the tree is not at the tag of its version, or is not clean."""
    version = __version__
    tags = _git("tag", "--points-at", "HEAD").split()
    if f"v{version}" not in tags or _git("status", "--porcelain"):
        return _refuse(f"not on the tag v{version} with a clean tree: commit, then git tag -a v{version}")
    if f"## {version} (" not in (ROOT / "CHANGELOG.md").read_text("utf-8"):
        return _refuse(f"CHANGELOG.md has no section '## {version} (DATE)': say there what operators notice")
    shutil.rmtree(TO, ignore_errors=True)
    TO.mkdir(parents=True)
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(TO))
    collection.build(TO)
    _wheelhouses()
    _bill_of_materials(version)
    _image(version)
    _checksums()
    print(f"{version}: {', '.join(sorted(path.name for path in TO.iterdir()))}")
    return 0


def _refuse(why: str) -> int:
    print(f"release: {why}", file=sys.stderr)
    return 1


def _wheelhouses() -> None:
    """The bundles that the role would build, built by the role's own module."""
    arguments = {"project": str(ROOT), "folder": str(TO), "targets": TARGETS}
    _run(
        "ansible", "localhost", "-m", "weather.toolkit.weather_bundle", "-a", json.dumps(arguments),
        "-e", f"ansible_python_interpreter={sys.executable}",
    )  # fmt: skip
    for wheels in TO.glob("wheels-*"):
        shutil.rmtree(wheels)
    (TO / ".lock").unlink()


def _bill_of_materials(version: str) -> None:
    """A bill of materials of what hosts install and browsers run, as locked: a list, without a graph."""
    path = _bill(version)
    _run(
        sys.executable, "-W", "ignore::UserWarning", "-m", "cyclonedx_py", "requirements", "requirements/hosts.txt",
        "--pyproject", "pyproject.toml", "--output-reproducible", "--of", "JSON", "--output-file", str(path),
    )  # fmt: skip
    bill = json.loads(path.read_text("utf-8"))
    bill["metadata"]["component"]["version"] = version  # pyproject.toml leaves it to toolkit/__init__.py
    bill["components"] += _in_browsers()
    path.write_text(json.dumps(bill, indent=2) + "\n", encoding="utf-8")


def _bill(version: str, of: str = "") -> Path:
    return TO / f"weather-toolkit-{version}{of}.cdx.json"


def _image_bill(version: str, image: str) -> None:
    """That of the image: the same, and the packages of Debian that are in it."""
    form = "${Package} ${Version} ${Architecture}\n"
    command = ["podman", "run", "--rm", "--network=none", "--entrypoint=dpkg-query", image, "-W", f"-f={form}"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    bill = json.loads(_bill(version).read_text("utf-8"))
    bill["components"] += [
        {
            "type": "library",
            "bom-ref": f"deb-{name}-{architecture}",
            "name": name,
            "version": its,
            "purl": f"pkg:deb/debian/{name}@{quote(its, safe='')}?arch={architecture}",
        }
        for name, its, architecture in map(str.split, said.splitlines())
    ]
    _bill(version, ".image").write_text(json.dumps(bill, indent=2) + "\n", encoding="utf-8")


def _in_browsers() -> list[dict[str, object]]:
    """The packages of npm of which something is in the console's bundle."""
    lock = json.loads((ROOT / "console" / "package-lock.json").read_text("utf-8"))
    return [
        {
            "type": "library",
            "bom-ref": f"npm-{name}",
            "name": name,
            "version": one["version"],
            "purl": f"pkg:npm/{name}@{one['version']}",
            "licenses": [{"license": {"id": one["license"]}}],
        }
        for place, one in sorted(lock["packages"].items())
        if place and not one.get("dev")
        for name in [place.removeprefix("node_modules/")]
    ]


def _image(version: str) -> None:
    """The container image as an archive, from a bundle; left out if its base image is not available."""
    have = subprocess.run(["podman", "image", "exists", BASE_IMAGE], check=False).returncode == 0
    if not have and subprocess.run(["podman", "pull", BASE_IMAGE], check=False, capture_output=True).returncode:
        print(f"release: no registry answers for BASE_IMAGE={BASE_IMAGE}: the image is left out", file=sys.stderr)
        return
    (bundle,) = TO.glob("weather-*-3.11-x86_64.tar")
    name = f"localhost/weather-toolkit:{version}"
    _run(
        "podman", "build", "--format=docker", "--timestamp=0", "--layers",
        "--file=templates/container/Containerfile", f"--tag={name}",
        f"--build-arg=BASE_IMAGE={BASE_IMAGE}", f"--build-arg=RELEASE={version}",
        f"--build-arg=BUNDLE={bundle.name}", f"--build-arg=DIGEST={_digest(bundle)}",
        "--build-arg=PACKAGES=postgresql-client restic", str(TO),
    )  # fmt: skip
    _run("podman", "save", "--format=docker-archive", f"--output={TO / f'weather-toolkit-{version}.image.tar'}", name)
    _image_bill(version, name)


def _checksums() -> None:
    lines = [f"{_digest(path)}  {path.name}\n" for path in sorted(TO.iterdir())]
    (TO / "SHA256SUMS").write_text("".join(lines), encoding="ascii")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def _run(*words: str) -> None:
    subprocess.run(words, cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main())

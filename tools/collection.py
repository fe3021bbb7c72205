"""Build the tree as an Ansible collection, the same sources to the same bytes: `python -m tools.collection FOLDER`."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
# When every file of it was last changed: what hatchling says of those in a wheel.
MOMENT = 1_580_601_600


def build(to: Path) -> Path:
    """Have ansible-galaxy build it into a folder; returns its path.

    Raises:
        subprocess.CalledProcessError: ansible-galaxy could not; it has said why.
    """
    with tempfile.TemporaryDirectory() as scratch:
        galaxy = str(Path(sys.executable).parent / "ansible-galaxy")
        command = [galaxy, "collection", "build", "--output-path", scratch, str(ROOT)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (made,) = Path(scratch).iterdir()
        return _as_every_time(made, to / made.name)


def _as_every_time(made: Path, to: Path) -> Path:
    """Write it anew: files by name, and of one time. Those of ansible-galaxy come as the file system lists them."""
    with tarfile.open(made) as tar:
        members = {one.name: one for one in tar}
        texts = {name: file.read() for name, one in members.items() if (file := tar.extractfile(one))}
    listed = json.loads(texts["FILES.json"])
    listed["files"].sort(key=lambda one: one["name"])
    texts["FILES.json"] = json.dumps(listed, indent=1).encode()
    manifest = json.loads(texts["MANIFEST.json"])
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(texts["FILES.json"]).hexdigest()
    texts["MANIFEST.json"] = json.dumps(manifest, indent=1).encode()
    with (
        to.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=MOMENT) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for name in sorted(members, key=lambda one: (one not in {"MANIFEST.json", "FILES.json"}, one)):
            one = members[name]
            one.mtime, one.pax_headers = MOMENT, {}
            one.size = len(texts.get(name, b""))
            tar.addfile(one, io.BytesIO(texts.get(name, b"")))
    return to


if __name__ == "__main__":
    print(build(Path(sys.argv[1])))

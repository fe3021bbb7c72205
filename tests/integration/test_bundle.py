"""The lock is the truth: what an index, a folder or a host has instead of a locked wheel is refused, by its name."""

from __future__ import annotations

import functools
import hashlib
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KIND = "3.11-x86_64"
RAN = "the bundle's uv was run"
LOCK = importlib.import_module("plugins.module_utils.weather_lock")


def make_wheel(folder: Path, name: str, version: str = "1.0", content: str = "GOOD = True\n") -> Path:
    """A wheel with one module; that of uv has a command that leaves a mark where it is run."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", content)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
        if name == "uv":
            wheel.writestr(f"{name}-{version}.data/scripts/uv", f"#!/bin/sh\n# {content}\necho {RAN!r} >&2\nexit 3\n")
    return path


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass
class Source:
    """A source tree as small as a release can be made from, and an index that has what it locks."""

    project: Path
    index: Path
    address: str
    bundles: Path

    def lock(self, name: str, *lines: str) -> None:
        (self.project / "requirements" / name).write_text("".join(f"{line}\n" for line in lines))

    def offer(self, wheel: Path) -> None:
        """Have the index say of its files what is so, hashes too."""
        page = self.index / "simple" / wheel.name.split("-")[0] / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(f'<a href="/files/{wheel.name}#sha256={digest_of(wheel)}">{wheel.name}</a>')

    def build(self, *kinds: str) -> subprocess.CompletedProcess[str]:
        arguments = {"project": str(self.project), "folder": str(self.bundles), "targets": list(kinds)}
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
        return subprocess.run(
            [
                Path(sys.executable).parent / "ansible", "localhost", "-m", "weather.toolkit.weather_bundle", "-a", json.dumps(arguments),
                "-e", f"ansible_python_interpreter={sys.executable}",
            ],
            cwd=self.project, capture_output=True, text=True, check=False,
            env={
                **clean,
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
                "PIP_INDEX_URL": f"{self.address}/simple/", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1",
            },
        )  # fmt: skip

    def bundle(self) -> Path:
        # Named by the version of the tree, and a hash of it.
        (path,) = self.bundles.glob(f"weather-1.0+????????-{KIND}.tar")
        return path


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Sources, an index that has what they lock, and what was built of them; each test has a copy."""
    folder = tmp_path_factory.mktemp("pristine")
    project = folder / "project"
    (project / "toolkit").mkdir(parents=True)
    (project / "toolkit/__init__.py").write_text('__version__ = "1.0"\n')
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "weather-toolkit"\ndynamic = ["version"]\n[tool.hatch.version]\npath = "toolkit/__init__.py"\n'
        '[tool.hatch.build.targets.wheel]\npackages = ["toolkit"]\n'
    )
    (project / "roles/weather/files").mkdir(parents=True)
    shutil.copy2(ROOT / "roles/weather/files/install.sh", project / "roles/weather/files")
    (project / "requirements").mkdir()
    with serve(folder / "index") as address:
        made = Source(project, folder / "index", address, folder / "bundles")
        wheels = {name: make_wheel(made.index / "files", name) for name in ("aa", "bb", "uv")}
        for wheel in wheels.values():
            made.offer(wheel)
        made.lock(
            "hosts.txt",
            *(f"{name}==1.0 --hash=sha256:{digest_of(wheels[name])}" for name in ("aa", "bb")),
            f"newer==1.0 ; python_full_version >= '3.12' \\\n    --hash=sha256:{'a' * 64}",
            f"arm==1.0 ; platform_machine == 'aarch64' --hash=sha256:{'b' * 64}",
        )
        made.lock("uv.txt", f"uv==1.0 --hash=sha256:{digest_of(wheels['uv'])}")
        done = made.build(KIND)
    assert done.returncode == 0, done.stdout
    assert digest_of(made.bundle()) in done.stdout
    return made


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def source(pristine: Source, tmp_path: Path) -> Iterator[Source]:
    """A copy of all that, with the index up."""
    shutil.copytree(pristine.project.parent, tmp_path, dirs_exist_ok=True)
    with serve(tmp_path / "index") as address:
        yield Source(tmp_path / "project", tmp_path / "index", address, tmp_path / "bundles")


def test_a_bundle_has_what_is_locked_for_its_kind_and_nothing_else(source: Source) -> None:
    with tarfile.open(source.bundle()) as tar:
        wheels = {Path(name).name.split("-")[0] for name in tar.getnames() if name.endswith(".whl")}
    assert wheels == {"aa", "bb", "uv", "weather_toolkit"}


def test_an_index_with_another_wheel_is_not_believed(source: Source) -> None:
    shutil.rmtree(source.bundles)
    changed = make_wheel(source.index / "files", "aa", content="GOOD = False\n")
    source.offer(changed)  # with its right hash: an index can say anything
    done = source.build(KIND)
    assert done.returncode != 0
    assert re.search(r"nothing was built.+aa==1.0 from \S+/aa-1.0-py3-none-any.whl\S* is not a file that", done.stdout)
    assert not list(source.bundles.glob("*.tar"))


def test_a_hash_that_no_wheel_has_is_not_replaced_by_one_that_it_has(source: Source) -> None:
    shutil.rmtree(source.bundles)
    source.lock("hosts.txt", f"aa==1.0 --hash=sha256:{'0' * 64}")
    done = source.build(KIND)
    assert done.returncode != 0
    assert "aa==1.0" in done.stdout
    assert not list(source.bundles.glob("*.tar"))


def test_a_lock_that_is_wrong_ends_in_one_line(source: Source) -> None:
    source.lock("hosts.txt", "bb==1.0")
    done = source.build(KIND)
    assert done.returncode != 0
    assert "nothing was built: requirements/hosts.txt:1: 'bb==1.0' has no hash" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("bb==1.0", "'bb==1.0' has no hash"),
        ("bb==1.0 --hash=md5:" + "0" * 32, "has a hash that is not sha256"),
        ("bb>=1.0 --hash=sha256:" + "0" * 64, "'bb>=1.0' is not of the form NAME==VERSION"),
        ("bb @ https://example.org/bb-1.0-py3-none-any.whl --hash=sha256:" + "0" * 64, "is not of the form"),
        ("--index-url https://example.org/simple", "make lock"),
        ("aa==2.0 --hash=sha256:" + "0" * 64, "aa is locked a second time for 3.11-x86_64"),
        ("bb==1.0 ; python_full_version < '3.11.5' --hash=sha256:" + "0" * 64, "is for 3.11-x86_64 cannot be told"),
        ("bb==1.0 ; platform_release > '6' --hash=sha256:" + "0" * 64, "is for 3.11-x86_64 cannot be told"),
    ],
)
def test_a_line_that_says_less_than_a_lock_does_is_refused(tmp_path: Path, line: str, said: str) -> None:
    lock = tmp_path / "hosts.txt"
    lock.write_text(f"aa==1.0 --hash=sha256:{'0' * 64}\n{line}\n")
    with pytest.raises(LOCK.LockError) as error:
        LOCK.packages_of([lock], KIND)
    assert said in str(error.value)
    assert "hosts.txt:2" in str(error.value)


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "requirements").iterdir()))
def test_every_line_of_the_locks_is_a_version_with_its_hashes(name: str) -> None:
    assert LOCK.packages_of([ROOT / "requirements" / name], "3.12-x86_64")


def test_a_kept_wheel_that_was_changed_is_refused(source: Source) -> None:
    source.bundle().unlink()
    make_wheel(source.bundles / f"wheels-{KIND}", "bb", content="GOOD = False\n")
    done = source.build(KIND)
    assert done.returncode != 0
    assert re.search(r"nothing was built: \S+/bb-1.0-py3-none-any.whl is not a file that requirements/", done.stdout)
    assert not list(source.bundles.glob(f"*-{KIND}.tar"))


def test_a_kept_bundle_that_was_changed_is_not_what_hosts_get(source: Source) -> None:
    first = digest_of(source.bundle())
    with tarfile.open(source.bundle(), "a") as tar:
        tar.add(make_wheel(source.index, "evil"), "evil")
    source.address = "http://127.0.0.1:1"  # wheels that are kept are not asked for again
    assert source.build(KIND).returncode == 0
    assert digest_of(source.bundle()) == first


def test_what_another_run_built_today_stays(source: Source) -> None:
    theirs, old = source.bundle(), source.bundles / "weather-0.9+00000000.tar"
    old.touch()
    os.utime(old, (0, 0))
    (source.project / "toolkit/more.py").touch()
    assert source.build(KIND).returncode == 0
    assert theirs.exists()
    assert not old.exists()


@pytest.fixture
def unpacked(pristine: Source, tmp_path: Path) -> Path:
    """A bundle on a host."""
    (tmp_path / "incoming").mkdir()
    subprocess.run(["tar", "--extract", "--file", pristine.bundle(), "--directory", tmp_path / "incoming"], check=True)
    (bundle,) = (tmp_path / "incoming").iterdir()
    return bundle


def install(bundle: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [bundle / "install.sh", bundle.parent / "release"], capture_output=True, text=True, check=False
    )


def test_an_unchanged_bundle_gets_as_far_as_its_installer(unpacked: Path) -> None:
    assert RAN in install(unpacked).stderr


def _change_wheel(bundle: Path) -> None:
    make_wheel(bundle / "wheels", "aa", content="GOOD = False\n")


def _change_installer(bundle: Path) -> None:
    make_wheel(bundle / "wheels", "uv", content="another")


def _add_wheel(bundle: Path) -> None:
    make_wheel(bundle / "wheels", "evil")


def _take_wheel(bundle: Path) -> None:
    (bundle / "wheels/aa-1.0-py3-none-any.whl").unlink()


def _change_toolkit(bundle: Path) -> None:
    (wheel,) = (bundle / "wheels").glob("weather_toolkit-*")
    wheel.write_bytes(wheel.read_bytes() + b"\0")


def _take_line(bundle: Path) -> None:
    lock = bundle / "packages.txt"
    lock.write_text("".join(line for line in lock.read_text().splitlines(keepends=True) if "/aa-" not in line))


def _add_line(bundle: Path) -> None:
    lock = bundle / "packages.txt"
    lock.write_text(f"{lock.read_text()}evil==1.0 --hash=sha256:{'0' * 64}\n")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_change_wheel, "wheels/aa-1.0-py3-none-any.whl is another file"),
        (_change_installer, "wheels/uv-1.0-py3-none-any.whl is another file"),
        (_add_wheel, "wheels/evil-1.0-py3-none-any.whl is not named by"),
        (_take_wheel, "wheels/aa-1.0-py3-none-any.whl is not in the bundle"),
        (_change_toolkit, "any.whl is another file"),
        (_take_line, "wheels/aa-1.0-py3-none-any.whl is not named by"),
        (_add_line, "packages.txt has a line that names no wheel by hash: 'evil==1.0"),
    ],
)
def test_a_host_refuses_a_bundle_that_was_changed(unpacked: Path, change: Callable[[Path], None], named: str) -> None:
    release = unpacked.parent / "release"
    release.mkdir()  # what is there stays
    change(unpacked)
    done = install(unpacked)
    assert done.returncode != 0
    assert named in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert RAN not in done.stderr
    assert release.exists()

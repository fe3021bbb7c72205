"""What is published can be installed by its people's own tools, and the same sources give the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import TOOL
from tests.integration.conftest import Spoil
from toolkit import __version__
from tools import collection

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
END = "2025-11-22T16:00Z"
MODULES = ("weather_bundle", "weather_files", "weather_host_info", "weather_lease", "weather_snapshot")

Ansible = Callable[..., subprocess.CompletedProcess[str]]


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection as it is published."""
    return collection.build(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def ansible(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Ansible:
    """Ansible in a folder without anything but the collection, which is installed there from its file."""
    folder = tmp_path_factory.mktemp("own")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment |= {"HOME": str(folder), "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"), "COLUMNS": "200"}

    def call(command: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [BIN / command, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )

    done = call("ansible-galaxy", "collection", "install", "--offline", built, "-p", folder / "collections")
    assert done.returncode == 0, done.stderr
    assert f"weather.toolkit:{__version__} was installed successfully" in done.stdout
    return call


def test_the_collection_is_small_and_the_same_every_time(built: Path, tmp_path: Path) -> None:
    (ROOT / "toolkit" / "__init__.py").touch()  # when a file was written makes no difference
    assert built.stat().st_size < 2_500_000
    assert digest_of(collection.build(tmp_path)) == digest_of(built)


def test_what_is_installed_is_what_its_manifest_says(ansible: Ansible) -> None:
    done = ansible("ansible-galaxy", "collection", "verify", "--offline", "weather.toolkit")
    assert (done.returncode, "Successfully verified" in done.stdout) == (0, True), done.stdout + done.stderr


def test_roles_and_modules_explain_themselves(ansible: Ansible) -> None:
    roles = ansible("ansible-doc", "-t", "role", "-l", "weather.toolkit").stdout
    expected = {f"weather.toolkit.{path.parts[-3]}" for path in (ROOT / "roles").glob("*/meta/main.yml")}
    assert set(re.findall(r"^weather\.toolkit\.\w+", roles, re.MULTILINE)) == expected
    modules = ansible("ansible-doc", *(f"weather.toolkit.{name}" for name in MODULES))
    assert modules.returncode == 0, modules.stderr
    assert modules.stdout.count("OPTIONS") == len(MODULES)


def test_a_playbook_of_ones_own_renders_the_manifests_by_full_names(ansible: Ansible, tmp_path: Path) -> None:
    """It goes through the filters, the templates, the toolkit's own checks and the module that names a release."""
    playbook = tmp_path / "own.yml"
    playbook.write_text(
        "- hosts: localhost\n"
        "  connection: local\n"
        "  gather_facts: false\n"
        "  roles: [weather.toolkit.weather_kubernetes]\n"
        "- ansible.builtin.import_playbook: weather.toolkit.site\n"
    )
    words = [
        "-e",
        "weather_kubernetes_image=registry.example.org/weather-toolkit:1",
        "-e",
        f"weather_kubernetes_folder={tmp_path / 'made'}",
        "-e",
        f"ansible_python_interpreter={sys.executable}",
    ]
    done = ansible("ansible-playbook", playbook, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "made" / "base" / "kustomization.yaml").exists()
    wrong = ansible("ansible-playbook", playbook, *words, "-e", "weather_window_huors=3")
    assert wrong.returncode != 0
    assert "weather_window_huors (did you mean weather_window_hours?)" in wrong.stdout + wrong.stderr


def test_the_release_is_the_one_that_the_tree_would_build(ansible: Ansible, tmp_path: Path) -> None:
    """What the collection carries is all that a release is made from."""
    names = []
    for project in ("collections/ansible_collections/weather/toolkit", ROOT):
        words = ["-a", f"project={project} folder={tmp_path}", "-e", f"ansible_python_interpreter={sys.executable}"]
        done = ansible("ansible", "localhost", "-m", "weather.toolkit.weather_bundle", *words)
        names += re.findall(r'"?release"?: "?([^",\s]+)', done.stdout)
    assert len(names) == 2, done.stdout
    assert names[0] == names[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sdist alone."""
    folder = tmp_path_factory.mktemp("wheel")
    _hatch(ROOT, folder, "sdist")
    (sdist,) = folder.iterdir()
    (unpacked := folder / "unpacked").mkdir()
    subprocess.run(["tar", "-xf", sdist, "-C", unpacked], check=True)
    (sources,) = unpacked.iterdir()
    _hatch(sources, folder, "wheel")
    (path,) = folder.glob("*.whl")
    return path


def _hatch(sources: Path, to: Path, target: str) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(to)]
    subprocess.run(command, cwd=sources, check=True, capture_output=True)


def test_the_wheel_of_the_sdist_is_that_of_the_tree(wheel: Path, tmp_path: Path) -> None:
    _hatch(ROOT, tmp_path, "wheel")
    (other,) = tmp_path.iterdir()
    assert (other.name, digest_of(other)) == (wheel.name, digest_of(wheel))


def interpreter(minor: int) -> Path | None:
    """A Python 3.MINOR of this machine: on the PATH, or one that pyenv has."""
    here = [Path(found)] if (found := shutil.which(f"python3.{minor}")) else []
    for path in [*here, *sorted((Path.home() / ".pyenv" / "versions").glob(f"3.{minor}.*/bin/python3"))]:
        said = subprocess.run([path, "-c", "import sys; print(sys.version_info[1])"], capture_output=True, check=False)
        if said.stdout.strip() == str(minor).encode():
            return path
    return None


@pytest.fixture(scope="module")
def own() -> dict[str, tuple[str, ...]]:
    """What the command of these tests' own Python answered, once one of them has asked it."""
    return {}


@pytest.mark.parametrize("minor", [11, 12, 13, 14])
def test_an_installed_wheel_does_its_work(
    wheel: Path, environment: dict[str, str], spoil: Spoil, own: dict[str, tuple[str, ...]], tmp_path: Path, minor: int
) -> None:
    """In a venv of its own, with the packages that hosts get: a fault is found, as by the Python that tests run with."""
    python = interpreter(minor)
    if python is None:
        pytest.skip(f"this machine has no Python 3.{minor}")
    venv = tmp_path / "venv"
    for words in (
        ["venv", "--python", python, venv],
        ["pip", "install", "--require-hashes", "--requirements", ROOT / "requirements" / "hosts.txt"],
        ["pip", "install", "--offline", "--no-deps", wheel],
    ):
        done = subprocess.run(
            [BIN / "uv", "--quiet", "--no-config", *map(str, words)], check=False, capture_output=True, text=True,
            env={**os.environ, "VIRTUAL_ENV": str(venv)}, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    spoil("temp_out = temp_out + 15", "station_id = 'volos'", 2, 1.7)
    if not own:
        db = shutil.copy(environment["WEATHER_DB"], tmp_path / "own.db")
        own["answers"] = answers({**environment, "WEATHER_DB": str(db)}, TOOL)
    tool = str(venv / "bin" / "weather-tool")
    version = called(environment, tool, "--version")
    assert version.startswith(f"weather-tool {__version__} (")
    assert f"Python 3.{minor}." in version
    assert answers(environment, tool) == own["answers"], "another Python says something else"


def answers(environment: dict[str, str], tool: str) -> tuple[str, ...]:
    """What a command says of a fault: the anomalies, and the observations as CSV."""
    found = json.loads(called(environment, tool, "detect", f"--end={END}", "--json"))
    assert "volos" in {one["station_id"] for one in found["anomalies"]}
    assert "Volos" in called(environment, tool, "report", "--html", "-", f"--end={END}")
    return json.dumps(found["anomalies"]), called(environment, tool, "data", "export", "-", "--format=csv")


def called(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout

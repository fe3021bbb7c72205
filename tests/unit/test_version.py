"""The version is written down once; whatever names it agrees."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from tests.conftest import Run
from toolkit import __version__

ROOT = Path(__file__).parents[2]


def test_the_command_says_it(run: Run) -> None:
    assert run("--version").stdout.startswith(f"weather-tool {__version__} (")


def test_the_build_reads_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"] == {"path": "toolkit/__init__.py"}


def test_the_changelogs_newest_section_is_its() -> None:
    sections = re.findall(r"^## (\S+) \(\d{4}-\d\d-\d\d\)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert sections[0] == __version__

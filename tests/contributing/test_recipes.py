"""The recipes of docs/contributing/: each change is made to a copy of this tree, and its commands are run there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.store.base import migrations

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "docs" / "contributing"
# These list the places, and show no change.
LISTS = ("engine", "target")
EXAMPLES = {"ENGINE": ("sqlite", "postgresql"), "TARGET": ("kubernetes",), "SCHEDULER": ("systemd", "cron")}
# These are no recipes.
PAGES = ("console", "index")
RECIPES = sorted(page.stem for page in BOOK.glob("*.md") if page.stem not in {*PAGES, *LISTS})
# `make generate` and pytest, by the interpreter that runs this test.
PYTHON = Path(sys.executable).parent


def changes(recipe: str) -> str:
    """The change of a recipe, as `git apply` takes it."""
    text = "".join(re.findall(r"^```diff\n(.*?)^```$", page(recipe), re.MULTILINE | re.DOTALL))
    return re.sub(r"migrations/(\w+)/NNNN", lambda found: f"migrations/{found[1]}/{_next(found[1]):04}", text)


def _next(engine: str) -> int:
    """The number of an engine's next migration."""
    return len(migrations(engine)) + 1


def commands(recipe: str) -> list[str]:
    """What a recipe tells to type after the change."""
    return re.findall(r"^\$ (.*)$", page(recipe), re.MULTILINE)


def page(recipe: str) -> str:
    return (BOOK / f"{recipe}.md").read_text(encoding="utf-8")


def places(recipe: str) -> list[str]:
    """The files that a recipe changes or makes, but for tests."""
    return [file for file in re.findall(r"^\+\+\+ b/(.*)$", changes(recipe), re.MULTILINE) if "tests/" not in file]


def test_the_book_counts_the_places_to_touch() -> None:
    rows = re.findall(r"^\| .* \| \[.*\]\((\w[\w-]*)\.md\) \| (\d+) \|$", page("index"), re.MULTILINE)
    counts = {recipe: len(places(recipe)) for recipe in RECIPES}
    counts |= {recipe: max(map(int, re.findall(r"^(\d+)\. ", page(recipe), re.MULTILINE))) for recipe in LISTS}
    assert dict(rows) == {recipe: str(count) for recipe, count in counts.items()}


@pytest.mark.parametrize("recipe", LISTS)
def test_the_places_are_there(recipe: str) -> None:
    listed = re.findall(r"^\d+\. .*(?:\n   .*)*", page(recipe), re.MULTILINE)
    paths = {path for place in listed for path in re.findall(r"`([\w./]+/[\w./]*)`", place)}
    for word, names in EXAMPLES.items():
        paths = {path.replace(word, name) for path in paths for name in names}
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this tree, with what is not committed yet.

    Its modules are compiled once for all recipes. Each is known by the hash of its source, so that what a recipe changes
    is compiled anew however soon it is changed.
    """
    copy = tmp_path_factory.mktemp("copied") / "tree"
    said = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in said.stdout.splitlines():
        if (ROOT / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name, follow_symlinks=False)
    run(copy, sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "toolkit", "tools")
    return copy


@pytest.fixture
def tree(copied: Path, tmp_path: Path) -> Path:
    """A copy that is to be changed."""
    tree = Path(shutil.copytree(copied, tmp_path / "tree", symlinks=True))
    # Tests look at what git knows.
    run(tree, "git", "init", "--quiet")
    run(tree, "git", "add", "--all")
    return tree


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_works(tree: Path, recipe: str) -> None:
    subprocess.run(["git", "apply", "--index"], cwd=tree, input=changes(recipe), text=True, check=True)
    for command in commands(recipe):
        run(tree, "bash", "-c", {"make generate": "python -m tools.generate"}.get(command, command))


def run(tree: Path, *command: str) -> None:
    path = f"{PYTHON}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"

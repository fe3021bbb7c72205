"""Commands in the documents exist: what a reader types is what the program takes."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from toolkit.cli import COMMANDS, parser_of

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "roles").glob("*/README.md"))]
# What stands for what a reader puts in, or for anything.
STANDS_FOR = {"FILE": "weather.db.zst", "HOST": "volos", "COMMAND": "doctor", "SECONDS": "60"}


def commands(page: Path, word: str) -> set[str]:
    """The commands of a page that begin with a word: in code blocks and between backticks."""
    text = page.read_text(encoding="utf-8")
    blocks = [line.strip().removeprefix("$ ") for line in text.splitlines() if re.match(r"    |\$ ", line)]
    found = [*blocks, *re.findall(r"`([^`\n]+)`", text)]
    bare = {re.split(r"[#|]", one)[0].strip().removeprefix("sudo ").removeprefix(".venv/bin/") for one in found}
    return {one for one in bare if one.split(" ")[0] == word}


def all_commands(word: str) -> list[tuple[str, str]]:
    return [(page.relative_to(ROOT).as_posix(), one) for page in PAGES for one in sorted(commands(page, word))]


@pytest.mark.parametrize(("page", "command"), all_commands("weather-tool"))
def test_weather_tool_takes_it(page: str, command: str) -> None:
    words = [STANDS_FOR.get(word, word) for word in shlex.split(command)[1:]]
    if not words or words[0].startswith("-"):
        return
    assert words[0] in COMMANDS
    try:
        parser_of([words[0]]).parse_args(words)
    except SystemExit as end:  # --help
        assert end.code == 0
    except Exception as error:
        # Named as a whole, without what it needs to be called.
        if len(words) > 1 or "required" not in str(error):
            raise


@pytest.mark.parametrize(("page", "command"), all_commands("ansible-playbook"))
def test_the_playbook_is_there(page: str, command: str) -> None:
    words = shlex.split(command)
    books = [word for word in words[1:] if word.endswith(".yml")]
    assert books
    assert all((ROOT / book).is_file() for book in books)
    inventories = [words[place + 1] for place, word in enumerate(words) if word == "-i"]
    assert all(name == "inventory/mine" or (ROOT / name).is_dir() for name in inventories)


@pytest.mark.parametrize(("page", "command"), all_commands("make"))
def test_make_has_the_target(page: str, command: str) -> None:
    targets = [word for word in shlex.split(command)[1:] if "=" not in word]
    known = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert set(targets) <= set(known)


@pytest.mark.parametrize(("page", "command"), all_commands("molecule"))
def test_molecule_has_the_scenario(page: str, command: str) -> None:
    words = shlex.split(command)
    scenarios = [words[place + 1] for place, word in enumerate(words) if word == "-s"]
    assert all((ROOT / "molecule" / name / "molecule.yml").is_file() for name in scenarios)


def test_every_role_and_every_page_is_reachable() -> None:
    listed = subprocess.run(["git", "ls-files", "docs/*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    for name in listed.stdout.split():
        path = name.removeprefix("docs/").removesuffix(".md")
        assert path == "index" or path in index or path.startswith("runbooks/"), (
            f"{name} is in no list of docs/index.md"
        )

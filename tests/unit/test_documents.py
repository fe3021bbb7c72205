"""Commands in the documents exist: what a reader types is what the program takes."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib

import pytest
import yaml

from tests.documents import PAGES, ROOT, commands_of, listed, program
from toolkit.cli.main import COMMANDS, parser_of

# What stands for what a reader puts in, or for anything.
STANDS_FOR = {"FILE": "weather.db.zst", "HOST": "volos", "COMMAND": "doctor", "SECONDS": "60"}


def all_commands(word: str) -> list[tuple[str, str]]:
    """The commands of all pages that run a program, without what stands before it and what it is joined to."""
    found = {
        (page.relative_to(ROOT).as_posix(), re.split(r"[|<>]", one[one.index(word) :])[0].strip())
        for page in PAGES
        for one in commands_of(page)
        if program(one).removeprefix(".venv/bin/") == word
    }
    return sorted(found)


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


def test_every_command_is_in_the_list_and_the_list_has_no_other() -> None:
    typed = {one for page in PAGES for one in commands_of(page)}
    assert typed == {command for command, _ in listed()}, "docs/newcomer.md is to say how each is run"


@pytest.mark.parametrize("how", sorted({how for _, how in listed()}))
def test_how_a_command_is_run_can_be_looked_up(how: str) -> None:
    for one in re.findall(r"(?:tests|molecule)/\S+?(?=[;,]|$)", how):
        assert (ROOT / one).exists()
    assert re.match(r"(tests|molecule)/|by hand, 20\d\d-\d\d-\d\d|not (here|in this pass): .|CI$|as above", how)


def test_every_role_and_every_page_is_reachable() -> None:
    listed = subprocess.run(["git", "ls-files", "docs/*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    for name in listed.stdout.split():
        path = name.removeprefix("docs/").removesuffix(".md")
        assert path == "index" or path in index or path.startswith(("runbooks/", "contributing/")), (
            f"{name} is in no list of docs/index.md"
        )


def test_an_expression_for_prometheus_is_one_that_promtool_tests() -> None:
    page = (ROOT / "docs/monitoring.md").read_text()
    shown = [
        line.strip() for line in page.splitlines() if line.startswith("    ") and "weather_stations_observed" in line
    ]
    tests = yaml.safe_load((ROOT / "molecule/monitoring/files/rules_test.yml").read_text())["tests"]
    tested = {one["expr"] for test in tests for one in test.get("promql_expr_test", [])}
    assert shown
    assert {*shown} <= tested


def test_the_picture_of_the_layers_is_that_of_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    *layers, ground = [set(re.findall(r"\w+", layer)) for layer in contracts[0]["layers"] if layer != "__main__"]
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8").partition("\n## Layers\n")[2]
    *shown, lowest = [line.replace("|", " ").split() for line in text.split("```")[1].strip().splitlines()]
    assert [set(line[: len(layer)]) for line, layer in zip(shown, layers, strict=True)] == layers
    assert set(lowest[: lowest.index("…")]) <= ground

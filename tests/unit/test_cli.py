"""The command line itself: that it teaches, and that it starts fast."""

from __future__ import annotations

import shlex
import subprocess
import sys
from importlib import import_module

import pytest

from tests.conftest import Run
from toolkit.cli.main import COMMANDS, parser_of
from toolkit.sdnotify import watchdog_seconds


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_examples_and_they_are_right(command: str) -> None:
    examples = import_module(f"toolkit.commands.{command}").EXAMPLES
    assert examples
    for example in examples:
        words = shlex.split(example.removeprefix("sudo ").removeprefix('eval "$(').removesuffix(')"'))
        assert words[:2] == ["weather-tool", command]
        end = next((place for place, word in enumerate(words) if word in {"<", ">"}), None)
        parser_of([command]).parse_args(words[1:end])


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_the_examples(run: Run, command: str) -> None:
    shown = run(command, "--help").stdout
    for example in import_module(f"toolkit.commands.{command}").EXAMPLES:
        assert f"  {example}\n" in shown


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["detetc"], "there is no command 'detetc'; did you mean detect?"),
        (["detect", "--widnow=6"], "unrecognized arguments: --widnow=6; did you mean --window? (see"),
        (["backup", "creat"], "; did you mean create? (see weather-tool backup --help)"),
        (["frobnicate"], "there is no command 'frobnicate' (see weather-tool --help)"),
        (["completion", "bsh"], "; did you mean bash? (see weather-tool completion --help)"),
    ],
)
def test_what_is_misspelt_is_named_with_what_was_meant(run: Run, words: list[str], says: str) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["--wait", "nan"], ["--wait=-1"], ["--wait=inf"], ["--db=--"], ["--bogus"]])
def test_a_monitor_is_told_that_a_wrong_option_says_nothing_of_the_service(run: Run, words: list[str]) -> None:
    done = run("healthcheck", *words)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    assert words[0].partition("=")[0] in done.stderr


@pytest.mark.parametrize("end", ["0001-01-01T00:00:00Z", "1969-12-31T23:59Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("words", [["detect", "--no-record"], ["sensors"], ["report", "--html", "-"]])
def test_a_time_of_years_that_nobody_means_is_refused(run: Run, words: list[str], end: str) -> None:
    done = run(*words, "--end", end)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"weather-tool: --end: '{end}' is out of range: give a time of the years 1970 to")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("limit", ["", "abc", "0", "-5", "\u00b2", "9" * 5000])
def test_a_watchdog_that_is_no_number_is_none(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", limit)
    assert watchdog_seconds() is None
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    assert watchdog_seconds() == 15


def test_the_version_says_what_it_runs_on(run: Run) -> None:
    assert f"Python {sys.version.split()[0]}, SQLite " in run("--version").stdout


@pytest.mark.parametrize("words", [["--help"], ["healthcheck", "--help"], ["detect", "--help"], ["report", "--help"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    """The time itself is measured by `make bench`."""
    program = f"import sys; sys.argv = ['weather-tool', *{words!r}]\nfrom toolkit.cli.main import main\n"
    program += "try:\n main()\nfinally:\n print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    heavy = {
        "numpy",
        "pandas",
        "scipy",
        "statsmodels",
        "matplotlib",
        "jinja2",
        "psycopg",
        "rich",
        "requests",
        "urllib3",
    }
    loaded = heavy & set(done.stderr.split())
    assert not loaded


@pytest.mark.parametrize(("typed", "offered"), [("weather-tool det", "detect"), ("weather-tool backup cr", "create")])
def test_bash_completes(run: Run, typed: str, offered: str) -> None:
    script = run("completion", "bash").stdout
    words = typed.split()
    ask = f'COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _shtab_weather_tool; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", f"{script}\n{ask}"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [offered]

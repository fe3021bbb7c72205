"""What commands write, and what becomes of it: a terminal, a pipe, a full disk, nothing at all."""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import pytest

from tests.conftest import TOOL, Run
from tests.integration.conftest import Spoil
from toolkit.cli.main import COMMANDS
from toolkit.model import Document, Observation, Station
from toolkit.store import open_for_writing

END = "2025-11-22T16:00Z"
TIME = 1_763_827_200
# Each of the commands, as far as it prints something and comes to an end.
CALLS = (
    "accounts list", "alert backup", "api --help", "cluster --help", "backup create", "backup list", "backup verify", "backup prune --dry-run", "collect --once",
    "completion bash", "data latest", "data stations --json", "data summary", "data export -", f"detect --no-record --end {END}",
    "doctor", "doctor --explain feed-answers", "feed guess", "feed try",
    f"flag --start 2025-11-22T15:00Z --end {END} --json", "healthcheck",
    "incidents list", "incidents maintenance", "incidents stats --json", "maintain --dry-run", "metrics", "network --month 2025-11", "notify",
    f"playback --hours 1 --end {END}", "preflight", "receive --help", f"report --html - --end {END}",
    "restore LATEST --drill", "schedule --jobs /nowhere.json", f"sensors --days 1 --end {END}", "settings",
    "simulate --once", "stations export", "--help", "--version", "data --help", "nonsense",
)  # fmt: skip
# What they may print on standard output without having failed.
SILENT = {"alert", "collect", "notify", "schedule", "nonsense"}
KINDS = {
    "full": ">/dev/full",
    "closed": ">&-",
    "all closed": "<&- >&- 2>&-",
}


def test_every_command_is_called() -> None:
    assert {call.split()[0] for call in CALLS} > set(COMMANDS)


@pytest.mark.parametrize("kind", KINDS)
def test_output_that_cannot_be_written_ends_in_one_line_and_a_code(
    run: Run, spoil: Spoil, environment: dict[str, str], tmp_path: Path, kind: str
) -> None:
    environment |= {"WEATHER_BACKUPS": str(tmp_path / "backups"), "WEATHER_REPORTS": str(tmp_path / "reports")}
    environment.pop("PYTHONUNBUFFERED", None)  # what fails is met at the end, too
    assert run("backup", "create").returncode == 0

    def call(words: str) -> subprocess.CompletedProcess[str]:
        script = f'exec "$0" "$@" {KINDS[kind]}'
        return subprocess.run(
            ["sh", "-c", script, TOOL, *words.split()], env=environment, capture_output=True, text=True, check=False
        )

    # Those that lock the folder of backups come one after the other.
    locking = [words for words in CALLS if words.split()[0] in {"backup", "restore"}]
    others = [words for words in CALLS if words not in locking]
    groups = [locking, others[::2], others[1::2]]
    with ThreadPoolExecutor(2) as pool:
        done_by_group = pool.map(lambda group: [(words, call(words)) for words in group], groups)
        for words, done in chain.from_iterable(done_by_group):
            told = f"weather-tool {words}: {done.stderr}"
            assert "Traceback" not in done.stderr, told
            assert "Exception ignored" not in done.stderr, told
            assert "Logging error" not in done.stderr, told
            assert done.returncode in {1, 2, 3} or words.split()[0] in SILENT, told
            if words == "healthcheck":
                assert done.returncode == 3
            if kind in {"full", "closed"} and words.split()[0] not in SILENT:
                why = "no space left on device" if kind == "full" else "bad file descriptor"
                last = done.stderr.splitlines()[-1]
                assert last == f"weather-tool: cannot write to standard output: {why}", told


def test_a_reader_that_leaves_is_no_failure(run: Run, spoil: Spoil, environment: dict[str, str]) -> None:
    for words in ("data export -", "data latest", f"report --html - --end {END}", "--help", "settings"):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [TOOL, *words.split()], env=environment, stdout=writing, stderr=subprocess.PIPE, check=False
        )
        os.close(writing)
        assert (done.returncode, done.stderr) == (0, b""), words


def test_a_file_opened_later_never_takes_the_place_of_a_closed_stream(
    environment: dict[str, str], spoil: Spoil
) -> None:
    db = Path(environment["WEATHER_DB"])
    script = f'"{TOOL}" maintain >&- 2>&-; "{TOOL}" collect --once <&- >&- 2>&-; "{TOOL}" data latest <&- 2>&-'
    subprocess.run(["sh", "-c", script], env=environment, stdout=subprocess.DEVNULL, check=True)
    assert db.read_bytes().startswith(b"SQLite format 3\0")


HOSTILE = (
    "[/x]", "[link=file:///etc/passwd]x[/link]", "[bold]", "\x1b]0;owned\x07", "\x1b[2J", "\x9b31m", "a\tb\nc", "\u202egnp.exe",
    "{task.description}", "$x$", "Βόλος", "=1+1", "日本", "%s", "\\", "'", '"', "-", "--help",
)  # fmt: skip


@pytest.fixture
def hostile(environment: dict[str, str]) -> dict[str, str]:
    """A database whose stations nobody would call so."""
    nothing = [None] * (len(Observation._fields) - 3)
    with open_for_writing(environment["WEATHER_DB"]) as store:
        stations = [Station(name, name, name, 38.0, 23.0, None) for name in HOSTILE]
        store.add(Document(stations, [Observation(TIME, name, 1.5, *nothing) for name in HOSTILE]), TIME)
    return environment


def on_terminal(*words: str, **environment: str) -> tuple[int, bytes]:
    """A command whose three streams are a terminal: its exit code, and what the terminal got."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([TOOL, *words], env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 1 << 16)
        except OSError:  # the last one that had it has closed it
            break
    os.close(ours)
    return process.wait(), shown


@pytest.mark.parametrize("words", ["data latest", "data stations", "data export -", f"detect --no-record --end {END}"])
def test_what_a_station_is_called_commands_no_terminal(hostile: dict[str, str], words: str) -> None:
    code, shown = on_terminal(*words.split(), **{**hostile, "COLUMNS": "300", "TERM": "xterm"})
    text = shown.decode()
    assert code == (1 if words.startswith("detect") else 0), text
    for control in ("\x1b]", "\x1b[2J", "\x9b", "\x07", "\u202e", "Traceback"):
        assert control not in text
    if not words.startswith("detect"):
        for name in ("[/x]", "[link=file:///etc/passwd]x[/link]", "[bold]", "{task.description}", r"\x1b[2J", "Βόλος"):
            assert name in text


def test_a_table_in_a_pipe_has_a_line_for_each_station(hostile: dict[str, str], run: Run) -> None:
    for words in (("data", "latest"), ("data", "stations")):
        lines = run(*words).stdout.splitlines()
        assert len(lines) == len(HOSTILE) + 1
        assert {line.count("\t") for line in lines} == {lines[0].count("\t")}


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "iso8859-7"])
def test_a_terminal_that_cannot_show_a_letter_shows_its_number(hostile: dict[str, str], encoding: str) -> None:
    locale = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "COLUMNS": "300"}
    for words in (("data", "latest"), ("data", "export", "-"), ("data", "stations", "--json")):
        code, shown = on_terminal(*words, **{**hostile, **locale})
        assert code == 0, shown
        assert r"\u65e5\u672c" in shown.decode(encoding)
        if encoding == "iso8859-7":
            assert "Βόλος" in shown.decode(encoding)


@pytest.mark.parametrize(
    "locale",
    [
        {"PYTHONIOENCODING": "iso8859-7", "PYTHONUTF8": "0"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "en_US.ISO-8859-1"},
    ],
)
def test_a_file_and_a_pipe_are_utf_8_whatever_the_locale_is(
    run: Run, hostile: dict[str, str], locale: dict[str, str], tmp_path: Path
) -> None:
    exported = tmp_path / "x.csv"
    with exported.open("wb") as file:
        subprocess.run([TOOL, "data", "export", "-"], env={**hostile, **locale}, stdout=file, check=True)
    assert "Βόλος" in exported.read_text("utf-8")
    done = run("data", "import", str(exported), **locale, WEATHER_DB=str(tmp_path / "other.db"))
    assert done.returncode == 0, done.stderr
    stations = json.loads(run("data", "stations", "--json", **locale, WEATHER_DB=str(tmp_path / "other.db")).stdout)
    assert {"Βόλος", "日本"} <= {one["station_id"] for one in stations}


@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_a_file_whose_name_is_no_text_is_named_all_the_same(hostile: dict[str, str], locale: dict[str, str]) -> None:
    for words in (
        [b"data", b"import", b"/nowhere/\xff\x1b[2J.csv"],
        [b"data", b"export", b"/nowhere/\xff.csv"],
        [b"\xff"],
        [b"data", b"latest", b"--db=/nowhere/\xff"],
    ):
        done = subprocess.run([TOOL.encode(), *words], env={**hostile, **locale}, capture_output=True, check=False)
        assert done.returncode in {1, 2}
        assert done.stderr.startswith(b"weather-tool: "), done.stderr
        assert (done.stderr.count(b"\n"), done.stderr.count(b"\x1b")) == (1, 0)


def test_a_page_and_a_report_may_have_a_name_that_is_no_text(
    run: Run, spoil: Spoil, environment: dict[str, str], tmp_path: Path
) -> None:
    form = os.fsencode(tmp_path) + b"/\xff%Y"
    words = [
        TOOL.encode(),
        b"detect",
        b"--no-record",
        b"--end",
        END.encode(),
        b"--save",
        form + b".json",
        b"--html",
        form + b".html",
    ]
    done = subprocess.run(words, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    names = [os.fsencode(path.name) for path in tmp_path.iterdir() if path.suffix in {".json", ".html"}]
    assert {name[:2] for name in names} == {b"\xff2", b"in"}


@pytest.mark.parametrize(("module", "code"), [("argparse", -signal.SIGINT), ("pyexpat", 0)])
def test_ctrl_c_while_modules_load_says_nothing(
    environment: dict[str, str], tmp_path: Path, module: str, code: int
) -> None:
    """A module that the command imports first of all presses the keys."""
    (tmp_path / f"{module}.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    done = subprocess.run(
        [TOOL, "settings"],
        env={**environment, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, "")


def test_ctrl_c_while_a_command_loads_its_own_modules_is_130(
    environment: dict[str, str], spoil: Spoil, tmp_path: Path
) -> None:
    (tmp_path / "numpy.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    words = [TOOL, "detect", "--end", END]
    done = subprocess.run(
        words, env={**environment, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "")


FORMULAS = (
    "=1+1", "+1", "-2+3", "@SUM(A1)", "=cmd|'/C calc'!A0", "'=1", "''@x", "a;=1+1", "a;'=1", "a,b", 'a"b', "'quoted'", "＝1", "'", "plain", ";=x", "a;;-1",
)  # fmt: skip


def test_an_export_executes_in_no_spreadsheet_and_comes_back_as_it_was(
    run: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    nothing = dict.fromkeys(Observation._fields)
    rows = [
        Observation(**{**nothing, "time": TIME, "station_id": name, "temp_out": -1.5, "wind_dir_str": name})
        for name in FORMULAS
    ]
    with open_for_writing(environment["WEATHER_DB"]) as store:
        store.add(Document([Station(name, None, None, None, None, None) for name in FORMULAS], rows), TIME)
    text = run("data", "export", "-").stdout
    for separator in ",;\t":  # whichever a spreadsheet takes for it
        for line in csv.reader(text.splitlines(), delimiter=separator):
            assert not [cell for cell in line if re.match(r"[=+@＝]|-(?!1\.5)", cell)], line
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    other = {"WEATHER_DB": str(tmp_path / "other.db")}
    assert run("data", "import", str(tmp_path / "x.csv"), **other).returncode == 0
    assert sorted(run("data", "export", "-", **other).stdout.splitlines()) == sorted(text.splitlines())
    assert run("data", "latest", "--json", **other).stdout == run("data", "latest", "--json").stdout

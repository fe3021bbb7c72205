"""The command `weather-tool`: it imports the command's module, loads the settings, and reports what went wrong.

Each command is a module of `toolkit.commands` with `configure(parser)`, `run(args, loaded) -> exit code` and
`EXAMPLES`. Only the module of the command that is run is imported: `--help` and `healthcheck` must start fast.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Collection, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from toolkit import __version__
from toolkit.address import without_secrets
from toolkit.cli import signals
from toolkit.cli.options import overrides
from toolkit.cli.streams import ReaderLeftError
from toolkit.errors import InUseError, ToolkitError, UsageError
from toolkit.settings import load, load_lenient
from toolkit.text import did_you_mean, one_line

# The longest line on stderr: the command of a remedy may be long.
LINE_LENGTH = 2000

COMMANDS = {
    "accounts": "who may sign in to the console, and as what",
    "alert": "tell people once that a job failed, and once that it is well again",
    "api": "serve observations with flags, stations and incidents over HTTP, and the console",
    "backup": "make verified backups, list, verify and prune them",
    "cluster": "have many machines judge: a Dask scheduler, its workers, and how they are",
    "collect": "fetch the feed and store its observations, once or for ever",
    "completion": "print what makes a shell complete this command",
    "data": "look at observations, export and import them",
    "detect": "find anomalies in a window of time, and tell faults from weather",
    "doctor": "what is wrong with this host, why, and the command that mends it",
    "feed": "what a feed offers: try it, or guess how it is to be read",
    "flag": "judge past time anew, and flag every value of it; tells nobody",
    "healthcheck": "one line for a monitor: is the service collecting?",
    "incidents": "what is wrong at which sensor since when, and what people decide of it",
    "maintain": "remove what is older than is to be kept, and keep the database in shape",
    "metrics": "metrics for Prometheus, printed or served",
    "network": "how the network performed in a month: availability, timeliness, quality, incidents",
    "notify": "tell people of incidents: what is new, over, or waits for somebody",
    "playback": "past time as the detector saw it, run by run, and why it said so",
    "preflight": "could this release run here? Looks, and changes nothing",
    "receive": "take the reports of stations that push, by Weather Underground's protocol or Ecowitt's",
    "report": "one page for people: map, stations, anomalies with plots, sensors, completeness",
    "restore": "put a backup in the place of the database",
    "schedule": "run the periodic jobs, in a container",
    "sensors": "long-term health of every sensor: stuck, stalled, missing, drifting, noisy",
    "settings": "every setting, its value and where it came from",
    "simulate": "serve a feed of simulated or recorded weather, with faults on demand",
    "stations": "where stations were and are, with which sensors: history, corrections, import of metadata",
}


class CommandParser(argparse.ArgumentParser):
    """Reports wrong usage as a UsageError, with the option or the choice that was probably meant."""

    def error(self, message: str) -> NoReturn:
        """Called by argparse."""
        raise UsageError(f"{message} (see {self.prog} --help)")

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The parsed arguments.

        Raises:
            UsageError: they are wrong.
        """
        if empty := next((word for word in arguments if word.startswith("--") and word.endswith("=--")), None):
            self.error(f"argument {empty.removesuffix('=--')}: expected one argument")  # older argparses pass a list
        found, unknown = self.parse_known_args(arguments)
        if unknown:
            hint = _did_you_mean(unknown[0].partition("=")[0], _options(self))
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return found

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            error.message += _did_you_mean(str(value), [str(choice) for choice in action.choices or ()])
            raise


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        import platform
        import sqlite3

        # The role installs a release into a folder with its name: the version and a hash of its sources.
        folder = Path(sys.prefix)
        release = f"release {folder.name}, " if folder.parent.name == "releases" else ""
        print(
            f"weather-tool {__version__} ({release}Python {platform.python_version()}, SQLite {sqlite3.sqlite_version})"
        )
        parser.exit()


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Of the same form on each Python: those before 3.14 leave out how far a subcommand is indented."""

    def add_argument(self, action: argparse.Action) -> None:
        super().add_argument(action)
        for subcommand in self._iter_indented_subactions(action):
            width = len(self._format_action_invocation(subcommand)) + self._current_indent
            self._action_max_length = max(self._action_max_length, width)


def parser_of(chosen: Collection[str]) -> CommandParser:
    """The parser of the command line; only the commands in `chosen` have their options."""
    parser = CommandParser(
        prog="weather-tool",
        description="Collect weather observations, find anomalies, and tell a broken sensor from real weather.",
        epilog="examples:\n"
        "  weather-tool doctor                    what is wrong on this host, and what mends it\n"
        "  weather-tool data latest               the newest observation of each station\n"
        "  weather-tool detect                    what stands out in the last hours: a fault, or weather\n"
        "  weather-tool report --html - > x.html  the same for people, with a map and plots\n\n"
        "Each command explains itself: weather-tool COMMAND --help",
        formatter_class=_HelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="the version, and what it runs on")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            formatter_class=_HelpFormatter,
        )
        if name in chosen:
            command.add_argument("--verbose", action="store_true", help="say more, and show where an error came from")
            module = import_module(f"toolkit.commands.{name}")
            module.configure(command)
            examples = "examples:\n" + "\n".join(f"  {line}" for line in module.EXAMPLES)
            command.epilog = f"{command.epilog}\n\n{examples}" if command.epilog else examples
    return parser


def _did_you_mean(word: str, known: Collection[str]) -> str:
    hint = did_you_mean(word, known)
    return f"; {hint}" if hint else ""


def _options(parser: argparse.ArgumentParser) -> set[str]:
    """The options of a parser and of its subparsers."""
    known: set[str] = set()
    for action in parser._actions:  # argparse has no public way to list them
        known.update(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            known.update(*map(_options, action.choices.values()))
    return known


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code: 0 success, 1 failure, 2 wrong usage (`healthcheck` has its own)."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    verbose = "--verbose" in arguments
    try:
        signals.install()
        code = _run(arguments, chosen, verbose=verbose)
        sys.stdout.flush()
    except ToolkitError as error:
        return signals.exit_code() or _failed(error, chosen, verbose=verbose)
    except KeyboardInterrupt:
        return signals.exit_code() or 130
    return code


def _run(arguments: list[str], chosen: str | None, *, verbose: bool) -> int:
    if chosen is not None and chosen not in COMMANDS:
        hint = _did_you_mean(chosen, COMMANDS) or " (see weather-tool --help)"
        raise UsageError(f"there is no command {chosen!r}{hint}")
    try:
        args = parser_of([chosen] if chosen else []).parse(arguments)
    except SystemExit:  # of --help and --version
        return 0
    _log_to_stderr(verbose)
    module = import_module(f"toolkit.commands.{chosen}")
    loaded = (load_lenient if getattr(module, "TAKES_WRONG_SETTINGS", False) else load)(overrides(args))
    for name in loaded.unknown:
        print(f"weather-tool: note: {one_line(str(name), LINE_LENGTH)}", file=sys.stderr)
    return int(module.run(args, loaded))


def _failed(error: ToolkitError, chosen: str | None, *, verbose: bool) -> int:
    """Report an error; returns the exit code."""
    if not isinstance(error, ReaderLeftError):
        if verbose and not isinstance(error, InUseError):
            logging.getLogger(__name__).exception("traceback, as --verbose asks")
        for line in str(error).splitlines():
            print(f"weather-tool: {one_line(line, LINE_LENGTH)}", file=sys.stderr)
        if "NOTIFY_SOCKET" in os.environ:  # `systemctl status` and the doctor show it
            from toolkit.sdnotify import notify

            notify(f"STATUS={without_secrets(str(error)).partition(chr(10))[0]}")
    # Monitors have an exit code of their own for an answer that could not be had; a reader that left wants none.
    untold = getattr(sys.modules.get(f"toolkit.commands.{chosen}"), "UNTOLD", error.exit_code)
    return int(untold) if error.exit_code else 0


class _Lines(logging.Formatter):
    """Log messages contain text of feeds, servers and other programs: it is made harmless for a terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        record.message = "\n".join(one_line(line, LINE_LENGTH) for line in record.message.split("\n"))
        return super().formatMessage(record)


def _log_to_stderr(verbose: bool) -> None:
    """Log plain lines to stderr. The journal adds the time and reads the level from a prefix (sd-daemon(3))."""
    in_journal = "JOURNAL_STREAM" in os.environ
    logging.addLevelName(logging.WARNING, "<4>" if in_journal else "warning: ")
    logging.addLevelName(logging.INFO, "<6>" if in_journal else "")
    logging.addLevelName(logging.ERROR, "<3>" if in_journal else "error: ")
    to = logging.StreamHandler()
    to.setFormatter(_Lines("%(levelname)s%(message)s"))
    logging.basicConfig(handlers=[to], level=logging.DEBUG if verbose else logging.INFO)
    for library in ("urllib3", "matplotlib"):
        logging.getLogger(library).setLevel(logging.ERROR)

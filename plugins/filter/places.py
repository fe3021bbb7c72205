"""Ansible filters: what the settings ask of a host, as the program itself says; words of a command, of a unit."""

from __future__ import annotations

import re
import shlex
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.settings import Loaded, Settings
    from toolkit.sources import Source

# What systemd takes as it stands, in a list of paths as in a command.
_PLAIN = re.compile(r"[\w/.:@+,=-]+", re.ASCII)


def settled(content: str, project: str) -> Loaded:
    """The settings of a weather.env, each named as the variable that an inventory sets.

    Args:
        content: of the file.
        project: the toolkit's source tree, which knows what a setting may be.
    """
    if project not in sys.path:
        sys.path.append(project)
    from toolkit import envfile
    from toolkit.settings import DECLARATIONS, FILE_VARIABLE, Origin, Problem, load_lenient

    problems = []
    with tempfile.NamedTemporaryFile("w", suffix=".env", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        try:
            given = envfile.read(Path(file.name))
        except envfile.EnvironmentFileError as error:
            given = {}
            problems.append(Problem(f"a setting has a line break in it, or half a quote: {error.reason}"))
    options = {
        name: Origin(given[declared.variable].value, declared.variable.lower())
        for name, declared in DECLARATIONS.items()
        if declared.variable in given
    }
    loaded = load_lenient(options, {FILE_VARIABLE: "/dev/null"})
    for name, origin in options.items():
        value = getattr(loaded.settings, name)
        # Told by what became of it: who reads it on a host may be anywhere.
        if str(value).startswith("/") and not origin.text.startswith("/"):
            problems.append(Problem(f"{origin.place}={origin.text!r}: give the whole path, from / on", name))
    loaded.problems.extend(problems)
    return loaded


def refused(content: str, project: str, target: str, sources: str = "", named: str = "") -> list[str]:
    """What is wrong with the settings of a weather.env, by themselves or on a target (see `toolkit.paths.refused`).

    Args:
        content: of the file.
        project: the toolkit's source tree.
        target: systemd, cron, compose or kubernetes.
        sources: the file of sources that the inventory lists; empty where it lists none.
        named: another file of sources that the inventory names.
    """
    loaded = settled(content, project)
    from toolkit import paths
    from toolkit.errors import ToolkitError

    if loaded.problems:
        return [str(problem) for problem in loaded.problems]
    if sources and named:
        return [f"weather_sources_file={named}: weather_sources lists the sources: take one of the two away"]
    try:
        listed = listed_in(sources, loaded.settings)
    except ToolkitError as error:
        return str(error).splitlines()
    return [f"weather_{name}={reason} ({target})" for name, reason in paths.refused(loaded.settings, target, listed)]


def listed_in(sources: str, settings: Settings) -> tuple[Source, ...]:
    """The sources of a file's text, none of an empty one.

    Raises:
        ToolkitError: what is wrong with them, a line each.
    """
    if not sources:
        return ()
    from toolkit.errors import ToolkitError
    from toolkit.sources import sources_of

    with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
        file.write(sources)
        file.flush()
        try:
            return sources_of(replace(settings, sources_file=file.name))
        except ToolkitError as error:
            raise ToolkitError(str(error).replace(file.name, "weather_sources")) from None


def places(content: str, project: str, sources: str = "") -> dict[str, Any]:
    """What the settings of a weather.env, and the sources, ask of a host."""
    settings = settled(content, project).settings
    from toolkit import paths
    from toolkit.errors import ToolkitError

    try:
        listed = listed_in(sources, settings)
    except ToolkitError:  # `refused` says so
        listed = ()

    folders = paths.folders(settings)
    owner = {"owner": "weather", "group": "weather"}
    return {
        "fixed": [paths.STATE, paths.LOGS],
        "folders": {name: {"path": one.path, "mode": one.mode, **owner} for name, one in folders.items()},
        "named": [{"path": one.path, "setting": one.setting} for one in folders.values()],
        "worker_ports": [paths.WORKER_PORTS[0], paths.WORKER_PORTS[-1]],
        "holds": {name: list(one.holds) for name, one in folders.items()},
        "volumes": paths.volumes(settings),
        "files": list(dict.fromkeys(paths.files(settings, listed).values())),
        "offsite": paths.offsite(settings),
        "addresses": {name: one._asdict() for name, one in paths.addresses(settings).items()},
        "feed_ports": paths.feed_ports(settings, listed),
        "database_on_network": settings.db.file is None,
        "database_port": paths.database_port(settings),
    }


def read_write(writes: str | Iterable[str], asked: dict[str, Any]) -> str:
    """ReadWritePaths= of a job's unit: data, logs, reports, and what the job writes besides.

    Args:
        writes: of the job: `backups` (with the folder of off-site copies), or paths.
        asked: what `places` gives.
    """
    folders = {name: one["path"] for name, one in asked["folders"].items()}
    backups = [folders.pop("backups")]
    # On a disk that may be away.
    backups += [f"-{asked['offsite']}"] if asked["offsite"] else []
    paths = [*asked["fixed"], *folders.values()]
    for one in writes.split() if isinstance(writes, str) else writes:
        paths += backups if one == "backups" else [one]
    return " ".join(unit_word(path) for path in dict.fromkeys(paths))


def words(command: str) -> list[str]:
    """The words of a job's command, split as a shell does."""
    return shlex.split(command)


def unit_word(word: str) -> str:
    """A word as systemd reads it in a list of paths."""
    escaped = word.replace("%", "%%")
    if _PLAIN.fullmatch(word):
        return escaped
    return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unit_command(command: str) -> str:
    """A job's command as systemd reads it in ExecStart=, where a dollar sign is special, too."""
    return " ".join(unit_word(word).replace("$", "$$") for word in words(command))


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Any]:
        """The filters, by name."""
        return {
            "weather_refused": refused,
            "weather_places": places,
            "weather_read_write": read_write,
            "weather_words": words,
            "weather_unit_command": unit_command,
        }

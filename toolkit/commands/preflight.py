"""`weather-tool preflight`: whether this release could run here, before it does; it changes nothing."""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import pkgutil

import toolkit
from toolkit import __version__
from toolkit.checks.diagnosis import examine
from toolkit.checks.host import Host
from toolkit.checks.probes.backup import backup_client
from toolkit.errors import ToolkitError
from toolkit.settings import Loaded
from toolkit.store import NewerSchemaError, schema

log = logging.getLogger(__name__)

EXAMPLES = ("weather-tool preflight",)


class NewerDatabaseError(ToolkitError):
    """The release cannot run here because the database's schema is newer: a rollback then restores an older one."""

    exit_code = 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.epilog = (
        "Imports every part of the release, reads the settings, and tries the database's next\n"
        "schema on an empty copy. Exit code 1 where the release cannot run here, and 3 where it cannot because the\n"
        "database's schema is newer. That the backup of the next night would fail is a warning."
    )


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Say whether the release could run here."""
    parts = _imported()
    try:
        now, after = schema(loaded.settings.db)
    except NewerSchemaError as error:
        raise NewerDatabaseError(str(error)) from None
    beside = [one for one in examine(Host(loaded), [backup_client]) if one.finding.ok is False]
    if args.json:
        warnings = [f"{one.check.id}: {one.finding.evidence}" for one in beside]
        told = {"release": __version__, "modules": parts, "schema": {"now": now, "after": after}, "warnings": warnings}
        print(json.dumps(told))
        return 0
    becomes = "there is no database yet" if now is None else f"schema {now} stays" if now == after else (
        f"schema {now} becomes {after}"
    )  # fmt: skip
    print(f"{__version__} could run here: {parts} modules imported, the settings can be used, {becomes}")
    for one in beside:
        log.warning("%s: %s", one.check.id, one.finding.evidence)
    return 0


def _imported() -> int:
    """Import every module; how many.

    Raises:
        ToolkitError: one cannot be imported.
    """
    names = [one.name for one in pkgutil.walk_packages(toolkit.__path__, "toolkit.") if one.name != "toolkit.__main__"]
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            raise ToolkitError(f"{name} cannot be imported: {type(error).__name__}: {error}") from error
    return len(names)

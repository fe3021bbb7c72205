"""`weather-tool api`."""

from __future__ import annotations

import argparse

from toolkit.cli.options import add_setting
from toolkit.settings import Loaded

EXAMPLES = (
    "weather-tool api",
    "weather-tool api 127.0.0.1:8080 --db copy.db",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_setting(parser, "ADDRESS:PORT", "api_address")
    add_setting(parser, "--db", "db", "DATABASE")


def run(_args: argparse.Namespace, loaded: Loaded) -> int:
    """Serve until the process is told to stop."""
    from toolkit.api.application import application
    from toolkit.api.server import serve

    serving = application(loaded.settings)
    if loaded.settings.console:
        from toolkit.console import application as console

        console.add(serving)
    serve(loaded.settings.api_address, serving)
    serving.state.answers.close()
    return 0

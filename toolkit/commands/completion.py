"""`weather-tool completion`."""

from __future__ import annotations

import argparse
from importlib import resources

from toolkit.settings import Loaded

SHELLS = ("bash", "zsh")
EXAMPLES = (
    'eval "$(weather-tool completion bash)"',
    "weather-tool completion zsh > ~/.zfunc/_weather-tool",
)
TAKES_WRONG_SETTINGS = True


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("shell", choices=SHELLS, help="for which shell")


def run(args: argparse.Namespace, _loaded: Loaded) -> int:
    """Print the script."""
    print((resources.files("toolkit") / "completion" / f"weather-tool.{args.shell}").read_text("utf-8"), end="")
    return 0

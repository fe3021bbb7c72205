"""An SVG of a terminal with a command and its output, which is read from standard input with its colours."""

from __future__ import annotations

import argparse
import io
import sys

from rich.console import Console
from rich.text import Text


def main() -> None:
    """Write the SVG."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", help="how it was called, for the title and the first line")
    parser.add_argument("svg", help="where to write the picture")
    args = parser.parse_args()
    console = Console(record=True, width=110, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ {args.command}", style="bold"))
    console.print(Text.from_ansi(sys.stdin.read().rstrip()))
    console.save_svg(args.svg, title=args.command)


if __name__ == "__main__":
    main()

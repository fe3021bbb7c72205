"""A terminal's picture: what a command printed (standard input, with its colours) as an SVG."""

from __future__ import annotations

import argparse
import io
import sys

from rich.console import Console
from rich.text import Text


def main() -> None:
    """Draw."""
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

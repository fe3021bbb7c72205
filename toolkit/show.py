"""What a person sees: a rich table on a terminal, plain lines in a pipe or a journal."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under a header; in a pipe, columns are separated by tabs and never cut."""
    if not sys.stdout.isatty():
        for row in (header, *rows):
            print(*row, sep="\t")
        return
    from rich.console import Console
    from rich.table import Table

    shown = Table(*header, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        shown.add_row(*(str(cell) for cell in row))
    Console().print(shown)

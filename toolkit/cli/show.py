"""Output for people: tables and progress bars on a terminal, plain lines in a pipe or a journal."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from toolkit.cli.streams import drawing
from toolkit.text import one_line, visible

# The longest text in a cell of a table: a sentence.
CELL_LENGTH = 1000


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under a header. In a pipe, columns are separated by tabs and never shortened."""
    lines = [[one_line(str(cell), CELL_LENGTH) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for line in (header, *lines):
            print(*line, sep="\t")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, header_style="bold", pad_edge=False)
    for name in header:
        drawn.add_column(Text(name), overflow="fold")  # long cells are wrapped, not cut
    for line in lines:
        # ISO 8601 to the minute, with a blank where the line may be wrapped.
        drawn.add_row(*(Text(re.sub(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\dZ$", r"\1 \2Z", cell)) for cell in line))
    with drawing(sys.stdout):
        Console().print(drawn)


def json_list(rows: Iterable[object]) -> None:
    """Print rows as a JSON array, each as it comes: all of them need not be in memory as text."""
    begun = False
    for row in rows:
        text = json.dumps(row, indent=1, ensure_ascii=False).replace("\n", "\n ")
        print(",\n " if begun else "[\n ", text, sep="", end="")
        begun = True
    print("\n]" if begun else "[]")


@contextmanager
def progress(what: str, total: int | None, *, shown: bool = True) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal's stderr, and nothing elsewhere.

    Yields:
        A function to be called with the number of steps that were done since it was last called.
    """
    if not shown or not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(_WHAT, markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Standard output has only data in it: it may be a file.
    console = Console(stderr=True)
    with drawing(sys.stderr), Progress(*columns, console=console, redirect_stdout=False, redirect_stderr=False) as bar:
        task = bar.add_task(one_line(what), total=total)
        yield lambda done: bar.advance(task, done)


@contextmanager
def working(what: str) -> Iterator[None]:
    """A spinner on a terminal's stderr, for work whose length is unknown."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn(_WHAT, markup=False), TimeElapsedColumn())
    console = Console(stderr=True)
    bar = Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
    with drawing(sys.stderr), bar:
        bar.add_task(one_line(what))
        yield


# rich replaces this by the name of a task.
_WHAT = "{task.description}"


def coloured(line: str, style: str) -> None:
    """Print a line, in colour on a terminal unless NO_COLOR is set."""
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        print(line)
        return
    from rich.console import Console

    with drawing(sys.stdout):
        Console(highlight=False).print(visible(line), style=style, markup=False, soft_wrap=True)

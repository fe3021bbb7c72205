"""What commands import, early or late: imported once by the server that forks them (`tests.preloaded`)."""

from __future__ import annotations

import gc
from importlib import import_module

from toolkit.cli.main import COMMANDS
from toolkit.page.drawing import as_svg, new_figure

# What commands import when they come to it.
LATE = (
    "_strptime",
    "encodings.idna",
    "jinja2",
    "toolkit.api.application",
    "toolkit.api.server",
    "toolkit.cli.signals",
    "toolkit.collector.service",
    "toolkit.console.application",
    "toolkit.deadline",
    "toolkit.detector.health",
    "toolkit.detector.run",
    "toolkit.flagging.reported",
    "toolkit.incidents.bookkeeping",
    "toolkit.page.writing",
    "toolkit.store.postgresql",
    "toolkit.store.sqlite",
)

for name in (*(f"toolkit.commands.{one}" for one in COMMANDS), *LATE):
    import_module(name)
as_svg(new_figure(1, 1), "")  # with fonts, as the first drawing of a page
# No command looks for garbage in what all of them have, nor copies the memory that it is in.
gc.collect()
gc.freeze()

"""Figures as SVG that stands in a page: in the page's colours, so that it is right by day and in the dark."""

from __future__ import annotations

import atexit
import io
import os
import re
import shutil
import sys
import tempfile
import warnings
from collections.abc import Mapping
from html import escape
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Colours of a figure stand for the page's: each is replaced by var(--name) of page.css.
COLOURS = {
    "ink": "#010101",
    "faint": "#020202",
    "line": "#030303",
    "land": "#040404",
    "device_failure": "#050505",
    "suspected": "#060606",
    "weather_event": "#070707",
    "unverified": "#080808",
    "silent": "#090909",
    "well": "#0a0a0a",
}
_IDS = re.compile(r' id="(?:figure|axes|patch|line2d|text|legend|matplotlib\.axis|[xy]tick|\w*Collection)_\d+"')
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches."""
    if "matplotlib" not in sys.modules:
        _import_matplotlib()
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    rcParams.update(STYLE)
    return Figure(figsize=(width, height), layout="constrained")


def _import_matplotlib() -> None:
    """Import it with its own configuration and no other.

    It would read a `matplotlibrc` of the working folder or of MPLCONFIGDIR, which others may have written. So its own
    folder is the working folder meanwhile, and its caches are in a new one.
    """
    found = find_spec("matplotlib")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")
    caches = tempfile.mkdtemp(prefix="matplotlib-")
    atexit.register(shutil.rmtree, caches, ignore_errors=True)
    os.environ["MPLCONFIGDIR"] = caches
    try:
        here = os.open(".", os.O_PATH)
    except PermissionError:  # root's own, as a rule: nothing in it is for this user to read
        import_module("matplotlib.figure")
        return
    try:
        os.chdir(Path(found.origin).parent / "mpl-data")
        import_module("matplotlib.figure")
    finally:
        os.fchdir(here)
        os.close(here)


STYLE: Mapping[str, object] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "svg.hashsalt": "weather",
    "font.family": "sans-serif",
    "font.size": 9,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": COLOURS["line"],
    "axes.labelcolor": COLOURS["ink"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": COLOURS["line"],
    "grid.linewidth": 0.4,
    "text.color": COLOURS["ink"],
    "xtick.color": COLOURS["ink"],
    "ytick.color": COLOURS["ink"],
    "legend.frameon": False,
}


def as_svg(figure: Figure, label: str) -> str:
    """The figure as an `<svg>` element; `label` says in words what it shows."""
    written = io.StringIO()
    with warnings.catch_warnings():
        # Of letters that no font here has: the browser draws them. Of ticks: there are some all the same.
        warnings.simplefilter("ignore", UserWarning)
        figure.savefig(written, format="svg", metadata=_NO_METADATA)
    svg = written.getvalue()
    # Tags alone are the page's to change: what stands between them is what stations are called.
    svg = re.sub(r"<[^>]*>", lambda tag: _as_the_pages(tag[0]), svg[svg.index("<svg") :])
    # The page says how wide it is.
    return re.sub(
        r'^<svg [^>]*(viewBox="[^"]+")[^>]*>',
        lambda found: f'<svg role="img" aria-label="{escape(label)}" {found[1]}>',
        svg,
    )


def _as_the_pages(tag: str) -> str:
    """A tag of the figure with the page's colours and fonts, and nothing that the page does not need."""
    tag = _IDS.sub("", tag)
    for name, colour in COLOURS.items():
        tag = tag.replace(colour, f"var(--{name.replace('_', '-')})")
    tag = re.sub(r"font: ([\d.]+px) '[^;]*;", r"font: \1 sans-serif;", tag)
    return re.sub(r"(\d+\.\d\d)\d+", r"\1", tag).replace("xlink:href", "href")

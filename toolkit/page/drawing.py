"""Figures as SVG inside the page, in the colours of the page's light or dark scheme."""

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

# Placeholders: each of these colours is replaced by var(--name) of page.css in the finished SVG.
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
    """An empty figure of a size in inches."""
    if "matplotlib" not in sys.modules:
        _import_matplotlib()
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    rcParams.update(STYLE)
    return Figure(figsize=(width, height), layout="constrained")


def _import_matplotlib() -> None:
    """Import matplotlib with its own configuration only.

    It reads a `matplotlibrc` from the working folder or from MPLCONFIGDIR, which others may have written. During the
    import, therefore, its own folder is the working folder, and MPLCONFIGDIR is a new one.
    """
    found = find_spec("matplotlib")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")
    caches = tempfile.mkdtemp(prefix="matplotlib-")
    atexit.register(shutil.rmtree, caches, ignore_errors=True)
    os.environ["MPLCONFIGDIR"] = caches
    try:
        here = os.open(".", os.O_PATH)
    except PermissionError:  # a folder that this user cannot read has no configuration for it either
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
    """The figure as an `<svg>` element; `label` describes it for screen readers."""
    written = io.StringIO()
    with warnings.catch_warnings():
        # matplotlib warns of letters that no font here has, but the browser draws them; and of too few ticks.
        warnings.simplefilter("ignore", UserWarning)
        figure.savefig(written, format="svg", metadata=_NO_METADATA)
    svg = written.getvalue()
    # Only tags are changed: the text between them has the names of stations.
    svg = re.sub(r"<[^>]*>", lambda tag: _as_the_pages(tag[0]), svg[svg.index("<svg") :])
    # The page sets the width.
    return re.sub(
        r'^<svg [^>]*(viewBox="[^"]+")[^>]*>',
        lambda found: f'<svg role="img" aria-label="{escape(label)}" {found[1]}>',
        svg,
    )


def _as_the_pages(tag: str) -> str:
    """A tag of the figure with the page's colours and fonts, without what the page does not need."""
    tag = _IDS.sub("", tag)
    for name, colour in COLOURS.items():
        tag = tag.replace(colour, f"var(--{name.replace('_', '-')})")
    tag = re.sub(r"font: ([\d.]+px) '[^;]*;", r"font: \1 sans-serif;", tag)
    return re.sub(r"(\d+\.\d\d)\d+", r"\1", tag).replace("xlink:href", "href")

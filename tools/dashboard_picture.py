"""A drawing of the dashboard's layout, from the dashboard's own definition."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from tools.dashboard import fleet

# Grafana's grid has 24 columns.
COLUMN, ROW, GAP = 38, 26, 4
KINDS = {"timeseries": "lines", "table": "table", "stat": "one number", "state-timeline": "states over time"}


def layout() -> str:
    """The layout, as SVG."""
    panels = json.loads(fleet())["panels"]
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels) * ROW
    width = 24 * COLUMN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img" '
        'aria-label="Layout of the dashboard" font-family="sans-serif">',
        f'<rect width="{width}" height="{height}" fill="#f4f5f5"/>',
        *(line for panel in panels for line in _panel(panel)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _panel(panel: dict[str, Any]) -> list[str]:
    at = panel["gridPos"]
    x, y, wide, high = at["x"] * COLUMN, at["y"] * ROW, at["w"] * COLUMN, at["h"] * ROW
    title = escape(panel["title"])
    if panel["type"] == "row":
        return [f'<text x="{x + 8}" y="{y + 18}" font-size="15" font-weight="bold" fill="#24292e">{title}</text>']
    about = " · ".join(part for part in (KINDS[panel["type"]], panel.get("description", "")) if part)
    return [
        f'<rect x="{x + GAP}" y="{y + GAP}" width="{wide - 2 * GAP}" height="{high - 2 * GAP}" fill="#fff" '
        'stroke="#c7c8c9" rx="3"/>',
        f'<text x="{x + 14}" y="{y + 26}" font-size="14" fill="#24292e">{title}</text>',
        f'<text x="{x + 14}" y="{y + 46}" font-size="11" fill="#5a6270">{escape(about)}</text>',
    ]

"""The network on a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from toolkit.feed.document import Station
from toolkit.quality.neighbours import Neighbours
from toolkit.report.coastline import shores
from toolkit.report.drawing import COLOURS, as_svg, new_figure

# Not by colour alone: each state has a sign of its own, in the order in which they are drawn.
MARKERS = {"well": "o", "weather_event": "D", "unverified": "s", "silent": "X", "suspected": "v", "device_failure": "^"}
# So many stations are named; of more, those that are not well.
NAMED = 30
MARGIN_DEGREES = 0.3


def draw(stations: Sequence[Station], states: Mapping[str, str], neighbours: Neighbours) -> str | None:
    """The map as SVG; None where no station has a position.

    Args:
        stations: the network, in the order of `neighbours`.
        states: of each station, by its id, a name of `MARKERS`.
        neighbours: who is asked about whom.
    """
    placed = {
        row: (station.longitude, station.latitude)
        for row, station in enumerate(stations)
        if station.longitude is not None and station.latitude is not None
    }
    if not placed:
        return None
    longitude, latitude = np.array(list(placed.values())).T
    west, east = longitude.min() - MARGIN_DEGREES, longitude.max() + MARGIN_DEGREES
    south, north = latitude.min() - MARGIN_DEGREES, latitude.max() + MARGIN_DEGREES
    # A degree of longitude is shorter than one of latitude by the cosine of the latitude.
    aspect = 1 / max(0.1, float(np.cos(np.radians((south + north) / 2))))
    height = 7 * min(1.4, max(0.5, (north - south) * aspect / (east - west)))
    figure = new_figure(7, height)
    axes = figure.add_subplot()
    axes.set(xlim=(west, east), ylim=(south, north), aspect=aspect, xlabel="longitude, °E", ylabel="latitude, °N")
    for shore in shores(west, east, south, north):
        axes.plot(*shore.T, color=COLOURS["land"], linewidth=0.8)
    for row, asked in _links(placed, neighbours):
        (x, y), (other_x, other_y) = placed[row], placed[asked]
        axes.plot([x, other_x], [y, other_y], color=COLOURS["line"], linewidth=0.6)
    for state, marker in MARKERS.items():
        rows = [row for row in placed if states[stations[row].station_id] == state]
        if rows:
            x, y = np.array([placed[row] for row in rows]).T
            axes.plot(x, y, marker, color=COLOURS[state], markersize=7, label=state.replace("_", " "))
    for row, (x, y) in placed.items():
        name = stations[row].station_id
        if len(placed) <= NAMED or states[name] != "well":
            axes.annotate(name, (x, y), xytext=(5, 4), textcoords="offset points", fontsize=8)
    axes.legend(loc="best", fontsize=8)
    counted = ", ".join(
        f"{number} {state.replace('_', ' ')}" for state in MARKERS if (number := list(states.values()).count(state))
    )
    return as_svg(figure, f"Map of {len(placed)} stations: {counted}. The table of stations says the same.")


def _links(placed: Mapping[int, object], neighbours: Neighbours) -> set[tuple[int, int]]:
    """Pairs of stations of which one asks the other."""
    rows, places = np.nonzero(neighbours.close)
    pairs = {(int(row), int(neighbours.rows[row, place])) for row, place in zip(rows, places, strict=True)}
    return {(min(pair), max(pair)) for pair in pairs if pair[0] in placed and pair[1] in placed}

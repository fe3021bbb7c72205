"""The map of the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from toolkit.land import shores
from toolkit.model import Station
from toolkit.page.drawing import COLOURS, as_svg, new_figure
from toolkit.quality.arrays import Floats
from toolkit.quality.neighbours import Neighbours

# Each state has a marker of its own, so that nobody has to tell colours apart; in the order of drawing.
MARKERS = {"well": "o", "weather_event": "D", "unverified": "s", "silent": "X", "suspected": "v", "device_failure": "^"}
# The margin around the network: a share of its extent, and degrees at least.
MARGIN = 0.08
LEAST_MARGIN = 0.1
# The room that a name takes: the width of a letter and the height of a line, as shares of the map's.
LETTER, LINE = 0.013, 0.03


def draw(stations: Sequence[Station], states: Mapping[str, str], neighbours: Neighbours) -> str | None:
    """The map as SVG; None where no station has a position.

    Args:
        stations: the network, in the order of `neighbours`.
        states: of each station, by its id, a name of `MARKERS`.
        neighbours: which stations are compared with which.
    """
    rows = [
        row
        for row, station in enumerate(stations)
        if abs(_number(station.longitude)) <= 360 and abs(_number(station.latitude)) <= 90
    ]
    if not rows:
        return None
    longitude = _side_by_side(np.array([_number(stations[row].longitude) for row in rows]))
    latitude = np.array([_number(stations[row].latitude) for row in rows])
    placed = dict(zip(rows, zip(longitude.tolist(), latitude.tolist(), strict=True), strict=True))
    west, east = _with_margin(longitude)
    south, north = _with_margin(latitude)
    # A degree of longitude is shorter than one of latitude by the cosine of the latitude.
    aspect = 1 / max(0.1, float(np.cos(np.radians((south + north) / 2))))
    height = 7 * min(1.4, max(0.5, (north - south) * aspect / (east - west)))
    figure = new_figure(7, height)
    axes = figure.add_subplot()
    axes.set(xlim=(west, east), ylim=(south, north), aspect=aspect, xlabel="longitude, °E", ylabel="latitude, °N")
    axes.plot(*_joined(shores(west, east, south, north)).T, color=COLOURS["land"], linewidth=0.8)
    links = [np.array([placed[one], placed[other]]) for one, other in _links(placed, neighbours)]
    axes.plot(*_joined(links).T, color=COLOURS["faint"], linewidth=0.4)
    for state, marker in MARKERS.items():
        rows = [row for row in placed if states[stations[row].station_id] == state]
        if rows:
            x, y = np.array([placed[row] for row in rows]).T
            axes.plot(x, y, marker, color=COLOURS[state], markersize=7, label=state.replace("_", " "))
    worst_first = sorted(placed, key=lambda row: -list(MARKERS).index(states[stations[row].station_id]))
    shares = {
        row: ((placed[row][0] - west) / (east - west), (placed[row][1] - south) / (north - south)) for row in placed
    }
    for row in _with_room(worst_first, {row: len(stations[row].station_id) for row in placed}, shares):
        # At the eastern edge a name stands to the left of its station.
        left = shares[row][0] > 1 - LETTER * len(stations[row].station_id)
        axes.annotate(
            stations[row].station_id, placed[row], xytext=(-5 if left else 5, 4), textcoords="offset points",
            ha="right" if left else "left", fontsize=8,
        )  # fmt: skip
    axes.legend(loc="best", fontsize=8)
    counted = ", ".join(
        f"{number} {state.replace('_', ' ')}" for state in MARKERS if (number := list(states.values()).count(state))
    )
    return as_svg(figure, f"Map of {len(placed)} stations: {counted}. The table of stations says the same.")


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _side_by_side(longitude: Floats) -> Floats:
    """Longitudes that increase from west to east, also where the network lies on both sides of 180°.

    They begin east of the widest gap between stations, and some may then be above 180. (RFC 7946, 3.1.9 and 5.2, cuts
    geometries at 180° instead; a map needs them in one piece.)
    """
    around = np.where((longitude < -180) | (longitude >= 180), (longitude + 180) % 360 - 180, longitude)
    ordered = np.sort(around)
    gaps = np.diff(ordered, append=ordered[0] + 360)
    widest = int(np.argmax(gaps))
    if widest == len(ordered) - 1:
        return around
    return np.where(around <= ordered[widest], around + 360, around)


def _joined(lines: Sequence[Floats]) -> Floats:
    """Many lines as one line with gaps, so that the page has one path instead of thousands."""
    gap = np.full((1, 2), np.nan)
    return np.concatenate([part for line in lines for part in (line, gap)] or [gap])


def _with_margin(degrees: Floats) -> tuple[float, float]:
    low, high = float(degrees.min()), float(degrees.max())
    margin = max(LEAST_MARGIN, MARGIN * (high - low))
    return low - margin, high + margin


def _with_room(
    order: Sequence[int], letters: Mapping[int, int], shares: Mapping[int, tuple[float, float]]
) -> Iterator[int]:
    """The rows whose name does not overlap the names before it; the page's table has every name.

    Args:
        order: rows, the most important first.
        letters: how many letters each name has.
        shares: the place of each station, as shares of the map's width and height.
    """
    taken: list[tuple[float, float, float]] = []
    for row in order:
        x, y = shares[row]
        wide = LETTER * letters[row]
        if all(
            abs(y - other_y) > LINE or x > other_x + other_wide or x + wide < other_x
            for other_x, other_y, other_wide in taken
        ):
            taken.append((x, y, wide))
            yield row


def _links(placed: Mapping[int, object], neighbours: Neighbours) -> set[tuple[int, int]]:
    """Pairs of stations of which one is the other's neighbour."""
    rows, places = np.nonzero(neighbours.close)
    pairs = {(int(row), int(neighbours.rows[row, place])) for row, place in zip(rows, places, strict=True)}
    return {(min(pair), max(pair)) for pair in pairs if pair[0] in placed and pair[1] in placed}

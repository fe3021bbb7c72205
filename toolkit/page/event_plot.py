"""The plot of an anomaly or an incident: the station and its neighbours, some hours before and after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from toolkit import times
from toolkit.detector.grid import Grid
from toolkit.detector.report import Anomaly
from toolkit.incidents import evidence
from toolkit.page.drawing import COLOURS, as_svg, new_figure
from toolkit.quality.arrays import Floats
from toolkit.store import Selection, Store
from toolkit.store.incidents import Incident
from toolkit.variables import BY_NAME

# Hours that are shown before and after.
AROUND_HOURS = 3
# Of an incident its first hours are shown.
MOST_HOURS = 24
NEIGHBOURS = 4
DASHES = ("--", ":", "-.", (0, (5, 1)))


class Curve(NamedTuple):
    """The readings of a station.

    Attributes:
        label: whose they are.
        at: when each is of, aware.
        values: in the variable's unit, NaN where there is none.
    """

    label: str
    at: Sequence[datetime]
    values: Floats


def of_anomaly(anomaly: Anomaly, grid: Grid) -> str | None:
    """The plot as SVG; None for an anomaly of a station as a whole, which has no readings to show."""
    if anomaly.variable not in grid.values:
        return None
    row_of = {station.station_id: row for row, station in enumerate(grid.stations)}
    started, ended = (times.epoch_of(text) for text in (anomaly.start, anomaly.end))
    ends = grid.slot_times()
    around = AROUND_HOURS * 3600
    shown = (ends >= started - around) & (ends <= ended + around)
    at = [times.from_epoch(end) for end in ends[shown]]
    readings = grid.values[anomaly.variable][:, shown]
    known = [one for one in anomaly.neighbours if one.station_id in row_of][:NEIGHBOURS]
    return _draw(
        anomaly.variable,
        Curve(anomaly.station_id, at, readings[row_of[anomaly.station_id]]),
        [Curve(_named(one.station_id, one.distance_km), at, readings[row_of[one.station_id]]) for one in known],
        (started - grid.cadence / 2, ended + grid.cadence / 2),
        anomaly.class_,
        f"{anomaly.variable} of {anomaly.station_id} and of {len(known)} neighbours, "
        f"from {anomaly.start} to {anomaly.end}",
    )


def of_incident(store: Store, incident: Incident) -> str | None:
    """The plot of how an incident began, as SVG; None where there are no readings to show."""
    name, station = incident.variable, incident.station_id
    if station is None or name not in BY_NAME or incident.kind == "data_missing":
        return None
    ended = min(incident.ended, incident.started + MOST_HOURS * 3600)
    around = AROUND_HOURS * 3600
    near = _neighbours(incident)
    found: dict[str, list[tuple[float, float]]] = {one: [] for one in (station, *(id_ for id_, _ in near))}
    for one in store.observations(Selection(incident.started - around, ended + around, list(found))):
        if (value := getattr(one, name)) is not None:
            found[one.station_id].append((one.time, value))
    if not found[station]:
        return None

    def curve(station_id: str, label: str) -> Curve:
        at, values = np.array(found[station_id], dtype=np.float64).reshape(-1, 2).T
        return Curve(label, [times.from_epoch(moment) for moment in at.tolist()], values)

    return _draw(
        name,
        curve(station, station),
        [curve(id_, _named(id_, km)) for id_, km in near],
        (incident.started, ended),
        "device_failure" if incident.severity != "info" else "suspected",
        f"{name} of {station} and of {len(near)} neighbours as incident {incident.id} began, "
        f"from {times.iso_of(incident.started)}",
    )


def _draw(
    name: str, own: Curve, neighbours: Sequence[Curve], trouble: tuple[float, float], colour: str, label: str
) -> str:
    """A plot as SVG.

    Args:
        name: of the variable.
        own: the readings of the station in question.
        neighbours: those of its neighbours.
        trouble: since when and until when it is in question, seconds since the epoch.
        colour: a name of `COLOURS`.
        label: what there is to see, for screen readers.
    """
    figure = new_figure(7, 2.6)
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # after the figure, which imports it safely

    variable = BY_NAME[name]
    points = variable.plot == "points"
    steps = "steps-post" if variable.plot == "steps" else "default"
    axes = figure.add_subplot()
    for one, dashes in zip(neighbours, DASHES, strict=False):
        axes.plot(
            np.array(one.at), one.values,
            linestyle="none" if points else dashes, color=COLOURS["faint"], linewidth=1,
            marker="." if points else "", markersize=3, drawstyle=steps,
            label=_legend(one.label),
        )  # fmt: skip
    axes.plot(
        np.array(own.at), own.values,
        linestyle="none" if points else "-", color=COLOURS[colour], linewidth=1.6, marker=".", markersize=4,
        drawstyle=steps, label=_legend(own.label),
    )  # fmt: skip
    axes.axvspan(*map(times.from_epoch, trouble), color=COLOURS[colour], alpha=0.12, linewidth=0)
    axes.set_ylabel(f"{variable.label}, {variable.unit}")
    locator = AutoDateLocator(maxticks=10)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return as_svg(figure, label)


def _neighbours(incident: Incident) -> list[tuple[str, float | None]]:
    """The neighbours that the detector compared with, and how far away each is, in km."""
    found = evidence.read(incident.evidence).get("detector", {}).get("neighbours")
    near = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return [
        (station, km if isinstance(km := one.get("distance_km"), int | float) else None)
        for one in near
        if isinstance(station := one.get("station_id"), str) and station != incident.station_id
    ][:NEIGHBOURS]


def _named(station_id: str, km: float | None) -> str:
    return station_id if km is None else f"{station_id}, {km:g} km"


def _legend(text: str) -> str:
    """A text for a legend, from which matplotlib leaves out what begins with an underscore."""
    return f" {text}" if text.startswith("_") else text

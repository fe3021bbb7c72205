"""Observations as CoverageJSON: a series of each station, with its flags as parameters with categories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import numpy as np
from covjson_pydantic.coverage import Coverage, CoverageCollection
from covjson_pydantic.domain import Axes, Domain, DomainType, ValuesAxis
from covjson_pydantic.ndarray import NdArrayFloat, NdArrayInt, NdArrayStr
from covjson_pydantic.observed_property import Category, ObservedProperty
from covjson_pydantic.parameter import Parameter, Parameters
from covjson_pydantic.reference_system import ReferenceSystem, ReferenceSystemConnectionObject
from covjson_pydantic.unit import Symbol, Unit

from toolkit.api.parameters import FLAG, variable_of
from toolkit.flagging.readings import FlaggedReadings
from toolkit.model import Station
from toolkit.store.flag_views import MEANINGS
from toolkit.variables import BY_NAME

CF = "http://vocab.nerc.ac.uk/standard_name/"
UCUM = "http://www.opengis.net/def/uom/UCUM/"
_UCUM = {"°C": "Cel", "%": "%", "hPa": "hPa", "mm": "mm", "km/h": "km/h", "°": "deg", "W/m²": "W/m2", "cm": "cm"}
_CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_FLAGS = "https://ioos.noaa.gov/project/qartod/"


def parameter(column: str) -> Parameter:
    """What a column is, for people and programs."""
    variable = BY_NAME[variable_of(column)]
    if column == variable.name:
        return Parameter(
            label={"en": variable.label},
            description={"en": _described(variable.name)},
            observedProperty=ObservedProperty(id=CF + variable.standard_name, label={"en": variable.label}),
            unit=Unit(
                label={"en": variable.unit},
                symbol=Symbol(value=_UCUM.get(variable.unit, variable.unit), type=UCUM),
            ),
        )
    if column == variable.name + FLAG:
        return Parameter(
            label={"en": f"flag of {variable.label}"},
            observedProperty=ObservedProperty(
                id=_FLAGS,
                label={"en": "QARTOD flag"},
                categories=[
                    Category(id=meaning, label={"en": meaning.replace("_", " ")}) for meaning in MEANINGS.values()
                ],
            ),
            categoryEncoding={meaning: flag for flag, meaning in MEANINGS.items()},
        )
    return Parameter(
        label={"en": f"what decided the flag of {variable.label}"},
        observedProperty=ObservedProperty(label={"en": "quality-control test"}),
    )


def _described(name: str) -> str:
    variable = BY_NAME[name]
    statistic = variable.statistic.capitalize() + (f" over {variable.period}" if variable.period else "")
    return f"{statistic}. {variable.note}".strip()


def written(
    rows: FlaggedReadings, columns: Sequence[str], stations: Mapping[str, Station], *, one: bool
) -> Iterator[bytes]:
    """The parts of a document: a coverage of the only station, or a collection with one for each.

    Args:
        rows: the observations.
        columns: in their order.
        stations: by id.
        one: whether a single coverage is asked for; the rows are of one station.
    """
    order = np.lexsort((rows.time, rows.station))
    of = rows.station[order]
    groups = np.split(order, np.flatnonzero(np.diff(of)) + 1) if len(order) else []
    parameters = Parameters({column: parameter(column) for column in columns})
    if one and len(groups) == 1:
        yield from _coverage(rows.taken(groups[0]), columns, stations, parameters)
        return
    empty = CoverageCollection(
        domainType=DomainType.point_series, coverages=[], parameters=parameters, referencing=_referencing()
    )
    head, _, tail = empty.model_dump_json(exclude_none=True).partition('"coverages":[]')
    yield head.encode() + b'"coverages":['
    for number, places in enumerate(groups):
        if number:
            yield b","
        yield from _coverage(rows.taken(places), columns, stations, None)
    yield b"]" + tail.encode()


def _coverage(
    rows: FlaggedReadings, columns: Sequence[str], stations: Mapping[str, Station], parameters: Parameters | None
) -> Iterator[bytes]:
    """A coverage of one station: the ranges are written one by one, so that only one is held as objects."""
    station = stations[rows.stations[rows.station[0]]]
    frame = Coverage(
        id=station.station_id,
        domain=Domain(
            domainType=DomainType.point_series,
            axes=Axes(
                x=ValuesAxis[float](values=[station.longitude or 0.0]),
                y=ValuesAxis[float](values=[station.latitude or 0.0]),
                t=ValuesAxis[datetime].model_construct(values=[]),
            ),
            referencing=_referencing() if parameters else None,
        ),
        parameters=parameters,
        ranges={},
    )
    head, _, tail = frame.model_dump_json(exclude_none=True).rpartition('"ranges":{}')
    before, _, after = head.partition('"t":{"values":[]')
    yield before.encode() + b'"t":{"values":[' + _times(rows) + b"]" + after.encode() + b'"ranges":{'
    for number, column in enumerate(columns):
        content = _range(rows, column).model_dump_json()
        yield (b"," if number else b"") + b'"' + column.encode() + b'":' + content.encode()
    yield b"}" + tail.encode()


def _times(rows: FlaggedReadings) -> bytes:
    """The times of rows as JSON, without brackets: as pydantic's objects they would take half of the answer's time."""
    written = np.empty(len(rows.time), dtype=[("quote", "S1"), ("day", "S10"), ("time", "S9"), ("end", "S3")])
    day, second = np.divmod(rows.time, 86_400)
    written["quote"], written["end"] = b'"', b'Z",'
    for name, of, text in (
        ("day", day.astype("datetime64[D]"), slice(10)),
        ("time", second.astype("datetime64[s]"), slice(10, 19)),
    ):
        distinct, places = np.unique(of, return_inverse=True)
        written[name] = np.array([str(one)[text] for one in distinct.astype("datetime64[s]")], dtype="S")[places]
    return written.tobytes()[:-1]


def _range(rows: FlaggedReadings, column: str) -> NdArrayFloat | NdArrayInt | NdArrayStr:
    name, shape = variable_of(column), [len(rows.time)]
    if column == name:
        values = rows.values[name].astype(object)
        values[np.isnan(rows.values[name])] = None
        return NdArrayFloat(axisNames=["t"], shape=shape, values=values.tolist())
    if column == name + FLAG:
        flags = rows.flags[name].astype(object)
        flags[rows.flags[name] == 0] = None
        return NdArrayInt(axisNames=["t"], shape=shape, values=flags.tolist())
    names = [None, *rows.test_names[1:]]
    return NdArrayStr(axisNames=["t"], shape=shape, values=[names[test] for test in rows.tests[name].tolist()])


def _referencing() -> list[ReferenceSystemConnectionObject]:
    return [
        ReferenceSystemConnectionObject(
            coordinates=["x", "y"], system=ReferenceSystem(type="GeographicCRS", id=_CRS84)
        ),
        ReferenceSystemConnectionObject(
            coordinates=["t"], system=ReferenceSystem(type="TemporalRS", calendar="Gregorian")
        ),
    ]

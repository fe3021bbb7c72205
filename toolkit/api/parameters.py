"""What a request may ask for: the query parameters, their bounds, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from toolkit.api.problems import wrong
from toolkit.store.flag_views import MEANINGS
from toolkit.text import did_you_mean
from toolkit.times import parse
from toolkit.variables import BY_NAME, MEASURED

FLAG, TEST = "_qc", "_qc_test"
"""What the names of a variable's flag and of the test that decided end in, as in the view `observations_qc`."""

MOST_VALUES = 400_000
"""So many values one answer may have."""
MOST_FEATURES = 10_000
"""So many features or rows one page may have."""
PAGE = 1000
LONGEST = 2000  # characters of a parameter
LONGEST_AREA = 10_000
NEAREST_KM = 25.0
"""A station that is farther from a position than this has nothing to say of it."""
CRS = ("CRS84", "http://www.opengis.net/def/crs/OGC/1.3/CRS84")

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})?")


class Form(StrEnum):
    """The forms of observations, by the values of the parameter `f`."""

    COVERAGE_JSON = "CoverageJSON"
    GEOJSON = "GeoJSON"
    CSV = "CSV"


MEDIA_TYPES = {
    Form.COVERAGE_JSON: "application/prs.coverage+json",
    Form.GEOJSON: "application/geo+json",
    Form.CSV: "text/csv; charset=utf-8; header=present",
}


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` to `end`, both included, whole seconds since the epoch; None for no bound."""

    start: int | None = None
    end: int | None = None


def period(text: str | None) -> Period:
    """What the parameter `datetime` says: a time, a day, or an interval of them, with `..` for no bound.

    Raises:
        Problem: it is none.
    """
    if not text:
        return Period()
    first, slash, last = text.partition("/")
    start = None if slash and first in {"", ".."} else _bound(text, first, last=False)
    end = _bound(text, first, last=True) if not slash else None if last in {"", ".."} else _bound(text, last, last=True)
    if start is not None and end is not None and start > end:
        raise wrong("datetime", text, "the end is before the start")
    return Period(start, end)


def _bound(text: str, part: str, *, last: bool) -> int:
    is_day = bool(_DAY.fullmatch(part))
    if not is_day and not _INSTANT.fullmatch(part):
        raise wrong(
            "datetime", text, "give a time as 2026-01-31T12:00:00Z, a day as 2026-01-31, or an interval as START/END, "
            "with .. for no bound"
        )  # fmt: skip
    try:
        moment = parse(part.upper().replace(" ", "T"))
    except ValueError as error:
        raise wrong("datetime", text, str(error).partition(": ")[2] or str(error)) from None
    seconds = moment.timestamp()
    if is_day and last:
        return int(seconds) + 86399
    return int(seconds // 1) if last or seconds == seconds // 1 else int(seconds // 1) + 1


@dataclass(frozen=True, slots=True)
class ValueSelection:
    """Which columns of which values.

    Attributes:
        variables: that are read.
        columns: in their order: names of variables, with `_qc` for the flag and `_qc_test` for the test.
        flags: only values with one of these flags; none for all.
    """

    variables: tuple[str, ...]
    columns: tuple[str, ...]
    flags: tuple[int, ...] = ()


ALL_COLUMNS = tuple(name for one in MEASURED for name in (one.name, one.name + FLAG))
"""What is answered where no parameter is named."""


def wanted(names: str | None, qc: str) -> ValueSelection:
    """What the parameters `parameter-name` and `qc` say.

    Raises:
        Problem: a name or a flag is unknown.
    """
    columns = tuple(dict.fromkeys(name.strip() for name in names.split(","))) if names else ALL_COLUMNS
    variables = []
    for name in columns:
        variable = variable_of(name)
        if variable not in BY_NAME:
            hint = did_you_mean(name, ALL_COLUMNS, f"there are {', '.join(BY_NAME)}, each with {FLAG} and {TEST}")
            raise wrong("parameter-name", name, hint)
        variables.append(variable)
    return ValueSelection(tuple(dict.fromkeys(variables)), columns, _flags(qc))


def variable_of(column: str) -> str:
    """The variable of a column."""
    return column.removesuffix(TEST).removesuffix(FLAG)


def _flags(text: str) -> tuple[int, ...]:
    if text == "all":
        return ()
    if text == "good":
        return (1,)
    known = {str(flag): flag for flag in MEANINGS} | {meaning: flag for flag, meaning in MEANINGS.items()}
    try:
        return tuple(known[part.strip()] for part in text.split(","))
    except KeyError:
        meanings = ", ".join(f"{flag} ({meaning})" for flag, meaning in MEANINGS.items())
        raise wrong("qc", text, f"give all, good, or flags separated by commas: {meanings}") from None


def box(text: str | None) -> tuple[float, float, float, float] | None:
    """What the parameter `bbox` says: west, south, east, north in degrees; west may be greater than east.

    Raises:
        Problem: it is none.
    """
    if not text:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 6:  # with heights, which stations are not looked up by
        numbers = [numbers[place] for place in (0, 1, 3, 4)]
    if len(numbers) != 4 or not all(-360 <= number <= 360 for number in numbers) or numbers[1] > numbers[3]:
        raise wrong("bbox", text, "give WEST,SOUTH,EAST,NORTH in degrees")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("give text without control characters")
    return text


Text = Annotated[str, Field(max_length=LONGEST), AfterValidator(_printable)]


class Nothing(BaseModel):
    """A resource without parameters but its form, which is JSON."""

    model_config = ConfigDict(extra="forbid")

    f: Literal["json"] = Field("json", description="The form of the answer.")


class Filter(BaseModel):
    """Which observations, and how they are written."""

    model_config = ConfigDict(extra="forbid")

    datetime_: Text | None = Field(
        None, alias="datetime",
        description="A time, a day, or an interval START/END, both included; `..` for no bound. UTC where no offset "
        "is given.", examples=["2026-01-31T12:00:00Z", "2026-01-01/2026-01-31", "../2026-01-31T12:00:00Z"],
    )  # fmt: skip
    parameter_name: Text | None = Field(
        None, alias="parameter-name",
        description=f"Names of parameters, separated by commas; `VARIABLE{FLAG}` is the flag of a value, "
        f"`VARIABLE{TEST}` the test that decided. Without it: all variables and their flags.",
        examples=["temp_out,temp_out_qc"],
    )  # fmt: skip
    qc: Text = Field(
        "all",
        description="Values with which flags: `all`, `good` (those that pass), or flags separated by commas. Other "
        "values are left out.", examples=["good", "3,4"],
    )  # fmt: skip
    crs: Literal["CRS84", "http://www.opengis.net/def/crs/OGC/1.3/CRS84"] = Field(
        "CRS84", description="The coordinate reference system: longitude and latitude of WGS 84."
    )

    def period(self) -> Period:
        """See `period`."""
        return period(self.datetime_)

    def wanted(self) -> ValueSelection:
        """See `wanted`."""
        return wanted(self.parameter_name, self.qc)


class Coverages(Filter):
    """Observations, as a coverage unless told otherwise."""

    f: Form = Field(Form.COVERAGE_JSON, description="The form of the answer.")


class Position(Coverages):
    """Observations at a position."""

    coords: Text = Field(
        description="A point as well-known text: POINT(LONGITUDE LATITUDE), or MULTIPOINT. The nearest station within "
        f"{NEAREST_KM:g} km answers.", examples=["POINT(22.94 39.36)"],
    )  # fmt: skip


class Radius(Coverages):
    """Observations around a position."""

    coords: Text = Field(description="POINT(LONGITUDE LATITUDE), or MULTIPOINT.", examples=["POINT(22.94 39.36)"])
    within: float = Field(description="How far a station may be away.", gt=0, le=20_040_000, allow_inf_nan=False)
    within_units: Literal["km", "m", "mi"] = Field("km", alias="within-units", description="The unit of `within`.")


class Area(Coverages):
    """Observations within an area."""

    coords: str = Field(
        max_length=LONGEST_AREA,
        description="An area as well-known text: POLYGON((LONGITUDE LATITUDE, …)), or MULTIPOLYGON.",
        examples=["POLYGON((22 39, 24 39, 24 40, 22 40, 22 39))"],
    )


class Places(BaseModel):
    """Which stations."""

    model_config = ConfigDict(extra="forbid")

    bbox: Text | None = Field(None, description="WEST,SOUTH,EAST,NORTH in degrees.", examples=["22,39,24,40"])
    crs: Literal["CRS84", "http://www.opengis.net/def/crs/OGC/1.3/CRS84"] = "CRS84"
    f: Literal["GeoJSON"] = Field("GeoJSON", description="The form of the answer.")


class Items(Filter):
    """Observations one by one, in pages."""

    f: Literal["GeoJSON", "CSV"] = Field("GeoJSON", description="The form of the answer.")
    bbox: Text | None = Field(None, description="WEST,SOUTH,EAST,NORTH in degrees.", examples=["22,39,24,40"])
    station: Text | None = Field(None, description="Ids of stations, separated by commas.", examples=["volos"])
    limit: int = Field(PAGE, ge=1, le=MOST_FEATURES, description="How many observations a page has at most.")
    cursor: Text | None = Field(None, description="Where the page begins: the link `next` has it.")


class Pages(BaseModel):
    """A list in pages."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(PAGE, ge=1, le=MOST_FEATURES, description="How many entries a page has at most.")
    offset: int = Field(0, ge=0, le=10_000_000, description="How many entries are passed over.")
    f: Literal["json"] = Field("json", description="The form of the answer.")


def chosen(text: str | None, known: Sequence[str]) -> list[str]:
    """The stations that the parameter `station` names; none where it is not given.

    Raises:
        Problem: one is unknown.
    """
    if not text:
        return []
    names = list(dict.fromkeys(part.strip() for part in text.split(",")))
    among = set(known)
    for name in names:
        if name not in among:
            raise wrong("station", name, did_you_mean(name, known, "there is no such station: /stations lists them"))
    return names

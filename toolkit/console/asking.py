"""What the views of one station ask for: which station, which time."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from toolkit.api.parameters import Text
from toolkit.api.problems import Problem, wrong
from toolkit.location import without_impossible_place
from toolkit.model import Station
from toolkit.store import Span, Store
from toolkit.text import did_you_mean
from toolkit.variables import BY_NAME

LAST = 253_402_300_799
"""The last second of the year 9999."""


def _known(name: str) -> str:
    if name not in BY_NAME:
        raise ValueError(did_you_mean(name, BY_NAME, f"there are {', '.join(BY_NAME)}"))
    return name


Variable = Annotated[str, AfterValidator(_known)]


class StationQuery(BaseModel):
    """A station and a span of time."""

    model_config = ConfigDict(extra="forbid")

    station: Text
    from_: int = Field(alias="from", ge=0, le=LAST)
    to: int = Field(ge=0, le=LAST)

    def span(self) -> Span:
        """After `from` up to and including `to`.

        Raises:
            Problem: it is empty.
        """
        if self.from_ >= self.to:
            raise wrong("from", self.from_, "give a time that is before the one of `to`")
        return Span(self.from_, self.to)

    def known(self, store: Store) -> None:
        """Look whether there is such a station.

        Raises:
            Problem: there is none.
        """
        station_of(store, self.station)


def names(text: str | None) -> list[str]:
    """The variables that the parameter `variables` names; all where it is not given.

    Raises:
        Problem: one is unknown.
    """
    if not text:
        return list(BY_NAME)
    found = list(dict.fromkeys(text.split(",")))
    for name in found:
        try:
            _known(name)
        except ValueError as error:
            raise wrong("variables", name, str(error)) from None
    return found


def station_of(store: Store, name: str) -> Station:
    """A station, without an impossible place.

    Raises:
        Problem: there is none of this id.
    """
    found = {one.station_id: one for one in store.stations()}
    if name not in found:
        hint = did_you_mean(name, found, "the view of the network lists them")
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no station {name[:80]!r}: {hint}")
    return without_impossible_place(found[name])

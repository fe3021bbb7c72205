"""Playback: past time as the detector saw it, run by run."""

from __future__ import annotations

import json
import math
import zlib
from http import HTTPStatus
from typing import Annotated, cast

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from toolkit.api.answers import Content
from toolkit.api.edr import at_once
from toolkit.api.parameters import Text
from toolkit.api.problems import Problem
from toolkit.console.about import DATA
from toolkit.console.asking import LAST
from toolkit.console.people import Reader
from toolkit.console.playing import PlaybackRequest, Playing

router = APIRouter(prefix=DATA + "/playback", include_in_schema=False)

MOST_HOURS, MOST_STEPS = 24 * 14, 200


class PlaybackQuery(BaseModel):
    """Which time, in which steps, and which station is explained."""

    model_config = ConfigDict(extra="forbid")

    station: Text | None = Field(None, description="The station that is explained.")
    end: int = Field(ge=0, le=LAST, description="When the last run is.")
    hours: float = Field(24, ge=0, le=MOST_HOURS, description="How long before that the first one is.")
    step: float = Field(60, ge=1, le=24 * 60, description="From run to run, in minutes.")
    everything: bool = Field(False, description="Also with what was collected later.")

    def wanted(self) -> PlaybackRequest:
        """The same as it is made.

        Raises:
            Problem: these are too many runs.
        """
        if self.hours * 60 / self.step >= MOST_STEPS:
            detail = f"hours={self.hours:g} in steps of {self.step:g} minutes: give fewer hours or longer steps, "
            raise Problem(HTTPStatus.BAD_REQUEST, f"{detail}{MOST_STEPS} runs at most")
        return PlaybackRequest(self.station, self.end, self.hours, self.step, self.everything)


class StepQuery(PlaybackQuery):
    """The same, and one of its runs."""

    at: int = Field(ge=0, le=LAST, description="When the run is.")


@router.get("")
async def playback(request: Request, asked: Annotated[PlaybackQuery, Query()], _: Reader) -> Response:
    """What has been played back so far: each run, without what it says of the station that is explained."""
    wanted = asked.wanted()
    play = _playing(request).ask(wanted)
    head = {
        "state": play.state,
        "why": play.why,
        "total": int(asked.hours * 60 / asked.step) + 1,
        "window_hours": request.app.state.settings.window_hours,
        "method": request.app.state.settings.detection_method,
    }
    runs = b",".join(play.runs)
    return at_once(request, Content([json.dumps(head)[:-1].encode(), b', "runs": [', runs, b"]}"], "application/json"))


@router.get("/sensors")
async def sensors(request: Request, asked: Annotated[StepQuery, Query()], _: Reader) -> Response:
    """What a run says of each sensor of the station that is explained."""
    found = _playing(request).ask(asked.wanted(), math.inf).sensors.get(asked.at)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"at={asked.at}: there is no such run, or it was not played back yet")
    return at_once(request, Content([zlib.decompress(found)], "application/json"))


def _playing(request: Request) -> Playing:
    return cast(Playing, request.app.state.playing)

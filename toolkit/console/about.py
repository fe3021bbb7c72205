"""What every view needs to know of the service, and of who looks."""

from __future__ import annotations

import platform
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from toolkit import __version__
from toolkit.console.assets import ROOT
from toolkit.console.people import Person, person
from toolkit.variables import MEASURED

DATA = ROOT + "/data"
router = APIRouter(prefix=DATA, include_in_schema=False)


@router.get("/about")
async def about(request: Request, who: Annotated[Person | None, Depends(person)]) -> Response:
    """The service, its variables, and who has signed in. It is open, for it is what a form to sign in needs."""
    state, settings = request.app.state, request.app.state.settings
    return JSONResponse(
        {
            "version": __version__,
            "host": platform.node(),
            "time_zone": str(settings.notify_time_zone),
            "cadence_seconds": settings.cadence_seconds,
            "fresh_minutes": settings.fresh_minutes,
            "variables": [
                {
                    "name": one.name,
                    "label": one.label,
                    "unit": one.unit,
                    "detected": one.name in settings.detection_variables,
                }
                for one in MEASURED
            ],
            "person": who and who._asdict(),
            "sign_in": False,
            "closed": state.closed,
            "hosts": False,
            "csrf": "",
        },
        headers={"Cache-Control": "no-store"},
    )

"""What every view needs to know of the service, and of who looks."""

from __future__ import annotations

import platform

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from toolkit import __version__
from toolkit.console.assets import ROOT
from toolkit.console.people import Visitor, has_accounts
from toolkit.variables import BY_NAME, MEASURED, Variable

DATA = ROOT + "/data"
router = APIRouter(prefix=DATA, include_in_schema=False)


@router.get("/about")
async def about(request: Request, found: Visitor) -> Response:
    """The service, its variables, and who has signed in. It is open, for it is what a form to sign in needs."""
    state, settings = request.app.state, request.app.state.settings
    return JSONResponse(
        {
            "version": __version__,
            "host": platform.node(),
            "time_zone": str(settings.notify_time_zone),
            "variables": [
                {
                    "name": one.name,
                    "label": one.label,
                    "unit": one.unit,
                    "nature": one.nature,
                    "plot": one.plot,
                    "speed": one.speed,
                    "detected": one.name in settings.detection_variables,
                    "compared": one.scale is not None,
                    "seldom": _seldom(one),
                }
                for one in MEASURED
            ],
            "person": found and found.person._asdict(),
            "sign_in": await has_accounts(request),
            "sign_out": found is not None and found.digest is not None,
            "closed": state.closed,
            "hosts": bool(settings.console_hosts),
            "csrf": found.csrf if found else "",
        },
        headers={"Cache-Control": "no-store"},
    )


def _seldom(variable: Variable) -> bool:
    """Whether charts leave it out unless it is asked for: its curve, or its vane's, is that of another variable."""
    if variable.speed:
        return bool(BY_NAME[variable.speed].follows)
    return variable.nature == "level" and variable.statistic in {"maximum", "minimum"}

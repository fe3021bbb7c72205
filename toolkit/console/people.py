"""Who looks, and who may act: what every resource of the console demands.

Looking follows the API: where that demands tokens, people must sign in to look. Acting always needs a person who has
signed in and is an operator.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal, NamedTuple

from fastapi import Depends, Request

from toolkit.api.problems import Problem

Role = Literal["viewer", "operator"]


class Person(NamedTuple):
    """Who has signed in.

    Attributes:
        name: as histories have it.
        role: what the person may do.
    """

    name: str
    role: Role


async def person(_request: Request) -> Person | None:
    """Who sends a request; None for somebody who has not signed in."""
    return None


async def reader(request: Request, who: Annotated[Person | None, Depends(person)]) -> Person | None:
    """Who looks: everybody, or where the API has tokens a person who has signed in.

    Raises:
        Problem: one must sign in.
    """
    if request.app.state.closed and who is None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "sign in to look")
    return who


async def operator(_request: Request, who: Annotated[Person | None, Depends(person)]) -> Person:
    """Who acts, by a request that no other site can have sent.

    Raises:
        Problem: one must sign in, or may only look.
    """
    if who is None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "sign in to act")
    if who.role != "operator":
        raise Problem(HTTPStatus.FORBIDDEN, f"{who.name} may look, and not act: an operator's account can")
    return who


Reader = Annotated[Person | None, Depends(reader)]
Operator = Annotated[Person, Depends(operator)]

"""Errors in the form of RFC 9457: `application/problem+json`, one clear sentence in `detail`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from toolkit.api.problem_json import MEDIA_TYPE, problem
from toolkit.errors import ToolkitError
from toolkit.text import did_you_mean

SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong with which value, and what to ask for instead."},
    },
}
# When a client may try again where the store could not be read, or everybody is busy.
LATER_SECONDS = 5

log = logging.getLogger(__name__)


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """What ends a request: a status, a sentence for people, and headers."""

    def __init__(self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})


def wrong(parameter: str, value: object, remedy: str) -> Problem:
    """A parameter whose value cannot be used."""
    return Problem(HTTPStatus.BAD_REQUEST, f"{parameter}={str(value)[:80]!r}: {remedy}")


def too_busy() -> Problem:
    """No room for another request that reads the store."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "too many requests are being answered", {"Retry-After": str(LATER_SECONDS)}
    )


def answer(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that tells of a problem."""
    return Response(problem(status, detail), status, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE)


def unforeseen(error: Exception) -> Response:
    """The answer where this program failed: why is told in the log alone."""
    log.error("a request could not be answered: %s: %s", type(error).__name__, error, exc_info=error)
    return answer(HTTPStatus.INTERNAL_SERVER_ERROR, "the request could not be answered; the service's log says why")


def install(application: FastAPI) -> None:
    """Have every failure told in this form."""
    application.add_exception_handler(Problem, _problem)
    application.add_exception_handler(HTTPException, _http)
    application.add_exception_handler(RequestValidationError, _invalid)
    application.add_exception_handler(ToolkitError, _store)


def _problem(_request: Request, error: Any) -> Response:
    return answer(error.status, error.detail, error.headers)


def _http(request: Request, error: Any) -> Response:
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = headers.get("Allow", "GET").replace("GET", "GET, HEAD")
    detail = {
        404: f"there is nothing at {request.url.path}: / tells what there is",
        405: f"{request.method} is not possible here, but {headers.get('Allow')}",
    }.get(error.status_code, error.detail)
    return answer(error.status_code, detail, headers)


def _invalid(request: Request, error: Any) -> Response:
    first = error.errors()[0]
    where, name = str(first["loc"][0]), ".".join(map(str, first["loc"][1:]))
    if where == "path":
        return answer(HTTPStatus.NOT_FOUND, f"there is nothing at {request.url.path}: {name} is {_demanded(first)}")
    if first["type"] == "extra_forbidden":
        known = parameters_of(request)
        hint = did_you_mean(name, known, f"there are {', '.join(known)}" if known else "there are none")
        detail = f"there is no parameter {name[:80]!r} here: {hint}"
    elif first["type"] == "missing":
        detail = f"the {where} parameter {name!r} is needed"
    else:
        detail = f"{name}={str(first.get('input'))[:80]!r}: {_sentence(first)}"
    return answer(HTTPStatus.BAD_REQUEST, detail)


def _sentence(error: Mapping[str, Any]) -> str:
    """What would be right: the sentence of a validator of ours, or what pydantic demands."""
    return str(error["ctx"]["error"]) if error["type"] == "value_error" else f"give {_demanded(error)}"


def _demanded(error: Mapping[str, Any]) -> str:
    """What pydantic demands, as the end of a sentence."""
    return str(error["msg"]).removeprefix("Input should be ")


def parameters_of(request: Request) -> list[str]:
    """The names of the query parameters that the resource of a request has."""
    model = getattr(getattr(request.scope.get("route"), "dependant", None), "query_params", [])
    names = []
    for one in model:
        fields = getattr(one.field_info.annotation, "model_fields", {})
        names += [field.alias or name for name, field in fields.items()]
    return names


def _store(_request: Request, error: Any) -> Response:
    log.warning("%s", error)
    headers = {"Retry-After": str(LATER_SECONDS)}
    return answer(
        HTTPStatus.SERVICE_UNAVAILABLE, "the store cannot be read just now; the service's log says why", headers
    )

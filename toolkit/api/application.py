"""The application: every resource, and what stands before them."""

from __future__ import annotations

import functools
import json
import threading
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from starlette.middleware.cors import CORSMiddleware

import toolkit
from toolkit.api import access, bodies, catalogue, clients, documented, edr, measuring, plain, problems
from toolkit.api.answers import Answers, Content
from toolkit.api.parameters import MOST_FEATURES, MOST_VALUES
from toolkit.api.rows import SECONDS, Clock
from toolkit.settings import Settings


def application(settings: Settings) -> FastAPI:
    """The API of a database, as an ASGI application.

    Raises:
        CredentialError: the tokens cannot be used.
    """
    digests = access.tokens()
    app = FastAPI(title=catalogue.TITLE, version=toolkit.__version__, openapi_url=None, docs_url=None, redoc_url=None)
    app.state.settings = settings
    app.state.closed = bool(digests)
    app.state.answers = Answers(settings.db)
    app.state.stopping = threading.Event()
    app.state.clock = functools.partial(Clock, app.state.stopping.is_set)
    app.state.measures = measuring.Measures()
    problems.install(app)
    for router in (edr.router, plain.router, measuring.router):
        app.include_router(router)
    app.add_api_route("/api", _definition, include_in_schema=False)
    app.state.definition = functools.cache(functools.partial(_written, app, settings, bool(digests)))
    app.add_middleware(bodies.Bodies)
    # The last that is added is the first that a request meets.
    app.add_middleware(access.Access, digests=digests, limit=clients.Limit(settings.api_requests_per_minute))
    if settings.api_cors_origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=settings.api_cors_origins, allow_methods=["GET", "HEAD"],
            allow_headers=["Authorization", "If-None-Match"], expose_headers=["ETag", "Link", "Retry-After"],
        )  # fmt: skip
    app.add_middleware(measuring.Measuring, measures=app.state.measures)
    return app


async def _definition(request: Request) -> Response:
    """The definition of this API, as OpenAPI 3.1."""
    definition = request.app.state.definition() | {"servers": [{"url": edr.base(request)}]}
    return edr.at_once(request, Content([json.dumps(definition).encode()], catalogue.OPENAPI))


def _written(app: FastAPI, settings: Settings, has_tokens: bool) -> dict[str, Any]:
    limit = settings.api_requests_per_minute
    definition = get_openapi(
        title=catalogue.TITLE,
        version=toolkit.__version__,
        openapi_version="3.1.0",
        description=(
            "Read-only. Observations with QARTOD's flags in the forms of OGC API - EDR 1.1, and what belongs to them "
            f"as JSON. Limits: {MOST_VALUES:,} values in an answer, {MOST_FEATURES:,} entries in a page, "
            f"{SECONDS:g} s of reading"
            + (f", {limit:,} requests of one client in a minute" if limit else "")
            + ". Answers are at most a second old, and each has an ETag. Errors are told as RFC 9457 says."
        ),
        routes=app.routes,
    )
    for path in definition["paths"].values():
        path["get"]["responses"].pop("422", None)  # a wrong parameter is answered 400
    schemas = definition.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas.update(documented.SCHEMAS)
    if has_tokens:
        definition["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        definition["security"] = [{"token": []}]
    return definition

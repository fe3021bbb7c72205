"""What the definition of the API (OpenAPI 3.1) says of answers."""

from __future__ import annotations

from typing import Any

from toolkit.api import problems
from toolkit.api.parameters import MEDIA_TYPES, Form
from toolkit.api.problem_json import MEDIA_TYPE

Responses = dict[int | str, dict[str, Any]]

_TEXT = {"type": "string"}
_LINKS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["href", "rel"],
        "properties": dict.fromkeys(("href", "rel", "type", "title"), _TEXT),
    },
}
_FEATURE = {
    "type": "object",
    "required": ["type", "id", "geometry", "properties"],
    "properties": {
        "type": {"const": "Feature"},
        "id": _TEXT,
        "geometry": {"type": ["object", "null"]},
        "properties": {"type": "object"},
    },
}
_STATION = {
    "type": "object",
    "required": ["station_id"],
    "properties": {
        "station_id": _TEXT,
        **{
            name: {"type": ["string", "null"]}
            for name in ("station_name_en", "station_name_gr", "wigos_id", "last_observation")
        },
        **{name: {"type": ["number", "null"]} for name in ("latitude", "longitude", "elevation")},
    },
}
SCHEMAS: dict[str, dict[str, Any]] = {
    "Problem": problems.SCHEMA,
    "LandingPage": {"type": "object", "required": ["links"], "properties": {"links": _LINKS}},
    "Conformance": {
        "type": "object",
        "required": ["conformsTo"],
        "properties": {"conformsTo": {"type": "array", "items": _TEXT}},
    },
    "Collections": {
        "type": "object",
        "required": ["links", "collections"],
        "properties": {
            "links": _LINKS,
            "collections": {"type": "array", "items": {"$ref": "#/components/schemas/Collection"}},
        },
    },
    "Collection": {
        "type": "object",
        "required": ["id", "links", "extent", "data_queries", "parameter_names"],
        "properties": {
            "id": _TEXT,
            "links": _LINKS,
            "extent": {"type": "object"},
            "data_queries": {"type": "object"},
            "parameter_names": {"type": "object"},
        },
    },
    "FeatureCollection": {
        "type": "object",
        "required": ["type", "features"],
        "properties": {
            "type": {"const": "FeatureCollection"},
            "features": {"type": "array", "items": {"$ref": "#/components/schemas/Feature"}},
            "links": _LINKS,
        },
    },
    "Feature": _FEATURE,
    "Coverage": {
        "title": "CoverageJSON",
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"enum": ["Coverage", "CoverageCollection"]}},
    },
    "Stations": {
        "type": "object",
        "required": ["stations", "links"],
        "properties": {"stations": {"type": "array", "items": _STATION}, "links": _LINKS},
    },
    "Incident": {
        "type": "object",
        "required": ["id", "kind", "severity", "state", "started", "ended"],
        "properties": {
            "id": {"type": "integer"},
            **dict.fromkeys(("kind", "severity", "state", "started", "ended"), _TEXT),
        },
    },
    "Incidents": {
        "type": "object",
        "required": ["incidents", "links"],
        "properties": {
            "incidents": {"type": "array", "items": {"$ref": "#/components/schemas/Incident"}},
            "links": _LINKS,
        },
    },
    "Network": {"type": "object", "required": ["schema", "period", "network"]},
    "Health": {
        "type": "object",
        "required": ["status"],
        "properties": {
            "status": {"enum": ["fresh", "stale", "empty"]},
            "newest": {"type": ["string", "null"]},
            "age_seconds": {"type": ["number", "null"]},
            "sources": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["name", "status"],
                    "properties": {
                        "name": _TEXT,
                        "status": {"enum": ["fresh", "stale", "empty", "failed"]},
                        "newest": {"type": ["string", "null"]},
                    },
                },
            },
        },
    },
}
_WRONG = {
    400: "A parameter is unknown, missing or wrong.",
    401: "No token, or an unknown one, where the service has tokens.",
    429: "Too many requests in a minute; Retry-After says when the next is answered.",
    503: "The store cannot be read just now, or too many ask; Retry-After says when to ask again.",
}
_NOT_FOUND = {404: "There is no such thing."}
_LARGE = {413: "More values than one answer may have, or what takes too long to read."}


def _answers(content: dict[str, Any], wrong: dict[int, str]) -> Responses:
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    found: Responses = {
        200: {
            "description": "The answer.",
            "content": content,
            "headers": {"ETag": {"description": "Of the content.", "schema": _TEXT}},
        },
        304: {"description": "The client has it: If-None-Match names its ETag."},
    }
    return found | {status: {"description": text, "content": problem} for status, text in wrong.items()}


def _schema(name: str) -> dict[str, Any]:
    return {"schema": {"$ref": f"#/components/schemas/{name}"}}


def json_of(name: str, *, missing: bool = False) -> Responses:
    """Answers in JSON; `missing`: there may be no such thing."""
    return _answers({"application/json": _schema(name)}, _WRONG | (_NOT_FOUND | _LARGE if missing else {}))


def geojson() -> Responses:
    """A FeatureCollection."""
    return _answers({MEDIA_TYPES[Form.GEOJSON]: _schema("FeatureCollection")}, _WRONG | _NOT_FOUND)


def feature() -> Responses:
    """A Feature."""
    return _answers({MEDIA_TYPES[Form.GEOJSON]: _schema("Feature")}, _WRONG | _NOT_FOUND | _LARGE)


def items() -> Responses:
    """Pages of observations."""
    content = {MEDIA_TYPES[Form.GEOJSON]: _schema("FeatureCollection"), "text/csv": {"schema": _TEXT}}
    return _answers(content, _WRONG | _NOT_FOUND | _LARGE)


def observations() -> Responses:
    """Observations in the form that is asked for."""
    content = {
        MEDIA_TYPES[Form.COVERAGE_JSON]: _schema("Coverage"),
        MEDIA_TYPES[Form.GEOJSON]: _schema("FeatureCollection"),
        "text/csv": {"schema": _TEXT},
    }
    return _answers(content, _WRONG | _NOT_FOUND | _LARGE)

"""What there is: the landing page, the conformance classes, and the two collections, in the forms of OGC API - EDR."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import toolkit
from toolkit.api.coverages import parameter
from toolkit.api.parameters import ALL_COLUMNS, FLAG, MEDIA_TYPES, Form, variable_of
from toolkit.model import Station
from toolkit.times import FIRST_YEAR, from_stored, iso
from toolkit.variables import BY_NAME

TITLE = "Observations of a network of weather stations"
OPENAPI = "application/vnd.oai.openapi+json;version=3.1"
COLLECTIONS = {
    "observations": (
        "Observations",
        "Every observation of every station, with QARTOD's flag of each value: 1 pass, 2 not evaluated, 3 suspect, "
        "4 fail, 9 missing.",
    ),
    "latest": ("Latest observations", "The newest observation of each station, with QARTOD's flag of each value."),
}
CONFORMS_TO = [
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf/core",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf/collections",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf/json",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf/edr-geojson",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf/covjson",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf/queries",
    # OpenAPI 3.1, for which EDR 1.1 has no class, is one of the next version's.
    "http://www.opengis.net/spec/ogcapi-edr-1/1.2/conf/oas31",
]
_CRS = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_WKT = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],'
    'UNIT["degree",0.0174532925199433]]'
)
_METHODS = {"instantaneous": "instantaneous", "accumulated": "sum", "prevailing": "mode"}


def link(href: str, rel: str, title: str, kind: str = "application/json", **further: Any) -> dict[str, Any]:
    """A link."""
    return {"href": href, "rel": rel, "type": kind, "title": title, **further}


def location(base: str, collection: str, station_id: str) -> str:
    """The address of a station's observations."""
    return f"{base}/collections/{collection}/locations/{quote(station_id, safe='')}"


def landing(base: str) -> dict[str, Any]:
    """The landing page."""
    return {
        "title": TITLE,
        "description": "Observations with their flags, stations, incidents and how the network performs. Read-only. "
        f"weather-toolkit {toolkit.__version__}",
        "links": [
            link(f"{base}/", "self", "this page"),
            link(
                f"{base}/api",
                "service-desc",
                "the definition of this API",
                "application/vnd.oai.openapi+json;version=3.1",
            ),
            link(f"{base}/conformance", "conformance", "the standards that this service conforms to"),
            link(f"{base}/collections", "data", "collections of observations"),
            link(f"{base}/stations", "related", "stations"),
            link(f"{base}/incidents", "related", "incidents"),
            link(f"{base}/network", "related", "how the network performed in a month"),
            link(f"{base}/health", "status", "whether observations arrive"),
        ],
    }


def conformance() -> dict[str, Any]:
    """The conformance classes."""
    return {"conformsTo": CONFORMS_TO}


def collections(base: str, stations: Sequence[Station], times: Sequence[str | None]) -> dict[str, Any]:
    """All collections."""
    return {
        "links": [link(f"{base}/collections", "self", "this page")],
        "collections": [collection(base, name, stations, times) for name in COLLECTIONS],
    }


def collection(base: str, name: str, stations: Sequence[Station], times: Sequence[str | None]) -> dict[str, Any]:
    """A collection: its extent, what it has, and how it is asked.

    Args:
        base: the address of this service.
        name: of the collection.
        stations: all of them.
        times: of the oldest and the newest observation, as the store writes them.
    """
    title, description = COLLECTIONS[name]
    here = f"{base}/collections/{name}"
    return {
        "id": name,
        "title": title,
        "description": description,
        "keywords": ["weather", "observations", "quality control"],
        "links": [
            link(here, "self", "this collection"),
            link(f"{here}/locations", "data", "stations", MEDIA_TYPES[Form.GEOJSON]),
            link(f"{here}/items", "items", "observations", MEDIA_TYPES[Form.GEOJSON]),
        ],
        "extent": {
            "spatial": {"bbox": [_box(stations)], "crs": _CRS},
            "temporal": _temporal(times),
        },
        "data_queries": {kind: {"link": _query(here, kind)} for kind in _TEMPLATES},
        "crs": ["CRS84"],
        "output_formats": [form.value for form in Form],
        "parameter_names": {column: _parameter(column) for column in ALL_COLUMNS},
        "distanceunits": ["km", "m", "mi"],
    }


_TEMPLATES = {
    "position": "/position?coords={coords}",
    "radius": "/radius?coords={coords}&within={within}&within-units={within-units}",
    "area": "/area?coords={coords}",
    "locations": "/locations/{locId}",
    "items": "/items",
}


def _query(here: str, kind: str) -> dict[str, Any]:
    forms = [form.value for form in Form if kind != "items" or form is not Form.COVERAGE_JSON]
    variables: dict[str, Any] = {
        "title": f"{kind} query",
        "query_type": kind,
        "output_formats": forms,
        "default_output_format": forms[0],
        "crs_details": [{"crs": "CRS84", "wkt": _WKT}],
    }
    if kind == "radius":
        variables["within_units"] = ["km", "m", "mi"]
    template = here + _TEMPLATES[kind]
    return link(template, "data", f"{kind} query", templated="{" in template, variables=variables)


def _box(stations: Sequence[Station]) -> list[float]:
    places = [
        (one.longitude, one.latitude) for one in stations if one.longitude is not None and one.latitude is not None
    ]
    if not places:
        return [-180.0, -90.0, 180.0, 90.0]
    longitudes, latitudes = zip(*places, strict=True)
    return [min(longitudes), min(latitudes), max(longitudes), max(latitudes)]


def _temporal(times: Sequence[str | None]) -> dict[str, Any]:
    first, last = (None if text is None else iso(from_stored(text)) for text in times)
    start = first or f"{FIRST_YEAR}-01-01T00:00:00Z"
    end = last or start
    return {
        "interval": [[start, end]],
        "values": [f"{start}/{end}"],
        "trs": 'TIMECRS["DateTime",TDATUM["Gregorian Calendar"],CS[TemporalDateTime,1],AXIS["Time (T)",future]',
    }


def _parameter(column: str) -> dict[str, Any]:
    """A parameter in EDR's form, whose texts have no language."""
    told = parameter(column).model_dump(mode="json", exclude_none=True)
    variable = BY_NAME[variable_of(column)]
    observed = {**told["observedProperty"], "label": told["observedProperty"]["label"]["en"]}
    if "categories" in observed:
        observed["categories"] = [{**one, "label": one["label"]["en"]} for one in observed["categories"]]
    found: dict[str, Any] = {
        "type": "Parameter",
        "id": column,
        "label": told["label"]["en"],
        "description": told.get("description", told["label"])["en"],
        "data-type": "integer" if column.endswith(FLAG) else "float",
        "observedProperty": observed,
    }
    if "unit" in told:
        found["unit"] = {"label": variable.unit, "symbol": told["unit"]["symbol"]}
        found["measurementType"] = {
            "method": _METHODS.get(variable.statistic, variable.statistic),
            "duration": "PT0S",
        }
    else:
        found["categoryEncoding"] = told["categoryEncoding"]
    return found

"""What the browser loads: the page, and the files of the bundle, which `make console` makes.

The name of the bundle's folder in addresses is a hash of its contents, so that a browser keeps files for good, and a
page that was loaded from an older release does not mix two releases.
"""

from __future__ import annotations

import functools
import mimetypes
import zlib
from collections.abc import Mapping
from hashlib import blake2b
from http import HTTPStatus
from importlib import resources
from string import Template
from typing import NamedTuple

from fastapi import APIRouter, Request, Response

from toolkit.api.access import CONSOLE
from toolkit.api.answers import takes_gzip
from toolkit.api.problems import Problem
from toolkit.errors import ToolkitError

router = APIRouter(include_in_schema=False)

ROOT = CONSOLE
# Nothing but what this service serves is loaded, run or asked, and no other site can show it within its own page.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
_FOR_GOOD = "public, max-age=31536000, immutable"
# As the Python of a host may not know them.
_KINDS = {".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".svg": "image/svg+xml"}


class File(NamedTuple):
    """A file of the bundle.

    Attributes:
        content: as it is.
        packed: the same by gzip.
        kind: its media type.
    """

    content: bytes
    packed: bytes
    kind: str


@functools.cache
def files() -> Mapping[str, File]:
    """The files of the bundle, by name.

    Raises:
        ToolkitError: the bundle was not made, in a checkout.
    """
    folder = resources.files("toolkit.console") / "static"
    if not folder.is_dir():
        raise ToolkitError("the console's bundle is not there: `make console` makes it")
    found = {}
    for one in sorted(folder.iterdir(), key=lambda one: one.name):
        content = one.read_bytes()
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        suffix = "." + one.name.rpartition(".")[2]
        kind = _KINDS.get(suffix) or mimetypes.guess_type(one.name)[0] or "application/octet-stream"
        found[one.name] = File(content, packer.compress(content) + packer.flush(), kind)
    return found


@functools.cache
def digest() -> str:
    """A hash of the bundle."""
    whole = blake2b(digest_size=8)
    for name, file in files().items():
        whole.update(f"{name}\0{len(file.content)}\0".encode() + file.content)
    return whole.hexdigest()


@functools.cache
def _page() -> Template:
    return Template((resources.files("toolkit.console") / "page.html").read_text("utf-8"))


@router.get(ROOT + "/static/{folder}/{name}")
async def asset(request: Request, folder: str, name: str) -> Response:
    """A file of the bundle."""
    file = files().get(name)
    if folder != digest() or file is None:
        raise Problem(HTTPStatus.NOT_FOUND, "that file is not of this release: load the page anew")
    headers = {**HEADERS, "Cache-Control": _FOR_GOOD, "Vary": "Accept-Encoding"}
    if takes_gzip(request):
        return Response(file.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=file.kind)
    return Response(file.content, headers=headers, media_type=file.kind)


@router.get(ROOT)
@router.get(ROOT + "/{view:path}")
async def page(request: Request, view: str = "") -> Response:
    """The page of every view: which one it is, is seen in the browser."""
    if view.startswith(("data/", "static/")):
        raise Problem(HTTPStatus.NOT_FOUND, f"there is nothing at {request.url.path}")
    base = str(request.scope.get("root_path", "")) + ROOT  # of characters that need no escape: `api.access` sees to it
    text = _page().substitute(base=base, digest=digest())
    return Response(text, headers={**HEADERS, "Cache-Control": "no-store"}, media_type="text/html")

"""What the headers of a response say about time: when, how old, how long it stays fresh (RFC 9110, RFC 9111).

A header that does not follow the standard is ignored.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Protocol

# The longest pause that a server may request, in seconds.
LONGEST_PAUSE = 3600.0
# The three forms of an HTTP-date (RFC 9110, 5.6.7). Names of days and months are English: no locale is set.
_FORMS = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")
# Larger numbers count as this one (RFC 9111, 1.2.2).
_MOST_SECONDS = 2**31
_DIRECTIVE = re.compile(r'\s*([!#$%&\'*+.^_`|~\w-]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^,\s"]*))?\s*(?:,|$)')


class Headers(Protocol):
    """The headers of a response, as urllib3 has them: `Response.headers` of requests joins those of one name."""

    def getlist(self, name: str, /) -> list[str]:
        """The values of all headers of a name, in their order."""


def http_time(text: str | None) -> float | None:
    """An HTTP-date in seconds since the epoch."""
    for form in _FORMS if text else ():
        try:
            at = datetime.strptime(str(text).strip(), form).replace(tzinfo=UTC).timestamp()
        except (ValueError, OverflowError):
            continue
        return at if at > 0 else None
    return None


def seconds(text: str | None) -> float | None:
    """Delta-seconds."""
    if text is None or not re.fullmatch(r"[0-9]+", text.strip()):
        return None
    return float(text) if len(text) < 10 else float(_MOST_SECONDS)


def retry_after(text: str | None, now: float) -> float | None:
    """The pause that a server requests, in seconds: it sends seconds or a date (RFC 9110, 10.2.3)."""
    pause = seconds(text)
    if pause is None and (at := http_time(text)) is not None:
        pause = at - now
    return None if pause is None else min(max(0.0, pause), LONGEST_PAUSE)


def fresh_for(headers: Headers, now: float) -> float | None:
    """For how many seconds the document stays fresh; None if the server does not say, or if it is stale.

    That is `max-age`, or else `Expires` minus `Date`, minus the time it has spent in caches: `Age`, or else the time
    since `Date` (RFC 9111, 4.2). `s-maxage` is for shared caches.
    """
    directives = _cache_control(headers)
    if "no-store" in directives or "no-cache" in directives:
        return None
    made = http_time(_first(headers, "Date"))
    if "max-age" in directives:
        lifetime = seconds(directives["max-age"])
    else:
        expires = http_time(_first(headers, "Expires"))
        lifetime = None if expires is None or made is None else min(expires - made, _MOST_SECONDS)
    if not lifetime:
        return None
    age = seconds(_first(headers, "Age"))
    if age is None:
        age = max(0.0, now - made) if made is not None else 0.0
    return lifetime - age if lifetime > age else None


def _first(headers: Headers, name: str) -> str | None:
    """A header; the first counts if there are several (RFC 9111, 4.2.1)."""
    found = headers.getlist(name)
    return found[0] if found else None


def _cache_control(headers: Headers) -> dict[str, str]:
    """The directives by name, in lower case; the first counts if one is there twice."""
    text = ",".join(headers.getlist("Cache-Control"))
    directives: dict[str, str] = {}
    place = 0
    while place < len(text):
        found = _DIRECTIVE.match(text, place)
        if found:
            directives.setdefault(found[1].lower(), (found[2] or "").strip('"'))
            place = found.end()
        else:  # no directive: skipped up to the next comma
            place = text.find(",", place) + 1 or len(text)
    return directives

"""Why a request failed, out of the errors of requests: it wraps those of urllib3, which wraps those of the system."""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Iterator

import requests

# How much of an answer that is not HTTP is shown, in characters.
BEGINNING = 60


def of_tls(error: Exception) -> bool:
    """Whether no secure connection was made."""
    return any(isinstance(one, ssl.SSLError | requests.exceptions.SSLError) for one in _causes(error))


def of_system(error: Exception) -> bool:
    """Whether the operating system gave the error: the connection was refused, or broken off."""
    return any(map(_systems, _causes(error)))


def cut_off(error: Exception) -> bool:
    """Whether a body ended before its length, or the length of a chunk, was reached."""
    # One that expects nothing is urllib3's, for a chunk whose length is no number.
    return any(isinstance(one, http.client.IncompleteRead) and bool(one.expected) for one in _causes(error))


def reason(error: BaseException) -> str:
    """The cause of an error in a few words."""
    for one in _causes(error):
        error = one
        if _systems(one):
            break
    if isinstance(error, http.client.BadStatusLine) and not isinstance(error, http.client.RemoteDisconnected):
        return f"it speaks no HTTP/1: it begins with {str(error)[:BEGINNING].strip()!r}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return re.sub(r"<[^>]*>:? ?|\w+\(.*?\): ", "", str(error)) or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and one after the other those that it wraps."""
    while error is not None:
        yield error
        wrapped = (getattr(error, name, None) for name in ("reason", "original_error", "__cause__", "__context__"))
        error = next((one for one in wrapped if isinstance(one, BaseException)), None)


def _systems(error: BaseException) -> bool:
    # Those of requests are subclasses of OSError as well.
    return isinstance(error, OSError) and not isinstance(error, requests.RequestException)

"""Asking another service for JSON: the exporter of this host, and the APIs of others."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlsplit

from toolkit.deadline import within
from toolkit.errors import ToolkitError, reason
from toolkit.text import one_line

# How long the whole of it may take unless told otherwise, and how much is read.
SECONDS = 5.0
LARGEST_BYTES = 4 << 20


def fetched(url: str, token: str | None = None, seconds: float = SECONDS) -> Any:
    """What a service answers within some seconds, however slowly it sends. Redirects are not followed.

    Args:
        url: of http or https, without a query; certificates are checked by those that this host trusts.
        token: is sent as a bearer token.
        seconds: how long it may take.

    Raises:
        ToolkitError: there is no such answer; why.
    """
    parts = urlsplit(url)
    headers = {"Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    try:
        with _connected(parts.scheme, parts.hostname or "", parts.port, seconds) as connection:
            connection.request("GET", quote(parts.path, safe="/%!$&'()*+,;=:@~"), headers=headers)
            answer = connection.getresponse()
            body = answer.read(LARGEST_BYTES + 1)
            if answer.status != HTTPStatus.OK:
                raise ToolkitError(f"it answers {answer.status} {one_line(answer.reason, 100)}".rstrip())
            if len(body) > LARGEST_BYTES:
                raise ToolkitError("its answer is too large")
            return json.loads(body)
    except TimeoutError:
        raise ToolkitError(f"no answer within {seconds:g} s") from None
    except OSError as error:
        raise ToolkitError(reason(error)) from error
    except HTTPException as error:
        raise ToolkitError(f"its answer is broken: {type(error).__name__}") from error
    except (ValueError, RecursionError) as error:
        raise ToolkitError("its answer is no JSON") from error


@contextmanager
def _connected(scheme: str, name: str, port: int | None, seconds: float) -> Iterator[HTTPConnection]:
    """A connection that is closed after some seconds.

    Raises:
        TimeoutError: that happened.
    """
    context = ssl.create_default_context() if scheme == "https" else None
    connection = HTTPSConnection(name, port, context=context) if context else HTTPConnection(name, port)
    with within(seconds) as deadline:
        try:
            connection.sock = socket.create_connection((name, connection.port), deadline.left)
            deadline.watch(connection.sock)
            if context:
                connection.sock = context.wrap_socket(connection.sock, server_hostname=name)
            yield connection
        except (OSError, HTTPException, ValueError, ToolkitError):
            if not deadline.left:
                raise TimeoutError from None
            raise
        finally:
            connection.close()

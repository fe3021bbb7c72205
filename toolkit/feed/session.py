"""The HTTP session that fetches the feed: requests, without what it does unasked, and with bounds that it lacks."""

from __future__ import annotations

import http
import http.client
import ipaddress
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from functools import cache, lru_cache
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

from toolkit import __version__
from toolkit.deadline import current
from toolkit.feed.errors import InternalAddressError

MOST_INTERIM = 20
# The longest line of a body in chunks, in bytes.
LONGEST_LINE = 64 * 1024
# A limit of 0 seconds would be none.
SHORTEST_SECONDS = 0.001


class Session(requests.Session):
    """Asks for what it is told to, and for nothing else.

    It follows no redirects, keeps no cookies, tries once, and takes nothing from the environment or from ~/.netrc. Of
    certificate authorities it trusts those in `ca_file`, or else the system's, as the other programs of a host do.

    Args:
        ca_file: certificates of the authorities to trust, in PEM; None for the system's.
        proxy: the proxy's address, without user information; None for none.
        proxy_authorization: the value of `Proxy-Authorization`; empty for none.
        certificate: the certificate of the client and its key, in PEM; empty for none.
        public: whether connections to loopback, link-local and private addresses are refused (InternalAddressError).
            Where there is a proxy, it decides.
    """

    def __init__(
        self,
        ca_file: str | None = None,
        proxy: str | None = None,
        proxy_authorization: str = "",
        certificate: str = "",
        *,
        public: bool = False,
    ) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self.headers.update({"User-Agent": f"weather-toolkit/{__version__}", "Accept-Encoding": "gzip"})
        if proxy:
            self.proxies = {"http": proxy, "https": proxy}
        for scheme in ("http://", "https://"):
            headers = {"Proxy-Authorization": proxy_authorization} if proxy_authorization else {}
            self.mount(scheme, _Adapter(ca_file, headers, certificate, public=public and not proxy))

    def resolve_redirects(self, *_args: Any, **_options: Any) -> Iterator[Any]:
        """None. requests calls this for `allow_redirects=False` too, and would read a redirect's body without limit."""
        return iter(())


class _Adapter(HTTPAdapter):
    def __init__(self, ca_file: str | None, proxy_headers: dict[str, str], certificate: str, *, public: bool) -> None:
        super().__init__()
        self._public = public
        self._ca_file = ca_file
        self._certificate = certificate
        self._proxy_headers = proxy_headers
        self._pools: set[Any] = set()

    def proxy_headers(self, proxy: str) -> dict[str, str]:  # noqa: ARG002 - there is one
        return self._proxy_headers

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        if proxy.lower().startswith("https:"):
            options["proxy_ssl_context"] = tls_context(self._ca_file)
        return super().proxy_manager_for(proxy, **options)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the pool as it is: it verifies by `ca_file` or by the system. requests would trust certifi, too."""

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        host, options = super().build_connection_pool_key_attributes(request, verify, cert)
        if host["scheme"] == "https":
            options["ssl_context"] = tls_context(self._ca_file, self._certificate)
        return host, options

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        pool.ConnectionCls = _bounded(pool.ConnectionCls, public=self._public)
        self._pools.add(pool)
        return pool

    def close(self) -> None:
        # requests leaves it to the garbage collector, before which a failure that is kept keeps its connection open.
        while self._pools:
            self._pools.pop().close()
        super().close()


def tls_context(ca_file: str | None = None, certificate: str = "") -> ssl.SSLContext:
    """What verifies servers' certificates: one for all connections, for it takes megabytes and 10 ms to make.

    Args:
        ca_file: certificates of the authorities to trust, in PEM; None for the system's.
        certificate: the certificate of the client and its key, in PEM; empty for none.

    Raises:
        OSError: one of them cannot be used.
    """
    file = ca_file or ssl.get_default_verify_paths().cafile
    with suppress(OSError):  # the error is that of reading it
        found = Path(file or "").stat()
        return _tls_context(ca_file, certificate, found.st_ino, found.st_mtime_ns, found.st_size)
    return _tls_context(ca_file, certificate)


@lru_cache(maxsize=128)
def _tls_context(ca_file: str | None, certificate: str, *_version: int) -> ssl.SSLContext:
    context = create_urllib3_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    else:
        context.load_default_certs()
    if certificate:
        # OpenSSL takes a file; this one is on no disk.
        file = os.memfd_create("certificate", os.MFD_CLOEXEC)
        try:
            os.write(file, certificate.encode())
            context.load_cert_chain(f"/proc/self/fd/{file}", password=lambda: b"")  # without, it asks on a terminal
        finally:
            os.close(file)
    return context


@cache
def _bounded(connection: type[http.client.HTTPConnection], *, public: bool) -> type[http.client.HTTPConnection]:
    """This class of connections, of urllib3, with our class of responses and with the deadline of the thread."""
    if connection.response_class is _Response:
        return connection
    return type(connection.__name__, (_Watched, connection), {"response_class": _Response, "public": public})


class _Watched:
    """A connection that is shut when the time of the thread is over. urllib3 would grant it to each address anew."""

    timeout: float | None
    public: bool
    _dns_host: str

    def _new_conn(self) -> socket.socket:
        connect = super()._new_conn  # type: ignore[misc]
        deadline = current()
        if deadline is None:
            return connect()  # type: ignore[no-any-return]
        name, failed = self._dns_host, None
        try:
            for address in _addresses(name):
                if self.public and is_internal(address):
                    raise InternalAddressError(f"{address} is an address of the own host or network")
                self._dns_host, self.timeout = address, deadline.left or SHORTEST_SECONDS
                try:
                    connected: socket.socket = connect()
                except (NewConnectionError, ConnectTimeoutError) as error:
                    failed = error
                    continue
                deadline.watch(connected)
                return connected
        finally:
            self._dns_host = name
        raise failed or TimeoutError


def _addresses(name: str) -> list[str]:
    """The addresses of a host, each once; the name itself where it has none, so that the error is urllib3's."""
    with suppress(OSError, UnicodeError):
        return list(dict.fromkeys(str(one[4][0]) for one in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)))
    return [name]


def is_internal(address: str) -> bool:
    """Whether an IP address is not global: loopback, link-local, private and the like. A name is none.

    An address of IPv6 that stands for one of IPv4 counts as that.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found.sixtofour or found
    return not found.is_global


class _Response(http.client.HTTPResponse):
    """A response with bounds, also after interim ones (RFC 9110, 15.2), of which the library knows only 100."""

    _interim = 0

    def _read_status(self) -> tuple[str, int, str]:
        version, status, why = super()._read_status()  # type: ignore[misc]
        if status // 100 != 1 or status == http.HTTPStatus.SWITCHING_PROTOCOLS:
            return version, status, why
        self._interim += 1
        if self._interim > MOST_INTERIM:
            raise http.client.HTTPException(f"more than {MOST_INTERIM} answers come before the one that counts")
        return version, http.HTTPStatus.CONTINUE, why

    def begin(self) -> None:
        super().begin()
        if self.fp is not None:
            self.fp = _BoundedFile(self.fp)  # type: ignore[assignment]


class _BoundedFile:
    """The file that a body is read from, with limits for a chunk and for a line.

    Without them a chunk of the length -1, or a line that does not end, would fill the memory until the time is over.
    """

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self, amount: int | None = None) -> bytes:
        if amount is None or amount < 0:
            raise ValueError("a length below zero")
        return bytes(self._file.read(amount))

    def readline(self, limit: int = -1) -> bytes:
        line = bytes(self._file.readline(LONGEST_LINE if limit < 0 else limit))
        if limit < 0 and len(line) == LONGEST_LINE:
            raise ValueError("a line without an end")
        return line

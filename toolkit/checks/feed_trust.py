"""Why the certificate of a server is not trusted: whose it is, and what the file of authorities lacks."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from toolkit.checks import Finding, bad
from toolkit.checks.remedies import OnMachine, Remedy, Sequence, Shell
from toolkit.settings import DECLARATIONS, Settings

CONNECT_SECONDS = 1.0
# What a verification says that misses an authority: openssl-verification-options(1).
_UNKNOWN = ("local issuer certificate", "self-signed certificate", "self signed certificate")


def unknown_authority(settings: Settings, said: str) -> Finding | None:
    """The finding of which authority is not known, and to whom; None where the certificate is wrong in another way."""
    parts = urlsplit(settings.feed_url)
    if not any(words in said for words in _UNKNOWN) or settings.feed_proxy or not parts.hostname:
        return None
    chain = []
    with suppress(OSError, AttributeError):
        chain = _chain(parts.hostname, parts.port or 443)
    if not chain:
        return None
    last, trusted = chain[-1], _trusted(settings.feed_ca_file)
    issuer, number = _name(last.get("issuer")), len(chain)
    file = settings.feed_ca_file or ssl.get_default_verify_paths().cafile or "the host's certificates"
    named = f"{file} ({DECLARATIONS['feed_ca_file'].variable})" if settings.feed_ca_file else file
    if last.get("issuer") == last.get("subject"):
        what = f"its certificate is signed by itself ({issuer})" if number == 1 else f"it leads to {issuer}"
        return bad(f"{said}: {what}, which is not among the {len(trusted)} of {named}", _added(settings, parts))
    its = f"the last of the {number} certificates that the server sends is" if number > 1 else "its certificate is"
    if _of_the_same(last, trusted):
        return bad(
            f"{said}: {its} issued by {issuer}, an intermediate authority of one that {named} has: the server does not "
            "send the certificate of that, and is to",
            _shown(parts, "to be told to who runs the feed"),
        )
    return bad(
        f"{said}: {its} issued by {issuer}, which is not among the {len(trusted)} authorities of {named}: it is a new "
        "one, or the server lacks a certificate in between",
        _added(settings, parts),
    )


def _added(settings: Settings, parts: Any) -> Remedy:
    """Have the authority among those that are trusted: who runs the feed says whether it is theirs."""
    if settings.feed_ca_file:
        return _shown(parts, f"once who runs the feed has confirmed it: add it to {settings.feed_ca_file}")
    return Sequence(
        OnMachine("apt-get install --yes --only-upgrade ca-certificates"),
        OnMachine("update-ca-certificates --fresh"),
        note="if it is a public authority",
    )


def _shown(parts: Any, note: str) -> Remedy:
    where = f"{parts.hostname}:{parts.port or 443}"
    return Shell("openssl s_client -showcerts -servername {} -connect {} </dev/null", parts.hostname, where, note=note)


def _chain(name: str, port: int) -> list[dict[str, Any]]:
    """What a server sends of certificates, its own first."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((name, port), CONNECT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        # Python has shown it under this name since 3.10; the public one came in 3.13, and has bytes alone.
        sent = getattr(secure, "_sslobj").get_unverified_chain()  # noqa: B009 - no type checker knows it
        return [one.get_info() for one in sent or ()]


def _trusted(ca_file: str | None) -> list[dict[str, Any]]:
    with suppress(OSError):
        return list(ssl.create_default_context(cafile=ca_file).get_ca_certs())
    return []


def _of_the_same(certificate: dict[str, Any], trusted: list[dict[str, Any]]) -> bool:
    """Whether the organization that issued a certificate is that of an authority that is trusted."""
    organization = _words(certificate.get("issuer")).get("organizationName")
    return organization is not None and any(
        _words(one.get("subject")).get("organizationName") == organization for one in trusted
    )


def _words(name: Any) -> dict[str, str]:
    return dict(pair for part in name or () for pair in part)


def _name(name: Any) -> str:
    words = _words(name)
    shown = [words[key] for key in ("commonName", "organizationName") if key in words]
    return " of ".join(repr(one) for one in dict.fromkeys(shown)) or "an authority without a name"

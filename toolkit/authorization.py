"""How a source wants to be told who asks: as the setting declares it, and the secrets of the credential.

The setting has the ways in an order, separated by commas; the credential has in the same order a secret for each, a
line each. A certificate's is its PEM text, certificates and key, which may stand anywhere among them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

from toolkit import credentials
from toolkit.credentials import Credential, CredentialError
from toolkit.text import did_you_mean

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")  # of RFC 9110, 5.6.2: what a header's name may be
_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
# What a secret is, by the way that takes it.
WAYS = {
    "header": "the header's value",
    "query": "the parameter's value",
    "basic": "USER:PASSWORD",
    "bearer": "the token",
    "oauth2": "CLIENT_ID:CLIENT_SECRET",
    "address": "the whole address",
    "certificate": "the certificate and its key, as PEM",
}
_HOW = "give header NAME, query NAME, basic, bearer, oauth2 TOKEN_URL [SCOPE …], address or certificate"


class Way(NamedTuple):
    """A way to say who asks.

    Attributes:
        kind: one of `WAYS`.
        name: of the header or of the parameter; the address of the tokens for oauth2; otherwise empty.
        scope: of oauth2, as RFC 6749 has it; may be empty.
    """

    kind: str
    name: str = ""
    scope: str = ""


class Ways(NamedTuple):
    """The ways of a source.

    Attributes:
        text: as they were declared.
        ways: in the order in which the credential has their secrets.
    """

    text: str
    ways: tuple[Way, ...]

    def __str__(self) -> str:
        return self.text


def parse_ways(text: str) -> Ways:
    """The ways of a setting.

    Raises:
        ValueError: it is none; the message says what would be right.
    """
    ways = tuple(_way(part.split()) for part in text.split(",") if part.strip())
    kinds = [one.kind for one in ways]
    for kind in ("basic", "bearer", "oauth2", "address", "certificate"):
        if kinds.count(kind) > 1:
            raise ValueError(f"give {kind} once")
    if sum(kinds.count(kind) for kind in ("basic", "bearer", "oauth2")) > 1:
        raise ValueError("give one of basic, bearer and oauth2: a request has one header Authorization")
    return Ways(text, ways)


def _way(words: list[str]) -> Way:
    kind, *rest = words
    if kind not in WAYS:
        raise ValueError(did_you_mean(kind.lower(), WAYS, _HOW))
    if kind in {"header", "query"}:
        if len(rest) != 1 or not _TOKEN.fullmatch(rest[0]):
            raise ValueError(f"give {kind} with one name, such as {kind} X-Api-Key")
        return Way(kind, rest[0])
    if kind == "oauth2":
        if not rest or not _is_address(rest[0]):
            raise ValueError("give oauth2 with the address of its tokens, such as oauth2 https://id.example.org/token")
        return Way(kind, rest[0], " ".join(rest[1:]))
    if rest:
        raise ValueError(f"give {kind} alone: what follows it means nothing; secrets are in the credential")
    return Way(kind)


def shown_ways(text: str) -> str:
    """The ways as people may see them: of those that are none not what may be a secret in the wrong place."""
    with suppress(ValueError):
        return str(parse_ways(text))
    parts = (part.split() for part in text.split(",") if part.strip())
    return ", ".join(f"{words[0]} …" if words[1:] else words[0] for words in parts if words[0] in WAYS) or "…"


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in {"https", "http"} and bool(parts.hostname) and "@" not in parts.netloc and not parts.query
        )
    except ValueError:
        return False


def secrets(ways: Ways, source: str, environ: Mapping[str, str] | None = None) -> dict[Way, str]:
    """The secret of each way.

    Args:
        ways: of a source.
        source: its name, by which the credential has its secrets.
        environ: the environment, `os.environ` if not given.

    Raises:
        CredentialError: there is no such credential, or it does not have a secret for each way.
    """
    if not ways.ways:
        return {}
    text = read(source, environ)
    if text is None:
        raise CredentialError(
            f"the source {source} has auth = {ways.text!r}, and the credential {Credential.SOURCE_SECRETS} has no "
            f"secret of it: give it in weather_source_secrets, as {source}: {WAYS[ways.ways[0].kind]}"
        )
    pem = "\n".join(found[0] for found in _PEM.finditer(text))
    lines = [line.strip() for line in _PEM.sub("\n", text).splitlines() if line.strip()]
    wanted = [way for way in ways.ways if way.kind != "certificate"]
    if len(lines) != len(wanted):
        raise CredentialError(
            f"the credential {Credential.SOURCE_SECRETS} has {len(lines)} lines for the source {source}, and auth = "
            f"{ways.text!r} wants {len(wanted)}: a line for each, in that order"
        )
    found = dict(zip(wanted, lines, strict=True))
    for way, secret in found.items():
        if way.kind in {"basic", "oauth2"} and ":" not in secret:
            raise CredentialError(
                f"the credential {Credential.SOURCE_SECRETS} has no : for the source {source}: give {WAYS[way.kind]}"
            )
        if not secret.isprintable():
            raise CredentialError(
                f"the credential {Credential.SOURCE_SECRETS} has a control character for the source {source}: remove it"
            )
    for way in ways.ways:
        if way.kind == "certificate":
            if not pem:
                raise CredentialError(
                    f"the credential {Credential.SOURCE_SECRETS} has no PEM text for the source {source}: give "
                    f"{WAYS['certificate']}"
                )
            found[way] = pem
    return found


def read(source: str, environ: Mapping[str, str] | None = None) -> str | None:
    """What the credential of all sources has of one; None if it has nothing.

    Raises:
        CredentialError: it cannot be read, or is not what it should be.
    """
    text = credentials.read(Credential.SOURCE_SECRETS, environ)
    if text is None:
        return None
    import tomllib

    how = 'give a line NAME = "SECRET" for each source, in TOML'
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError):  # the message would have the secret in it
        raise CredentialError(f"the credential {Credential.SOURCE_SECRETS} is not TOML: {how}") from None
    found = document.get(source)
    if not isinstance(found, str | None):
        raise CredentialError(f"the credential {Credential.SOURCE_SECRETS} has no text for {source}: {how}")
    return found

"""The keys by which stations show who they are, from the credential of the sources."""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from toolkit import authorization
from toolkit.credentials import Credential, CredentialError
from toolkit.push import ECOWITT, protocol_of
from toolkit.sources import Source

# A shorter key can be guessed; these characters need no escape in an address.
_KEY = re.compile(r"[A-Za-z0-9._~-]{8,128}")
_STATION = re.compile(r"[^\s=]{1,64}")


class Owner(NamedTuple):
    """Whose a key is: of which source, and of which station; empty where it is that of all of them."""

    source: str
    station: str


class Keys:
    """The keys of some sources.

    They are looked up by a keyed hash: what the time that it takes tells of the hash says nothing of a key.
    """

    def __init__(self, sources: Iterable[Source]) -> None:
        """Read the credential.

        Raises:
            CredentialError: a source has no key there, or a line that is none; no message has a key in it.
        """
        self._secret = os.urandom(32)
        self._owners: dict[bytes, Owner] = {}
        for source in sources:
            protocol = protocol_of(source.settings.feed_url)
            for station, key in _lines(source.name, protocol):
                # Of Ecowitt the key alone says which station it is.
                told = "" if protocol == ECOWITT else station
                other = self._owners.setdefault(self._hash(protocol, told, key), Owner(source.name, station))
                if other != Owner(source.name, station):
                    raise CredentialError(
                        f"the credential {Credential.SOURCE_SECRETS} has one key for {_named(other)} and for "
                        f"{_named(Owner(source.name, station))}: give each its own"
                    )

    def owner(self, protocol: str, station: str, key: str) -> Owner | None:
        """Whose the key of a report is; None if it is nobody's.

        Args:
            protocol: by which the report came.
            station: that it says it is of; empty if it does not say.
            key: that it has.
        """
        of_one = self._owners.get(self._hash(protocol, station, key))
        of_all = self._owners.get(self._hash(protocol, "", key))
        return of_one or of_all

    def _hash(self, *parts: str) -> bytes:
        return hmac.digest(self._secret, "\0".join(parts).encode("utf-8", "replace"), "sha256")


def _named(owner: Owner) -> str:
    return f"{owner.station} of {owner.source}" if owner.station else owner.source


def _lines(source: str, protocol: str) -> Iterator[tuple[str, str]]:
    """The stations and keys of a source; the station is empty where the key is that of all."""
    kind = "STATION=PASSKEY, a line for each" if protocol == ECOWITT else "KEY, or STATION=KEY, a line for each station"
    text = authorization.read(source)
    if not (text or "").strip():
        raise CredentialError(
            f"stations push to the source {source}, and the credential {Credential.SOURCE_SECRETS} has no key of them: "
            f"give it in weather_source_secrets, as {source}: {kind}"
        )
    lines = [(number, line.strip()) for number, line in enumerate((text or "").splitlines(), 1) if line.strip()]
    for number, line in lines:
        station, mark, key = line.rpartition("=")
        single = not mark and len(lines) == 1 and protocol != ECOWITT
        if not _KEY.fullmatch(key) or not (single or (_STATION.fullmatch(station) and station.isprintable())):
            raise CredentialError(
                f"the credential {Credential.SOURCE_SECRETS} is wrong in line {number} of the source {source}: give "
                f"{kind}; a key has 8 to 128 letters, digits and -._~"
            )
        yield station, key

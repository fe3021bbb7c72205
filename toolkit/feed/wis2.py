"""Notification messages of the WMO Information System 2.0: each says where data are, or has them in itself.

They are GeoJSON as the "WIS2 Notification Message" of the Manual on WIS (WMO-No. 1060, volume II) describes it:
`properties.content` has small data, a link with the relation `canonical` or `update` leads to them, and
`properties.integrity` has their hash.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import zlib
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from toolkit.content import CHUNK, Content, as_file
from toolkit.feed.errors import FeedError
from toolkit.feed.json import content as json_of

# The topics on which such messages are.
TOPICS = re.compile(r"(origin|cache)/a/wis2(/|$)")
# So many are remembered, to skip those that come once more: those of some hours of all the world's surface stations.
REMEMBERED = 50_000
NOT_WHOLE = "data of a notification that are not what it says"
_HASHES = {name: name.replace("-", "_") for name in ("sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512")}


class LeftOutError(Exception):
    """There are no data; the message is the reason to count."""


class Told(NamedTuple):
    """What a notification says.

    Attributes:
        key: what it has in common with the same one that comes again.
        inside: the data, unpacked; None where they are to be fetched.
        address: where they are then.
        integrity: the name of a hash function and the data's hash (base64); empty where it says none.
    """

    key: tuple[str, str]
    inside: bytes | None
    address: str
    integrity: tuple[str, str] | None


class Notifications:
    """Finds the data of notifications, each once.

    Args:
        get: fetches an address; raises FeedError.
        max_bytes: the largest data.
    """

    def __init__(self, get: Callable[[str], Content], max_bytes: int) -> None:
        self._get = get
        self._max_bytes = max_bytes
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._found: set[tuple[str, str]] = set()

    def told(self, message: bytes) -> Told:
        """What a notification says.

        Raises:
            LeftOutError: it tells of no data.
        """
        try:
            said = json_of(message)
        except FeedError:
            raise LeftOutError("message that cannot be read") from None
        properties = said.get("properties") if isinstance(said, dict) else None
        if not isinstance(properties, dict) or not isinstance(data_id := properties.get("data_id"), str):
            raise LeftOutError("message that is no notification")
        key = data_id[:1000], str(properties.get("pubtime"))[:100]
        self._require_new(key)
        integrity = properties.get("integrity")
        if isinstance(integrity, dict):
            integrity = str(integrity.get("method"))[:100], str(integrity.get("value"))[:1000].strip()
        elif integrity is not None:
            raise LeftOutError(NOT_WHOLE)
        inside = properties.get("content")
        if isinstance(inside, dict) and isinstance(inside.get("value"), str):
            return Told(key, self._unpacked(inside["value"], inside.get("encoding")), "", integrity)
        return Told(key, None, _address(said.get("links")), integrity)

    def data(self, told: Told) -> Content:
        """The data that a notification tells of.

        Raises:
            LeftOutError: they are not what it says, or they came before.
            FeedError: they cannot be fetched.
        """
        self._require_new(told.key)
        found = self._get(told.address) if told.inside is None else told.inside
        if not _is_whole(found, told.integrity):
            raise LeftOutError(NOT_WHOLE)
        self._found.add(told.key)
        return found

    def _require_new(self, key: tuple[str, str]) -> None:
        if key in self._known or key in self._found:
            raise LeftOutError("notification that came before")

    def remember(self, told: Told) -> None:
        """The data are stored or in the spool: they are not found again."""
        self._found.discard(told.key)
        self._known[told.key] = None
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def forget(self) -> None:
        """What was found and is not remembered may be found once more."""
        self._found.clear()

    def _unpacked(self, value: str, encoding: object) -> bytes:
        try:
            if encoding == "utf-8":
                return value.encode()
            packed = base64.b64decode(value, validate=True)
            if encoding == "gzip":
                unpacking = zlib.decompressobj(wbits=31)
                packed = unpacking.decompress(packed, self._max_bytes)
                if not unpacking.eof:
                    raise ValueError
            elif encoding != "base64":
                raise ValueError
        except (ValueError, binascii.Error, zlib.error):
            raise LeftOutError("data in a notification that cannot be unpacked") from None
        return packed


def _address(links: object) -> str:
    """The first of a notification's links that leads to data."""
    links = [one for one in links[:10] if isinstance(one, dict)] if isinstance(links, list) else []
    addresses = [one.get("href") for one in links if one.get("rel") in ("canonical", "update")]
    if not addresses:
        deleted = any(one.get("rel") == "deletion" for one in links)
        raise LeftOutError("notification of a deletion" if deleted else "notification without data")
    secure = [one for one in addresses if isinstance(one, str) and _is_secure(one)]
    if not secure:
        raise LeftOutError("data of a notification that are not at an https:// address")
    return secure[0]


def _is_secure(address: str) -> bool:
    try:
        parts = urlsplit(address)
        plain = re.fullmatch(r"https://[\x21-\x7e]{1,2000}", address)
        return bool(plain and parts.hostname and "@" not in parts.netloc and parts.port != 0)
    except ValueError:
        return False


def _is_whole(data: Content, integrity: tuple[str, str] | None) -> bool:
    """Whether data have the hash that a notification says; it need not say one."""
    if integrity is None:
        return True
    if (name := _HASHES.get(integrity[0])) is None:
        return False
    hashed, file = hashlib.new(name), as_file(data)
    while chunk := file.read(CHUNK):
        hashed.update(chunk)
    return hmac.compare_digest(base64.b64encode(hashed.digest()), integrity[1].encode("utf-8", "replace"))

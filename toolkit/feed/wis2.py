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
from typing import Any
from urllib.parse import urlsplit

from toolkit.feed.errors import FeedError
from toolkit.feed.json import content as json_of

# The topics on which such messages are.
TOPICS = re.compile(r"(origin|cache)/a/wis2(/|$)")
# So many are remembered, to skip those that come once more: those of some hours of all the world's surface stations.
REMEMBERED = 50_000
_HASHES = {name: name.replace("-", "_") for name in ("sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512")}


class LeftOutError(Exception):
    """There are no data; the message is the reason to count."""


class Notifications:
    """Finds the data of notifications, each once.

    Args:
        get: fetches an address; raises FeedError.
        max_bytes: the largest data.
    """

    def __init__(self, get: Callable[[str], bytes], max_bytes: int) -> None:
        self._get = get
        self._max_bytes = max_bytes
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def data(self, message: bytes) -> bytes:
        """The data that a notification tells of.

        Raises:
            LeftOutError: there are none, or they came before.
        """
        try:
            said = json_of(message)
        except FeedError:
            raise LeftOutError("message that cannot be read") from None
        properties = said.get("properties") if isinstance(said, dict) else None
        if not isinstance(properties, dict) or not isinstance(data_id := properties.get("data_id"), str):
            raise LeftOutError("message that is no notification")
        key = data_id[:1000], str(properties.get("pubtime"))[:100]
        if key in self._known:
            raise LeftOutError("notification that came before")
        found = self._found(said, properties)
        if not _is_whole(found, properties.get("integrity")):
            raise LeftOutError("data of a notification that are not what it says")
        self._known[key] = None
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return found

    def _found(self, said: dict[str, Any], properties: dict[str, Any]) -> bytes:
        inside = properties.get("content")
        if isinstance(inside, dict) and isinstance(inside.get("value"), str):
            return self._unpacked(inside["value"], inside.get("encoding"))
        links = said.get("links")
        links = [one for one in links[:10] if isinstance(one, dict)] if isinstance(links, list) else []
        addresses = [one.get("href") for one in links if one.get("rel") in ("canonical", "update")]
        if not addresses:
            deleted = any(one.get("rel") == "deletion" for one in links)
            raise LeftOutError("notification of a deletion" if deleted else "notification without data")
        secure = [one for one in addresses if isinstance(one, str) and _is_secure(one)]
        if not secure:
            raise LeftOutError("data of a notification that are not at an https:// address")
        try:
            return self._get(secure[0])
        except FeedError:
            raise LeftOutError("data of a notification that cannot be fetched") from None

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


def _is_secure(address: str) -> bool:
    try:
        parts = urlsplit(address)
        plain = re.fullmatch(r"https://[\x21-\x7e]{1,2000}", address)
        return bool(plain and parts.hostname and "@" not in parts.netloc and parts.port != 0)
    except ValueError:
        return False


def _is_whole(data: bytes, integrity: object) -> bool:
    """Whether data have the hash that a notification says; it need not say one."""
    if integrity is None:
        return True
    if not isinstance(integrity, dict) or (name := _HASHES.get(str(integrity.get("method")))) is None:
        return False
    digest = base64.b64encode(hashlib.new(name, data).digest())
    return hmac.compare_digest(digest, str(integrity.get("value")).strip().encode("utf-8", "replace"))

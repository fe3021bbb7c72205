"""The next page of an answer: its address, or a cursor for it, in a JSON body or in the header Link (RFC 8288)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from requests.utils import parse_header_links

from toolkit.feed.errors import FeedError
from toolkit.feed.fetch import Fetched, origin
from toolkit.text import has_control_characters

LINK = "link"
# How many pages an answer may have.
MOST = 50
# The longest address of a page, in characters.
LENGTH = 8192
# A parameter of the query, and the expression of what goes into it; `==` is JMESPath's.
_CURSOR = re.compile(r"([\w.~-]+)=(?!=)(.+)", re.DOTALL)


class NextPage:
    """Where an answer says where its next page is: what the setting feed_next says.

    Raises:
        ValueError: that is no JMESPath; the message says what is wrong with it.
    """

    def __init__(self, text: str) -> None:
        found = _CURSOR.fullmatch(text)
        self._parameter, self._expression = found.groups() if found else ("", text)
        if text != LINK:
            from toolkit.feed import expressions

            expressions.require(self._expression)

    def of(self, page: Fetched) -> str:
        """The address of the page that follows; empty where none does.

        It is at the server that was asked, or at the one that answered after redirects. A relative address is relative
        to the one that answered.

        Raises:
            FeedError: the body is not JSON.
            ValueError: it is not followed; the message begins with a verb and has no address in it.
        """
        said = _linked(page) if self._expression == LINK else self._said(page.body)
        if said is None or said == "" or said is False:
            return ""
        if not isinstance(said, str | int) or isinstance(said, bool):
            raise ValueError("names a next page that is neither a text nor a whole number")
        text = str(said)
        if has_control_characters(text) or len(text) > LENGTH:
            raise ValueError("names a next page that is no address")
        answered = page.led_to or page.url
        url = _with(page.url, self._parameter, text) if self._parameter else urljoin(answered, text)
        url = url.partition("#")[0]
        if origin(url) not in {origin(page.url), origin(answered)} or "@" in urlsplit(url).netloc:
            raise ValueError("has its next page at another server, to which it is not followed")
        return url

    def _said(self, body: bytes) -> Any:
        from toolkit.feed import expressions
        from toolkit.feed.json import content

        document = content(body)
        try:
            return expressions.search(self._expression, document)
        except ValueError as error:
            raise FeedError(f"the expression {self._expression!r} fails: {error}") from None


def _linked(page: Fetched) -> str:
    """What the header Link calls the next page."""
    for header in page.links:
        for link in parse_header_links(header):
            if "next" in link.get("rel", "").lower().split():
                return link.get("url", "")
    return ""


def _with(url: str, parameter: str, value: str) -> str:
    """An address with a parameter in its query."""
    parts = urlsplit(url)
    others = [one for one in parts.query.split("&") if one and one.partition("=")[0] != parameter]
    return parts._replace(query="&".join([*others, f"{parameter}={quote(value, safe='')}"])).geturl()

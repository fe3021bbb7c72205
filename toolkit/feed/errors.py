"""What can be wrong with a feed: each kind of failure is a class, for whoever has to tell them apart."""

from __future__ import annotations

from toolkit.errors import ToolkitError

# What is said of a server that is not to be believed.
DENIES = "says 'not modified' to who asks whether there is something new, and has newer data"


class FeedError(ToolkitError):
    """The feed offers nothing that can be stored.

    Attributes:
        counted: the reason by which an address is counted that failed so, where a feed has several.
    """

    counted = "address failed"


class UnreachableError(FeedError):
    """The server, or the proxy on the way to it, takes no connection or breaks it off."""

    counted = "address unreachable"


class UntrustedError(UnreachableError):
    """No secure connection can be made: the certificate is not trusted, or the server speaks no TLS."""

    counted = "address not trusted"


class TooSlowError(FeedError):
    """The document did not come within the time limit."""

    counted = "address too slow"


class AnswerError(FeedError):
    """The server answers, but not with a document: an error, a redirect that is not followed, one too large."""

    counted = "address without a document"


class InternalAddressError(AnswerError):
    """The address is one of the own host or network, and whoever named it is not to lead there."""

    counted = "address of an internal network"


class RetryLaterError(AnswerError):
    """The server asks to be left alone for a number of seconds."""

    counted = "address to be asked later"

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class UnreadableError(FeedError):
    """The document is not written in the format that the settings name."""

    counted = "document unreadable"


class NotAFeedError(FeedError):
    """The document is well-formed and holds something else than stations' observations."""

    counted = "document of something else"


class NoStationError(FeedError):
    """The document is a feed's and describes no station."""

    counted = "document without a station"


class PartialError(FeedError):
    """Addresses or pages of the feed failed; what came of the others is stored."""

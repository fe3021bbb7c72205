"""What can be wrong with a feed: each kind of failure is a class, for whoever has to tell them apart."""

from __future__ import annotations

from toolkit.errors import ToolkitError


class FeedError(ToolkitError):
    """The feed offers nothing that can be stored."""


class UnreachableError(FeedError):
    """The server, or the proxy on the way to it, takes no connection or breaks it off."""


class UntrustedError(UnreachableError):
    """No secure connection can be made: the certificate is not trusted, or the server speaks no TLS."""


class TooSlowError(FeedError):
    """The document did not come within the time limit."""


class AnswerError(FeedError):
    """The server answers, but not with a document: an error, a redirect that is not followed, one too large."""


class RetryLaterError(AnswerError):
    """The server asks to be left alone for a number of seconds."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class UnreadableError(FeedError):
    """The document is not written in the format that the settings name."""


class NotAFeedError(FeedError):
    """The document is well-formed and holds something else than stations' observations."""


class NoStationError(FeedError):
    """The document is a feed's and describes no station."""

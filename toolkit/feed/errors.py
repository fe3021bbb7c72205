"""What is wrong with a feed."""

from __future__ import annotations

from toolkit.errors import ToolkitError


class FeedError(ToolkitError):
    """The feed offers nothing that can be stored."""

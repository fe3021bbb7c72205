"""What a command says when it cannot do its work."""


class ToolkitError(Exception):
    """A failure that a user can understand and act on: one line on stderr, exit code 1."""

    exit_code = 1


class UsageError(ToolkitError):
    """A wrong option or setting: nothing was tried, exit code 2."""

    exit_code = 2


def reason(error: OSError) -> str:
    """What the system says, as part of a sentence."""
    return (error.strerror or str(error)).lower()

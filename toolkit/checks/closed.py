"""Folders above the service's own that its user may not pass."""

from __future__ import annotations

from pathlib import Path

from toolkit.checks import Finding, bad
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import USER
from toolkit.checks.host.files import mode_of, owner_of
from toolkit.checks.remedies import Remedy, Sequence, allow, give


def closed(host: Host, path: Path, *then: Remedy) -> Finding | None:
    """The finding that the service user may not pass a folder above a path, below which nothing can be seen.

    Args:
        host: the host.
        path: what the service uses.
        then: what is to be done when the way is open.
    """
    above = host.closed_above(path)
    if above is None:
        return None
    found = above.stat()
    # A folder of the service's name was its user's when it was deployed.
    opened = give(above, 0o750) if above.name == USER else allow("a+x", above)
    return bad(
        f"the service user may not pass {above}: {owner_of(found)}'s, mode {mode_of(found)}", Sequence(opened, *then)
    )

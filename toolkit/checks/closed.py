"""Folders above the service's own that its user may not pass."""

from __future__ import annotations

from pathlib import Path

from toolkit.checks import Finding, bad
from toolkit.checks.as_deployed import folder_again, folders
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import USER
from toolkit.checks.host.files import mode_of, owner_of
from toolkit.checks.host_as_deployed import state
from toolkit.checks.remedies import Remedy, Sequence, allow, give, give_all


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
    said = f"the service user may not pass {above}: {owner_of(found)}'s, mode {mode_of(found)}"
    return bad(said, Sequence(_opened(above), *then))


def reached(host: Host, path: Path) -> Remedy:
    """Have the service user reach what it uses: the first folder on the way that it may not pass is as it was."""
    if above := host.closed_above(path):
        return _opened(above)
    if any(one.path == str(path) for one in folders()):
        return folder_again(path)
    return give_all(path, 0o700) if path.is_dir() else give(path, 0o600)


def _opened(folder: Path) -> Remedy:
    if any(one.path == str(folder) for one in folders()):
        return folder_again(folder)
    if was := state().get("modes", {}).get(str(folder)):  # of the host's own
        return allow(was.rpartition(" ")[2], folder)
    # A folder of the service's name was its user's when it was deployed.
    return give(folder, 0o750) if folder.name == USER else allow("a+x", folder)

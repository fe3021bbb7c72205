"""Why the service cannot have a folder that a setting names: it is somebody else's, or cannot be entered."""

from __future__ import annotations

import pwd
from pathlib import Path
from typing import Any

USER = "weather"
# Folders of the service, whatever was done to them.
OWN = (Path("/var/lib/weather"), Path("/var/log/weather"), Path("/var/backups/weather"))


def unfit(folders: list[dict[str, Any]]) -> list[str]:
    """Why the service cannot have these folders: the role takes no folder from others."""
    try:
        service = pwd.getpwnam(USER).pw_uid
    except KeyError:
        service = None
    told = [(one["setting"], reason_against(Path(one["path"]), service)) for one in folders]
    return [f"weather_{setting}: {reason}" for setting, reason in told if reason]


def reason_against(folder: Path, service: int | None) -> str:
    """Why the service cannot have a folder; an empty text where it can."""
    if any(folder.is_relative_to(own) for own in OWN):
        return ""
    for above in reversed(folder.parents):
        if above.exists() and not (above.stat().st_mode & 0o001 or above.stat().st_uid == service):
            return f"{folder} cannot be entered by the service user: chmod o+x {above}, or give another folder"
    if not folder.exists():
        return ""
    if not folder.is_dir():
        return f"{folder} is no folder"
    # The root of a file system has it from the beginning.
    others = [path.name for path in folder.iterdir() if path.name != "lost+found"]
    if folder.stat().st_uid != service and others:
        return f"{folder} is not the service's, and holds {min(others)}: give one of its own, such as {folder}/weather"
    return ""

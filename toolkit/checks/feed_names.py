"""What a feed calls its fields now, where it does not have the one that the settings name."""

from __future__ import annotations

import re
from pathlib import Path

from toolkit.checks.remedies import EditSettings, Remedy, Restart, Sequence
from toolkit.settings import DECLARATIONS, Settings

# Fields of JSON, and elements of XML, with a time of our days: seconds or milliseconds since 1970, or ISO 8601.
_TIME = rb"(?:\"?1[5-9]\d{8}(?:\d{3})?\b|\"?20\d\d-\d\d-\d\d[T ]\d\d:\d\d)"
_OF_TIMES = re.compile(rb"\"([^\"\\\n]{1,64})\"\s*:\s*" + _TIME + rb"|<([\w:.-]{1,64})[^<>]{0,200}>\s*" + _TIME)
_OURS = re.compile(r"(?<![^,\s])time=([^,]*)")
# What stands in a script of sed as it is.
_PLAIN = re.compile(r"[\w|.,= -]+", re.ASCII)
MOST = 5


def renamed_time(settings: Settings, file: Path, beginning: bytes) -> tuple[str, Remedy | None]:
    """The end of a sentence that says which fields tell times, none of which is the one named; and what mends it."""
    theirs = [(one[0] or one[1]).decode(errors="replace") for one in _OF_TIMES.findall(beginning)]
    names = list(dict.fromkeys(theirs))[:MOST]
    setting, fields = DECLARATIONS["feed_fields"].variable, str(settings.feed_fields)
    wanted = _OURS.search(fields)
    if not names or wanted is None or set(names).intersection(wanted[1].strip().split("|")):
        return "", None
    said = f"; {setting} says that {wanted[1].strip()} does, and what looks like times is in {', '.join(names)}"
    new = _OURS.sub(f"time={names[0]}", fields)
    if len(names) > 1 or settings.sources_file or not _PLAIN.fullmatch(new):
        return said, None
    change = f's/^\\(# \\)\\?{setting}=.*/{setting}="{new}"/'
    return said, Sequence(EditSettings(change, file), Restart("collector"))

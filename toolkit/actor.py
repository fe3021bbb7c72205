"""Who does it: the name of the person that calls a command, for the history of what people decide."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping

from toolkit.errors import UsageError
from toolkit.text import clean

VARIABLE = "WEATHER_ACTOR"
LENGTH = 64
# The account of the service is nobody's, in a container as on a host.
SERVICE = "weather"
# What is done by nobody is noted in the name of these jobs.
JOBS = ("detector", "sensors", "notify")


def actor(given: str | None, environ: Mapping[str, str] | None = None) -> str:
    """The name of a person: the one given, else that of `WEATHER_ACTOR`, of sudo's user, or of the account.

    On a host the launcher has put the name of whoever called it into `WEATHER_ACTOR`.

    Raises:
        UsageError: the name that was given is none, or there is none but the service's own.
    """
    if given is not None:
        return person(given, "--by")
    environ = os.environ if environ is None else environ
    if environ.get(VARIABLE, "").strip():
        return person(environ[VARIABLE], VARIABLE)
    for name in (environ.get("SUDO_USER", ""), _account()):
        if clean(name) and clean(name) != SERVICE:
            return clean(name)[:LENGTH]
    raise UsageError(f"who decides is not known here: give --by NAME, or set {VARIABLE}")


def person(text: str, place: str) -> str:
    """A person's name as it is stored.

    Raises:
        UsageError: it is empty, too long, or a job's; the message names the place.
    """
    name = clean(text)
    if not name or len(name) > LENGTH:
        raise UsageError(f"{place}={text[:LENGTH]!r}: give a name of 1 to {LENGTH} characters")
    if name.lower() in JOBS:
        raise UsageError(f"{place}={name!r}: that is a job's name; give a person's")
    return name


def _account() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return ""

"""Who decides: the name of a person, as the command and the launcher on a host find it."""

from __future__ import annotations

import os
import pwd
import runpy
from pathlib import Path

import pytest

from toolkit.actor import actor
from toolkit.errors import UsageError

LAUNCHER = Path(__file__).parents[2] / "roles/weather/files/weather-tool"
# What a terminal, a page or a journal would take for more than a name.
HOSTILE = "mar\x1b]0;x\x07ia\r\n\u202e\u2028<b>"


def test_the_name_that_is_given_counts_then_the_launchers_then_sudos_then_the_accounts() -> None:
    environ = {"WEATHER_ACTOR": "nikos", "SUDO_USER": "eleni"}
    assert actor("maria", environ) == "maria"
    assert actor(None, environ) == "nikos"
    assert actor(None, {"SUDO_USER": "eleni"}) == "eleni"
    assert actor(None, {}) == pwd.getpwuid(os.getuid()).pw_name
    assert actor(HOSTILE, {}) == actor(None, {"WEATHER_ACTOR": HOSTILE}) == "mar ]0;x ia <b>"


@pytest.mark.parametrize("name", ["", "  ", "\x1b", "x" * 65, "detector", " Notify "])
def test_what_is_no_persons_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        actor(name, {})


def test_the_services_own_account_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 10001)  # of no account, as in a container
    with pytest.raises(UsageError, match="give --by NAME, or set WEATHER_ACTOR"):
        actor(None, {})
    with pytest.raises(UsageError, match="give --by NAME"):
        actor(None, {"SUDO_USER": "weather"})


def test_the_launcher_hands_over_who_called_it(monkeypatch: pytest.MonkeyPatch) -> None:
    caller = runpy.run_path(str(LAUNCHER), run_name="launcher")["caller"]
    monkeypatch.setenv("SUDO_USER", HOSTILE)
    monkeypatch.setenv("WEATHER_ACTOR", "another")
    assert caller() == "mar]0;xia<b>"
    monkeypatch.setenv("SUDO_USER", "m" * 200)
    assert caller() == "m" * 64
    monkeypatch.delenv("SUDO_USER")
    monkeypatch.setattr(os, "getlogin", lambda: "eleni")
    assert caller() == "eleni"

    def without_terminal() -> str:
        raise OSError

    monkeypatch.setattr(os, "getlogin", without_terminal)
    assert caller() == "another"
    monkeypatch.delenv("WEATHER_ACTOR")
    assert caller() == "root"

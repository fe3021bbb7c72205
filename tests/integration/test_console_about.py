"""What the console says of its service to everybody, over HTTP, on both engines."""

from __future__ import annotations

from tests.console import Console
from toolkit import __version__


def test_a_page_learns_what_service_it_is_of(console: Console) -> None:
    about = console.session().json("about")
    assert about["version"] == __version__
    assert about["person"] is None
    variables = {one["name"]: one for one in about["variables"]}
    assert variables["temp_out"] == {
        "name": "temp_out", "label": "air temperature", "unit": "°C", "nature": "level", "plot": "line", "speed": "",
        "detected": True, "compared": True, "seldom": False,
    }  # fmt: skip
    assert {name for name, one in variables.items() if one["seldom"]} == {"hi_temp", "low_temp", "hi_dir"}


def test_the_page_allows_nothing_that_is_not_its_own(console: Console) -> None:
    answer = console.session().http.get(console.root + "stations/volos", timeout=30)
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none';")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "http" not in answer.text.replace(console.root, "")

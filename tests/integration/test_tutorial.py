"""The tutorial does what it says: its blocks are run one after another, and print what the page shows."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path

import pytest

from tests.documents import ROOT

PAGE = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


def outputs(folder: Path) -> list[str]:
    """What each block prints, in a folder, without spaces at the ends of lines."""
    names: dict[str, object] = {}
    found = []
    with contextlib.chdir(folder):
        for code, _ in BLOCK.findall(PAGE.read_text("utf-8")):
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(compile(code, str(PAGE), "exec"), names)
            found.append(re.sub(" +$", "", printed.getvalue(), flags=re.MULTILINE))
    return found


def test_the_tutorial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("WEATHER_ENV_FILE", str(tmp_path / "none.env"))
    assert outputs(tmp_path) == [shown for _, shown in BLOCK.findall(PAGE.read_text("utf-8"))]
    assert (tmp_path / "volos.png").read_bytes().startswith(b"\x89PNG")


if __name__ == "__main__":  # write into the page what the blocks print, in the folder that is named
    printed = iter(outputs(Path(sys.argv[1])))
    text = BLOCK.sub(
        lambda block: f"```python\n{block[1]}```\n" + (f"\n```text\n{shown}```\n" if (shown := next(printed)) else ""),
        PAGE.read_text("utf-8"),
    )
    PAGE.write_text(text, "utf-8")

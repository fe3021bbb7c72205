from __future__ import annotations

from pathlib import Path

import pytest

from tools.generate import GENERATED, ROOT


@pytest.mark.parametrize("path", GENERATED)
def test_what_is_derived_is_current(path: str) -> None:
    assert Path(ROOT, path).read_text(encoding="utf-8") == GENERATED[path](), "run: make generate"

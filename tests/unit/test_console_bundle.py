"""The console's bundle and its translations are those of the sources."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po

from tools.console import SOURCE, TARGET, bundle, catalogues, messages


def test_the_bundle_is_current(tmp_path: Path) -> None:
    bundle(tmp_path)
    made, kept = ({one.name: one.read_bytes() for one in folder.iterdir()} for folder in (tmp_path, TARGET))
    assert sorted(made) == sorted(kept), "run: make console"
    assert [name for name in made if made[name] != kept[name]] == [], "run: make console"


def test_every_message_of_the_code_is_found() -> None:
    found = {one.id[0] if one.pluralizable else one.id for one in messages()}
    code = "".join(path.read_text(encoding="utf-8") for path in (SOURCE / "src").rglob("*.ts*"))
    for message in re.findall(r'(?<![\w.])tn?\(\s*"((?:[^"\\]|\\.)+)"', code):
        assert message.replace('\\"', '"') in found


@pytest.mark.parametrize("path", catalogues(), ids=lambda path: path.stem)
def test_a_catalogue_has_every_message(path: Path) -> None:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.stem)
    wanted = {one.id for one in messages() if one.id}
    assert wanted == {one.id for one in catalogue if one.id}, "run: make words"
    for one in catalogue:
        if one.id:
            forms, original = _forms(one.string), " ".join(_forms(one.id))
            assert all(forms), f"{one.id!r} is not translated"
            for form in forms:
                assert set(re.findall(r"\{\w+\}", form)) <= set(re.findall(r"\{\w+\}", original)), form


def _forms(text: Any) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, list | tuple) else (text,)

"""Make what the console runs in the browser from console/: `make console`, and `make words` for its translations.

esbuild bundles it with the packages that npm has brought, and the catalogues of other languages are written as JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from toolkit.variables import MEASURED

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "console"
TARGET = ROOT / "toolkit" / "console" / "static"
LOCALES = SOURCE / "locales"
# The functions of console/src/words.ts that take messages.
KEYWORDS = {"t": None, "tn": (1, 2)}


def main() -> None:
    """Bundle it, or bring the catalogues up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", action="store_true", help="write the messages of the code into the catalogues")
    if parser.parse_args().words:
        update()
    else:
        bundle(TARGET)


def bundle(to: Path) -> None:
    """Write the bundle into a folder, in the place of what is there."""
    _run("node", "build.mjs", str(to))
    for path in catalogues():
        messages = {
            one.id[0] if one.pluralizable else one.id: list(one.string) if one.pluralizable else one.string
            for one in _read(path)
            if one.id and one.string and not one.fuzzy
        }
        text = json.dumps(messages, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        (to / f"{path.stem}.json").write_text(f"{text}\n", encoding="utf-8")


def catalogues() -> list[Path]:
    """The catalogues of other languages."""
    return sorted(LOCALES.glob("*.po"))


def messages() -> Catalog:
    """The messages of the code, each with the files that have it."""
    found = Catalog(charset="utf-8")
    kinds = ("**.tsx", "**.ts")
    for name, _, text, comments, _ in extract_from_dir(
        SOURCE / "src",
        [(kind, "javascript") for kind in kinds],
        {kind: {"parse_template_string": "true"} for kind in kinds},
        keywords=KEYWORDS,
        comment_tags=["Translators:"],
        strip_comment_tags=True,
    ):
        found.add(text, locations=[(name, 0)], auto_comments=comments)
    for variable in MEASURED:
        found.add(variable.label, locations=[("toolkit/variables.py", 0)])
    return found


def update() -> None:
    """Bring the catalogues up to date: messages that are new are empty, those that are gone are removed."""
    template = messages()
    for path in catalogues():
        catalogue = _read(path)
        catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
        catalogue.obsolete.clear()
        with path.open("wb") as file:
            write_po(file, catalogue, sort_output=True, include_lineno=False, omit_header=True, width=100)


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.stem)


def _run(*words: str) -> None:
    if subprocess.run(words, cwd=SOURCE, check=False).returncode:
        raise SystemExit(f"the console was not made: {' '.join(words[:2])} failed, see above")


if __name__ == "__main__":
    main()

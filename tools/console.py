"""Make toolkit/console/static, what the console runs in the browser, from console/: `make console`.

npm brings the packages that console/package-lock.json locks, esbuild bundles them, and the catalogues of the other
languages are written as JSON.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from babel.messages.pofile import read_po

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "console"
TARGET = ROOT / "toolkit" / "console" / "static"


def main() -> None:
    """Bundle it."""
    lock, installed = SOURCE / "package-lock.json", SOURCE / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        _npm("ci", "--no-audit", "--no-fund", "--ignore-scripts")
        installed.touch()
    _npm("run", "--silent", "build")
    for catalogue in sorted((SOURCE / "locales").glob("*.po")):
        with catalogue.open("rb") as file:
            messages = {
                one.id[0] if one.pluralizable else one.id: list(one.string) if one.pluralizable else one.string
                for one in read_po(file)
                if one.id and one.string and not one.fuzzy
            }
        text = json.dumps(messages, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        (TARGET / f"{catalogue.stem}.json").write_text(text + "\n", encoding="utf-8")


def _npm(*words: str) -> None:
    subprocess.run(["npm", *words], cwd=SOURCE, check=True)


if __name__ == "__main__":
    main()

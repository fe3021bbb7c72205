"""A variable is added to a copy of this tree by its declaration and its migrations, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DECLARED = """\
    Variable(
        name="soil_temp", label="soil temperature", unit="°Ré", standard_name="soil_temperature",
        low=-60, high=80, per_unit=4, accuracy=0.5, nature="level",
        scale=Scale(root=False, noise=0.2, resolution=0.1, step=2.0),
    ),
)  # fmt: skip

BY_NAME"""


def test_a_declaration_and_a_migration_add_a_variable(tmp_path: Path) -> None:
    for part in ("toolkit", "tests"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    declarations = tmp_path / "toolkit" / "variables.py"
    text = declarations.read_text(encoding="utf-8")
    assert text.count(")  # fmt: skip\n\nBY_NAME") == 1
    declarations.write_text(text.replace(")  # fmt: skip\n\nBY_NAME", DECLARED), encoding="utf-8")
    steps = {
        "sqlite": "ALTER TABLE observation ADD COLUMN soil_temp ANY;\n",
        "postgresql": "ALTER TABLE observations ADD COLUMN soil_temp double precision;\n",
    }
    for engine, step in steps.items():
        folder = tmp_path / "toolkit" / "store" / "migrations" / engine
        (folder / f"{len(list(folder.glob('*.sql'))) + 1:04}_soil.sql").write_text(step, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/integration/test_last_variable.py"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout

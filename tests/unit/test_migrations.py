"""Steps of the schema that were released are never changed: a database knows only the number of its newest step."""

from __future__ import annotations

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# As `sha256sum toolkit/store/migrations/*/*.sql` writes it; a release adds its steps.
RELEASED = Path(__file__).with_name("migrations.sha256")


def test_no_released_step_of_the_schema_is_changed() -> None:
    for line in RELEASED.read_text(encoding="ascii").splitlines():
        digest, path = line.split("  ")
        assert hashlib.sha256((ROOT / path).read_bytes()).hexdigest() == digest, f"{path}: add another step instead"

"""What a rollout keeps so that it can go back: a release and its files, which always belong together."""

from __future__ import annotations

import importlib
import tarfile
from pathlib import Path
from typing import Any

import pytest

SNAPSHOT: Any = importlib.import_module("plugins.modules.weather_snapshot")


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host that runs release one."""
    for name in ("CURRENT", "PREVIOUS", "DEPLOYED", "OLD_ARCHIVE"):
        monkeypatch.setattr(SNAPSHOT, name, tmp_path / name.lower())
    for release in ("one", "two"):
        (tmp_path / release).mkdir()
    (tmp_path / "current").symlink_to(tmp_path / "one")
    (tmp_path / "deployed").write_text("one")
    (tmp_path / "weather.env").write_text("of one")
    return tmp_path


def kept(host: Path) -> tuple[str, bytes]:
    """The release that can be gone back to, and its settings."""
    release = (host / "previous").resolve()
    with tarfile.open(release / SNAPSHOT.NAME) as archive:
        member = archive.extractfile(str(host / "weather.env").lstrip("/"))
        assert member is not None
        return release.name, member.read()


def test_a_snapshot_is_the_release_with_its_files_for_root_alone(host: Path) -> None:
    (host / "old_archive").touch()
    SNAPSHOT.take(SNAPSHOT.present([f"{host}/weather.*", f"{host}/none"]))
    assert kept(host) == ("one", b"of one")
    assert (host / "one" / SNAPSHOT.NAME).stat().st_mode & 0o777 == 0o600
    assert not (host / "deployed").exists()  # a rollout is under way
    assert not (host / "old_archive").exists()


def test_a_run_that_dies_leaves_the_snapshot_before_it(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SNAPSHOT.take([str(host / "weather.env")])
    (host / "current").unlink()
    (host / "current").symlink_to(host / "two")
    (host / "weather.env").write_text("of two")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "symlink_to", killed)
    with pytest.raises(KeyboardInterrupt):
        SNAPSHOT.take([str(host / "weather.env")])
    assert kept(host) == ("one", b"of one")

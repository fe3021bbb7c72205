"""What settings ask of a machine, and what a target cannot give; through the filters that the roles call."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def module(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / "plugins" / path)
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


FILTERS = module("filter/places.py").FilterModule().filters()
TOML = module("filter/sources.py").as_toml


def refused(target: str, **values: str) -> list[str]:
    content = "".join(f'WEATHER_{name.upper()}="{value}"\n' for name, value in values.items())
    return list(FILTERS["weather_refused"](content, str(ROOT), target))


@pytest.mark.parametrize(
    ("target", "name", "value", "said"),
    [
        ("systemd", "db", "/home/op/weather/a.db", "/home: units do not see it"),
        ("systemd", "feed_ca_file", "/tmp/ca.pem", "/tmp: units do not see it"),
        ("systemd", "feed_stations", "/root/stations.csv", "/root: units do not see it"),
        ("systemd", "restic_repository", "/home/copies", "/home: units do not see it"),
        ("cron", "reports", "/root/reports", "/root: only root may enter it"),
        ("cron", "feed_ca_file", "/root/ca.pem", "/root: only root may enter it"),
        ("cron", "db", "/srv/weather.db", "/srv is not the service's alone: give a folder below it"),
        ("systemd", "backups", "/var/lib/weather", "/var/lib/weather is not the service's alone"),
        ("systemd", "backups", "/etc/weather/backups", "/etc: it is the system's"),
        ("cron", "spool", "/run/spool", "/run: what is there is gone after a restart"),
        ("compose", "spool", "/tmp/spool", "/tmp: what is there is gone after a restart"),
        ("systemd", "backups", "/srv/a/../../etc", "give it without .."),
        ("systemd", "backups", "backups", "give the whole path, from / on"),
        ("cron", "db", "weather.db", "give the whole path, from / on"),
        ("systemd", "metrics_address", "127.0.0.1:80", "ports below 1024 are root's"),
        ("compose", "metrics_address", "localhost:9105", "give a number such as 127.0.0.1"),
        ("compose", "reports", "/srv/a:b", "a path in a container can have neither : nor ,"),
        ("kubernetes", "feed_ca_file", "/etc/ssl/own.pem", "name it /run/credentials/KEY"),
        ("kubernetes", "restic_repository", "/mnt/copies", "pods have no folder of a host"),
        ("systemd", "feed_url", "http://a/\u2028b", "a line break or another control character"),
        ("systemd", "feed_url", "http://a/\tb", "a line break or another control character"),
        ("systemd", "feed_url", "http://a/\nWEATHER_DB=/x", "a setting has a line break in it, or half a quote: "),
    ],
)
def test_what_does_not_hold_on_a_target_is_refused_by_name(target: str, name: str, value: str, said: str) -> None:
    (told,) = refused(target, **{name: value})
    assert said in told
    assert f"weather_{name}='" in told or "line break in it, or" in told


def test_two_settings_do_not_share_a_folder() -> None:
    (told,) = refused("systemd", db="/srv/weather/a.db", backups="/srv/weather")
    assert told == "weather_backups='/srv/weather' is the folder of weather_db, too: give each one of its own (systemd)"


@pytest.mark.parametrize("target", ["systemd", "cron", "compose", "kubernetes"])
def test_the_defaults_hold_everywhere(target: str) -> None:
    assert refused(target) == []


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ([{"name": "a"}], "weather_sources, source a: it has no url: give the address of its documents"),
        (
            [{"name": "a", "url": "http://h/", "cadence_seconds": 0}],
            "weather_sources, source a: cadence_seconds = '0': give a whole number from 1 to 86400",
        ),
        (
            [{"name": "a", "url": "http://h/", "fields": {"no": "text"}}],
            "weather_sources, source a: fields = \"{'no': 'text'}\": ",
        ),
        (
            [{"name": "a", "url": "http://h/", "stations": "/etc/stations.csv"}],
            "weather_sources: a: stations='/etc/stations.csv': pods have no file of a host",
        ),
    ],
)
def test_a_list_of_sources_is_refused_by_name(sources: list[dict[str, Any]], said: str) -> None:
    (told,) = FILTERS["weather_refused"]("", str(ROOT), "kubernetes", TOML(sources))
    assert said in told


def test_sources_are_in_a_list_or_in_a_file() -> None:
    (told,) = FILTERS["weather_refused"]("", str(ROOT), "cron", TOML([{"name": "a", "url": "http://h/"}]), "/etc/a")
    assert told == "weather_sources_file=/etc/a: weather_sources lists the sources: take one of the two away"


def test_files_of_the_secret_are_in_pods() -> None:
    assert (
        refused("kubernetes", feed_ca_file="/run/credentials/ca.pem", db="postgresql://weather@db.example.org/w") == []
    )


def test_the_spool_is_a_folder_of_its_own_only_outside_that_of_the_data() -> None:
    places = FILTERS["weather_places"]
    assert "spool" not in places("", str(ROOT))["folders"]
    assert "spool" not in places('WEATHER_SPOOL="/var/lib/weather/data/later"', str(ROOT))["folders"]
    assert places('WEATHER_SPOOL="/srv/later"', str(ROOT))["folders"]["spool"]["path"] == "/srv/later"


def test_a_jobs_own_paths_stay_as_they_were_written() -> None:
    read_write = FILTERS["weather_read_write"]
    asked = FILTERS["weather_places"]("", str(ROOT))
    own = "/var/lib/weather/data /var/log/weather /var/log/weather/reports"
    assert read_write([], asked) == own
    assert read_write("/srv/a /srv/b", asked) == f"{own} /srv/a /srv/b"
    assert read_write(["backups", "/srv/a b"], asked) == f'{own} /var/backups/weather "/srv/a b"'


SERVICE = 12345


@pytest.fixture
def against() -> Callable[[Path], str]:
    """What the role has against a folder on a host where the service user is nobody of here."""
    unfit = module("module_utils/weather_unfit.py")
    return lambda folder: str(unfit.reason_against(folder, SERVICE))


def test_a_folder_of_others_is_not_taken_from_them(tmp_path: Path, against: Callable[[Path], str]) -> None:
    tmp_path.chmod(0o755)
    above = next(one for one in reversed((tmp_path / "x").parents) if not one.stat().st_mode & 1 or one == tmp_path)
    if above != tmp_path:  # pytest's own folders are private
        assert against(tmp_path / "x") == (
            f"{tmp_path}/x cannot be entered by the service user: chmod o+x {above}, or give another folder"
        )
    for one in tmp_path.parents:
        if not one.stat().st_mode & 1:
            one.chmod(0o755)
    folder = tmp_path / "disk"
    assert against(folder) == ""
    folder.mkdir(mode=0o700)
    (folder / "lost+found").mkdir()
    assert against(folder) == ""
    (folder / "photos").touch()
    assert against(folder) == (
        f"{folder} is not the service's, and holds photos: give one of its own, such as {folder}/weather"
    )
    assert against(folder / "photos") == f"{folder}/photos cannot be entered by the service user: " + (
        f"chmod o+x {folder}, or give another folder"
    )
    folder.chmod(0o755)
    assert against(folder / "photos") == f"{folder}/photos is no folder"
    assert against(folder / "weather") == ""


def test_the_services_own_folders_are_never_refused(against: Callable[[Path], str]) -> None:
    assert against(Path("/var/backups/weather")) == ""

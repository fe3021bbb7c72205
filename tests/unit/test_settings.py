from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from toolkit.errors import UsageError
from toolkit.settings import DECLARATIONS, Origin, SettingsError, load


def test_first_of_option_environment_file_default(tmp_path: Path) -> None:
    file = tmp_path / "weather.env"
    file.write_text('# comment\nWEATHER_WINDOW_HOURS="3"\nWEATHER_NEIGHBOUR_KM=50\nWEATHER_FRESH_MINUTES=20\n')
    environ = {"WEATHER_ENV_FILE": str(file), "WEATHER_NEIGHBOUR_KM": "60", "WEATHER_FRESH_MINUTES": "30"}
    loaded = load({"fresh_minutes": Origin("40", "--fresh")}, environ)
    settings = loaded.settings
    assert (settings.window_hours, settings.neighbour_km, settings.fresh_minutes) == (3, 60, 40)
    assert settings.cadence_seconds == 600
    assert loaded.origins["window_hours"].place == f"{file} line 2"
    assert loaded.origins["neighbour_km"].place == "the environment"
    assert loaded.origins["fresh_minutes"].place == "--fresh"
    assert loaded.origins["cadence_seconds"].place == "default"


def test_every_bad_value_is_named_with_its_place_and_remedy(tmp_path: Path) -> None:
    file = tmp_path / "weather.env"
    file.write_text("WEATHER_WINDOW_HOURS=six\n")
    environ = {"WEATHER_ENV_FILE": str(file), "WEATHER_DETECTION_METHOD": "aroma", "WEATHER_FEED_URL": "ftp://x"}
    with pytest.raises(SettingsError) as caught:
        load({"cadence_seconds": Origin("0", "--cadence")}, environ)
    assert caught.value.problems[0].remedy == "give an http:// or https:// address"
    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    assert f"WEATHER_WINDOW_HOURS='six' ({file} line 1): give a number from 0.5 to 744" in lines
    assert "WEATHER_DETECTION_METHOD='aroma' (the environment): did you mean arima?" in lines
    assert "WEATHER_FEED_URL='ftp://x' (the environment): give an http:// or https:// address" in lines
    assert "--cadence='0': give a whole number from 1 to 86400" in lines


def test_the_guides_names_are_understood_and_ours_win(tmp_path: Path) -> None:
    none = {"WEATHER_ENV_FILE": str(tmp_path / "none")}
    guide = {**none, "DETECTION_METHOD": "arima", "SPATIAL_VERIFY": "0"}
    assert load(environ=guide).settings.detection_method == "arima"
    assert load(environ=guide).settings.spatial_verify is False
    assert load(environ={**guide, "WEATHER_DETECTION_METHOD": "mad"}).settings.detection_method == "mad"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, None),
        ({"HIGH": "0.7"}, (0.7, 0.3)),
        ({"LOW": "0.2"}, (0.6, 0.2)),
        ({"HIGH": "0.5", "LOW": "0.5"}, (0.5, 0.5)),
    ],
)
def test_the_thresholds_of_the_correlation_are_the_guides_once_one_is_given(
    tmp_path: Path, given: dict[str, str], found: tuple[float, float] | None
) -> None:
    environ = {f"WEATHER_CORRELATION_THRESHOLD_{name}": value for name, value in given.items()}
    assert load(environ={"WEATHER_ENV_FILE": str(tmp_path / "none"), **environ}).settings.correlations == found


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("TEMPORAL_THRESHOLD", "0.95", "give a number from 1 to 100"),
        ("MINIMUM_DATA", "50", "give a number from 0.01 to 1"),
        ("CORRELATION_THRESHOLD_HIGH", "60", "give a number from 0 to 1"),
        ("CORRELATION_THRESHOLD_HIGH", "0.2", "give at least 0.3, the low threshold"),
        ("CORRELATION_THRESHOLD_LOW", "0.65", "give at most 0.6, the high threshold"),
    ],
)
def test_a_threshold_that_cannot_be_is_refused(tmp_path: Path, name: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(environ={"WEATHER_ENV_FILE": str(tmp_path / "none"), f"WEATHER_{name}": value})
    assert str(caught.value) == f"WEATHER_{name}='{value}' (the environment): {says}"


def test_an_unknown_name_is_said_with_the_nearest_right_one(tmp_path: Path) -> None:
    loaded = load(environ={"WEATHER_ENV_FILE": str(tmp_path / "none"), "WEATHER_FEED_ULR": "x"})
    assert [str(one) for one in loaded.unknown] == [
        "WEATHER_FEED_ULR (the environment) is not a setting of this version; did you mean WEATHER_FEED_URL?"
    ]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('WEATHER_FEED_URL="http://a/b#c"', "http://a/b#c"),
        ("WEATHER_FEED_URL=http://a/b#c", "http://a/b#c"),
        ("WEATHER_FEED_URL='http://a/\"b\"'", 'http://a/"b"'),
        ('  WEATHER_FEED_URL="http://a/\\"b\\""  ', 'http://a/"b"'),
    ],
)
def test_the_file_is_read_as_systemd_reads_it(tmp_path: Path, line: str, value: str) -> None:
    file = tmp_path / "weather.env"
    file.write_text(f"\n; comment\n{line}\n")
    assert load(environ={"WEATHER_ENV_FILE": str(file)}).settings.feed_url == value


@pytest.mark.parametrize("line", ["WEATHER_DB", 'WEATHER_DB="open', "export WEATHER_DB=x", 'WEATHER_DB="a" "b"'])
def test_a_line_that_is_no_assignment_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "weather.env"
    file.write_text(f"\n{line}\n")
    with pytest.raises(UsageError, match=re.escape(f"{file} line 2")):
        load(environ={"WEATHER_ENV_FILE": str(file)})


@pytest.mark.parametrize(("text", "minutes"), [("10", 10), ("10.0", 10), (" 10 ", 10), ("1440", 1440)])
def test_a_whole_number_is_one_however_an_inventory_writes_it(text: str, minutes: int) -> None:
    found = load(environ={"WEATHER_ENV_FILE": "/dev/null", "WEATHER_FRESH_MINUTES": text}).settings.fresh_minutes
    assert (found, type(found)) == (minutes, int)


@pytest.mark.parametrize("text", ["10.5", "nan", "inf", "-1", "0", "1441", "1e99", "ten", "", "9" * 5000])
def test_what_is_no_whole_number_within_bounds_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="give a whole number from 1 to 1440"):
        load(environ={"WEATHER_ENV_FILE": "/dev/null", "WEATHER_FRESH_MINUTES": text})


HOSTILE = [
    "/srv/a b", "/srv/ä/ö ß", "/srv/100%", "/srv/$HOME/${x}/$(id)", "/srv/`id`", "/srv/'single'", '/srv/"double"',
    "/srv/back\\slash\\", "/srv/\\$\\`\\\"", "/srv/#no;comment", "/srv/=", "/srv/\u00a0nbsp", "/srv/\U0001f327",
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
def test_a_quoted_value_is_what_a_shell_and_systemd_read(tmp_path: Path, value: str) -> None:
    """Quoted as the role's template does it."""
    file = tmp_path / "weather.env"
    file.write_text('WEATHER_BACKUPS="' + re.sub(r'(["\\$`])', r"\\\1", value) + '"\n', encoding="utf-8")
    assert load(environ={"WEATHER_ENV_FILE": str(file)}).settings.backups == value
    told = subprocess.run(["sh", "-c", '. "$0"; printf %s "$WEATHER_BACKUPS"', file], capture_output=True, check=True)
    assert told.stdout.decode() == value


@pytest.mark.parametrize("letter", ["\x00", "\t", "\r", "\x1b", "\x85", "\u2028", "\u2029"])
def test_a_control_character_in_a_value_is_refused(letter: str) -> None:
    with pytest.raises(UsageError, match="a line break or another control character"):
        load({"backups": Origin(f"/srv/a{letter}b", "--backups")}, {"WEATHER_ENV_FILE": "/dev/null"})


@pytest.mark.parametrize(
    "origins",
    ["maps.example.org", "https://maps.example.org/", "https://a@maps.example.org", "HTTPS://A", "https://a:0"],
)
def test_an_origin_is_what_a_browser_sends(tmp_path: Path, origins: str) -> None:
    environ = {"WEATHER_ENV_FILE": str(tmp_path / "none"), "WEATHER_API_CORS_ORIGINS": f"https://a.example, {origins}"}
    with pytest.raises(SettingsError, match=r"is no origin; give https://HOST"):
        load(environ=environ)
    environ["WEATHER_API_CORS_ORIGINS"] = "*, http://localhost:3000"
    assert load(environ=environ).settings.api_cors_origins == ("*", "http://localhost:3000")


def test_several_origins_are_shown_each_without_what_may_be_secret() -> None:
    shown = DECLARATIONS["api_cors_origins"].kind.shown
    assert shown("https://a.example, http://localhost:3000") == "https://a.example, http://localhost:3000"
    assert shown("https://user:word@a.example,*") == "https://a.example,*"


def test_hosts_of_a_fleet_are_pairs_without_secrets() -> None:
    kind = DECLARATIONS["console_hosts"].kind
    text = "Πάρνηθα 1=https://localhost:9443/ö/api/, b=http://192.0.2.12:9106"
    assert kind.parse(text) == (("Πάρνηθα 1", "https://localhost:9443/ö/api"), ("b", "http://192.0.2.12:9106"))
    assert kind.shown(text) == text
    assert "hunter2" not in kind.shown("a=https://me:hunter2@example.org/")
    for wrong in (
        "a",
        "a=ftp://b",
        "=http://b",
        "a=http://",
        "a=http://u:p@b",
        "a=http://b?x=1",
        "a=http://b,a=http://c",
    ):
        with pytest.raises(ValueError, match="give"):
            kind.parse(wrong)

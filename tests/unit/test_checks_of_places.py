"""Checks put to who may use a place, how long the database's file is, and to harm whose doer is still there."""

from __future__ import annotations

import os
import pwd
import sqlite3
import struct
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.unit.test_checks import filled
from toolkit.checks import Check, Finding
from toolkit.checks.catalogue import BY_ID
from toolkit.checks.diagnosis import Result, causes, examine
from toolkit.checks.host import Host
from toolkit.checks.host.files import access_refused
from toolkit.checks.probes import commands, system
from toolkit.checks.remedies import Shell
from toolkit.commands import healthcheck
from toolkit.settings import load_lenient

_OWNER, _USER, _OWNING_GROUP, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setenv("WEATHER_ENV_FILE", str(tmp_path / "none"))
    for name in ("data", "backups"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("WEATHER_DB", str(tmp_path / "data/weather.db"))
    monkeypatch.setenv("WEATHER_BACKUPS", str(tmp_path / "backups"))
    return Host(load_lenient())


def seen_by_healthcheck(host: Host, name: str) -> Finding:
    its = BY_ID[name].in_healthcheck
    assert its
    return examine(host, [its])[0].finding


@pytest.mark.parametrize(
    ("entries", "refused"),
    [
        ([(_USER, 0, 4242)], "user:weather:---"),
        ([(_USER, 7, 4242)], ""),
        ([(_USER, 0, 17)], ""),
        ([(_GROUP, 0, 4243)], "group:4243:---"),
        ([(_GROUP, 0, 4243), (_GROUP, 5, 17)], "group:4243:---"),
        ([(_USER, 7, 4242), (_MASK, 0, -1)], "user:weather:rwx, by its mask"),
        ([(_OWNING_GROUP, 5, -1)], ""),
    ],
)
def test_an_access_list_is_read_as_the_kernel_does(
    tmp_path: Path, entries: list[tuple[int, int, int]], refused: str
) -> None:
    listed = {tag: (tag, 7, -1) for tag in (_OWNER, _OWNING_GROUP, _MASK, _OTHER)}
    whole = [*(one for tag, one in listed.items() if tag not in {tag for tag, *_ in entries}), *entries]
    packed = b"".join(struct.pack("<HHI", tag, may, who & 0xFFFFFFFF) for tag, may, who in sorted(whole))
    try:
        os.setxattr(tmp_path, "system.posix_acl_access", struct.pack("<I", 2) + packed)
    except OSError as error:
        pytest.skip(f"this file system has no access lists: {error}")
    account = pwd.struct_passwd(("weather", "x", 4242, 4243, "", "/", "/bin/false"))
    assert access_refused(tmp_path, account) == refused


def test_the_health_check_sees_a_database_that_was_cut(host: Host) -> None:
    filled(host)
    with closing(sqlite3.connect(host.db)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert examine(host, [BY_ID["database-sound"]])[0].finding.ok
    os.truncate(host.db, host.db.stat().st_size - 4096)
    cut = seen_by_healthcheck(host, "database-sound")
    assert cut.ok is False
    assert "4,096 bytes are missing at its end" in cut.evidence
    assert healthcheck.run(SimpleNamespace(wait=None), load_lenient()) == 2  # type: ignore[arg-type]


def test_the_health_check_sees_a_backup_without_its_manifest(host: Host) -> None:
    (Path(host.settings.backups) / "weather_20261126_040000.db.zst").write_bytes(b"x")
    assert seen_by_healthcheck(host, "backup-whole").ok is False


def result(name: str, evidence: str = "so") -> Result:
    check: Check = BY_ID[name]
    return Result(check, Finding(False, evidence), check.severity, check.remedy)


def test_who_does_harm_is_named_before_it_and_the_remedy_undoes_both() -> None:
    (first,) = causes(
        [result("data-folder"), result("database-owner"), result("collector-running"), result("files-alone")]
    )
    assert first.result.check.id == "files-alone"
    assert first.status.name == "CRITICAL"
    harm = BY_ID["data-folder"].remedy.render(first.result.target)
    assert harm in first.result.command
    assert first.result.command.endswith(" && systemctl restart weather-collector.service")


@pytest.mark.parametrize("wrong", ["a file", "gone"])
def test_what_is_no_device_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: Host, wrong: str) -> None:
    device = tmp_path / "null"
    if wrong == "a file":
        device.touch()
    (tmp_path / "etc").mkdir()
    monkeypatch.setattr("toolkit.checks.host.deployment.ETC", tmp_path / "etc")
    monkeypatch.setattr(system, "DEVICES", {device: (1, 3)})
    monkeypatch.delenv("INVOCATION_ID", raising=False)
    seen = examine(host, [BY_ID["system-places"]])[0]
    assert seen.finding.ok is False
    assert str(device) in seen.finding.evidence
    assert f"mknod -m 666 {device} c 1 3" in seen.command


@pytest.mark.parametrize(
    ("text", "ok"),
    [
        ('#!/bin/sh\nexec /usr/local/bin/weather-tool healthcheck "$@"\n', True),
        ("#!/bin/sh\n# was: weather-tool healthcheck\necho OK\n", False),
    ],
)
def test_a_script_that_does_not_ask_weather_tool_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: Host, text: str, ok: bool
) -> None:
    script = tmp_path / "weather-healthcheck.sh"
    script.write_text(text)
    script.chmod(0o755)
    (tmp_path / "etc").mkdir()
    monkeypatch.setattr("toolkit.checks.host.deployment.ETC", tmp_path / "etc")
    monkeypatch.setattr(commands, "FOLDER", tmp_path)
    monkeypatch.setattr(commands, "CALLS", {script.name: "weather-tool healthcheck"})
    assert examine(host, [BY_ID["commands-genuine"]])[0].finding.ok is ok


def test_documents_that_the_store_refused_are_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: Host
) -> None:
    (tmp_path / "etc").mkdir()
    monkeypatch.setattr("toolkit.checks.host.deployment.ETC", tmp_path / "etc")
    host.spool.mkdir()
    (host.spool / "000000000001.refused").touch()
    seen = examine(host, [BY_ID["folders-bounded"]])[0]
    assert seen.finding.ok is False
    assert f"mv -- {host.spool}/000000000001.refused {host.spool}/000000000001.gz" in seen.command
    # Also together with what kept the store from taking them.
    trigger = BY_ID["database-shape"]
    (first,) = causes([Result(trigger, Finding(False, "a trigger"), trigger.severity, Shell("mend")), seen])
    assert first.result.command.startswith("mend && systemctl stop weather-collector.service && runuser")
    (host.spool / "000000000002.damaged").touch()
    assert "mv -t /var/tmp" in examine(host, [BY_ID["folders-bounded"]])[0].command

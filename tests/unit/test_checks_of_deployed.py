"""The doctor's comparison of the files on a host with the copies that the role keeps of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.checks import Finding, remedies
from toolkit.checks.catalogue import BY_ID
from toolkit.checks.diagnosis import causes, examine
from toolkit.checks.host import Host
from toolkit.checks.targets import Systemd
from toolkit.settings import load_lenient

STAT = os.stat
MODULE = Path("plugins/modules/weather_files.py").resolve()
UNIT = "[Service]\n# as it is\nExecStart=/opt/weather/current/bin/weather-tool collect\nRestartSec=5\n"
SETTINGS = 'WEATHER_FEED_URL="http://192.0.2.1/feed"\n'
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the role writes as root")


def written(copies: Path, *, check: bool = False, **arguments: Any) -> dict[str, Any]:
    """What the role's module says, which keeps copies."""
    given = json.dumps({"ANSIBLE_MODULE_ARGS": {"copies": str(copies), "_ansible_check_mode": check, **arguments}})
    done = subprocess.run([sys.executable, MODULE], input=given, capture_output=True, text=True, check=False)
    told: dict[str, Any] = json.loads(done.stdout)
    assert "failed" not in told, told
    return told


@pytest.fixture
def files(tmp_path: Path) -> list[dict[str, str]]:
    """What is deployed: a unit, the settings and a program."""
    for name in ("units", "etc", "bin", "copies"):
        (tmp_path / name).mkdir()
    return [
        {"path": f"{tmp_path}/units/weather-collector.service", "content": UNIT},
        {"path": f"{tmp_path}/etc/weather.env", "content": SETTINGS, "mode": "0640"},
        {"path": f"{tmp_path}/bin/weather-tool", "content": "#!/bin/sh\n# says it\necho one\n", "mode": "0755"},
    ]


@pytest.fixture
def host(files: list[dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setenv("WEATHER_ENV_FILE", str(tmp_path / "etc/weather.env"))
    monkeypatch.setattr("toolkit.checks.host.deployment.ETC", tmp_path / "etc")
    monkeypatch.setattr("toolkit.checks.host.deployment.JOBS_FILE", tmp_path / "etc/jobs.json")
    for module in ("host.deployment", "as_deployed"):
        monkeypatch.setattr(f"toolkit.checks.{module}.COPIES", tmp_path / "copies")
    monkeypatch.setattr("toolkit.checks.as_deployed.FOLDERS", tmp_path / "copies/folders")
    for module in ("as_deployed", "probes.deployed"):
        monkeypatch.setattr(f"toolkit.checks.{module}.UNITS", tmp_path / "units")
    monkeypatch.setattr("toolkit.checks.probes.deployed.ETC", tmp_path / "etc")
    monkeypatch.setattr("toolkit.checks.as_deployed._OF_LINES", tmp_path / "etc")
    monkeypatch.setattr("toolkit.checks.probes.deployed._DROPPED", (tmp_path / "units",))
    written(tmp_path / "copies", files=files)
    return Host(load_lenient())


def found(host: Host) -> Finding:
    finding = BY_ID["files-as-deployed"].probe(host)
    assert finding
    return finding


def test_the_role_keeps_a_copy_of_each_file_with_its_mode(files: list[dict[str, str]], tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    assert written(copies, check=True, files=files)["changed"]
    assert not any(copies.iterdir())  # a dry run
    assert written(copies, files=files)["changed"]
    for one in files:
        copy = Path(f"{copies}{one['path']}")
        assert copy.read_text() == one["content"]
        assert f"{copy.stat().st_mode & 0o777:04o}" == one.get("mode", "0644")
    assert not written(copies, files=files)["changed"]
    Path(f"{copies}{files[0]['path']}").write_text("damaged")
    assert written(copies, check=True, files=files)["changed"]
    assert written(copies, files=files)["written"] == [f"{copies}{files[0]['path']}"]


def test_a_file_that_is_removed_loses_its_copy(files: list[dict[str, str]], tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    written(copies, files=files)
    written(copies, absent=[f"{tmp_path}/units/weather-*"])
    assert not list((tmp_path / "units").iterdir())
    assert not Path(f"{copies}{files[0]['path']}").exists()
    assert Path(f"{copies}{files[1]['path']}").exists()


def test_what_was_deployed_is_as_it_was(host: Host, tmp_path: Path) -> None:
    assert found(host).ok
    (tmp_path / "etc/weather.env").write_text(f"# mine\n\n{SETTINGS}")  # what says nothing
    assert found(host).ok


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (lambda path: path.unlink(), "is not there"),
        (lambda path: path.write_text(""), "is empty"),
        (lambda path: path.write_text(path.read_text() + "UMask=0\n"), "it has 'UMask=0' in line 5"),
        (lambda path: path.write_text(UNIT.replace("RestartSec=5\n", "")), "it lacks 'RestartSec=5'"),
        (lambda path: path.write_text(UNIT.replace("\n", "\r\n")), "in line 1 and lacks '[Service]'"),
        (lambda path: path.chmod(0o666), "is root:root 0666, and was root:root 0644"),
        (lambda path: os.chown(path, 65534, 0), "is nobody:root 0644, and was root:root 0644"),
        (lambda path: (path.unlink(), path.mkdir()), "is a folder, and was a file"),
        (_pipe, "is a named pipe, and was a file"),
        (lambda path: (path.unlink(), path.symlink_to("/dev/null")), "is a symbolic link to /dev/null"),
        (lambda path: path.write_bytes(bytes(2 << 20)), "has 2 MiB"),
    ],
)
def test_whatever_was_done_to_a_file_is_named_and_put_right(
    host: Host, tmp_path: Path, fault: Callable[[Path], object], said: str
) -> None:
    unit = tmp_path / "units/weather-collector.service"
    fault(unit)
    finding = found(host)
    assert not finding.ok
    assert f"{unit} " in finding.evidence
    assert said in finding.evidence
    assert finding.remedy
    command = finding.remedy.render(examine(host, (BY_ID["files-as-deployed"],))[0].target)
    its_own = " && ".join(part for part in command.split(" && ") if "systemctl" not in part)
    subprocess.run(["bash", "-c", its_own.replace("/root/", f"{tmp_path}/")], check=True)
    assert found(host).ok


def test_a_link_leads_the_remedy_nowhere(host: Host, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("mine")
    canary.chmod(0o600)
    settings = tmp_path / "etc/weather.env"
    settings.unlink()
    settings.symlink_to(canary)
    finding = found(host)
    assert finding.remedy
    command = finding.remedy.line(examine(host, (BY_ID["files-as-deployed"],))[0].target)
    subprocess.run(["bash", "-c", command.partition(" && systemctl")[0]], check=True)
    assert (canary.read_text(), canary.stat().st_mode & 0o777) == ("mine", 0o600)
    assert settings.read_text() == SETTINGS


def test_a_program_may_differ_in_no_comment(host: Host, tmp_path: Path) -> None:
    (tmp_path / "bin/weather-tool").write_text("#!/bin/sh\n# says this\necho one\n")
    assert "# says this" in found(host).evidence


def test_a_drop_in_for_any_unit_is_named_but_for_one_that_raises_a_limit(host: Host, tmp_path: Path) -> None:
    (tmp_path / "units/weather-.service.d").mkdir()
    drop_in = tmp_path / "units/weather-.service.d/mine.conf"
    drop_in.write_text("[Service]\nMemoryMax=infinity\n")
    assert found(host).ok
    drop_in.write_text("[Service]\nPrivateNetwork=yes\n")
    assert f"{drop_in} changes weather-.service, and was not deployed: PrivateNetwork=yes" in found(host).evidence


def test_a_changed_setting_explains_what_it_spoils_and_nothing_else(host: Host, tmp_path: Path) -> None:
    (tmp_path / "etc/weather.env").write_text('WEATHER_FEED_URL="http://127.0.0.1:9/feed"\n')
    host = Host(load_lenient())
    shutil.rmtree(tmp_path / "units")
    checks = tuple(BY_ID[name] for name in ("files-as-deployed", "feed-connects", "settings-readable"))
    (cause,) = causes(examine(host, checks))
    assert cause.result.check.id == "files-as-deployed"
    assert [one.check.id for one in cause.explains] == ["feed-connects"]


def test_advice_against_what_was_deployed_does_not_lead_to_advice_for_it(host: Host, tmp_path: Path) -> None:
    settings = tmp_path / "etc/weather.env"
    comment_out = remedies.EditSettings("/^WEATHER_FEED_URL=/s/^/# /", settings).line(Systemd())
    subprocess.run(["bash", "-c", comment_out], check=True)
    assert settings.read_text().startswith("# WEATHER_FEED_URL=")
    assert found(host).ok
    # Where somebody has changed the settings since, what was deployed stays what is put back.
    settings.write_text(f"{SETTINGS}WEATHER_CADENCE_SECONDS=5\n")
    assert str(tmp_path / "copies") not in remedies.EditSettings("2d", settings).line(Systemd())


def test_a_service_is_restarted_once() -> None:
    restart = remedies.Sequence(remedies.Shell("true"), remedies.Restart("api", "collector"))
    assert restart.does(remedies.Restart("api"))
    assert not restart.does(remedies.Restart("api", "exporter"))
    assert not restart.does(remedies.Start("api"))
    start = remedies.Sequence(remedies.Stop("collector"), remedies.Start("collector"))
    assert start.does(remedies.Restart("collector"))
    assert not start.does(remedies.Restart("api", "collector"))
    assert start.does(remedies.Sequence(remedies.Stop("collector"), remedies.Restart("collector")))


def test_a_line_that_was_broken_by_hand_is_put_back_not_taken_away(host: Host, tmp_path: Path) -> None:
    settings = tmp_path / "etc/weather.env"
    settings.write_text(SETTINGS.replace('feed"', "feed"))
    (result,) = examine(Host(load_lenient()), [BY_ID["settings-valid"]])
    assert host.deployed
    assert result.command.startswith("cp -a --remove-destination -- ")


def test_the_jobs_are_those_that_were_deployed_whatever_the_list_says_now(
    host: Host, files: list[dict[str, str]], tmp_path: Path
) -> None:
    listed = tmp_path / "etc/jobs.json"
    content = json.dumps({"scheduler": "cron", "jobs": {"collector": {"command": "collect"}}})
    written(tmp_path / "copies", files=[*files, {"path": str(listed), "content": content}])
    listed.write_text("{}")
    assert (host.scheduler, list(host.jobs)) == ("cron", ["collector"])


def test_root_changes_the_mode_of_no_link(tmp_path: Path) -> None:
    (tmp_path / "canary").touch(mode=0o600)
    (tmp_path / "folder").mkdir(mode=0o700)
    (tmp_path / "file-link").symlink_to(tmp_path / "canary")
    (tmp_path / "folder-link").symlink_to(tmp_path / "folder")
    target = Systemd()
    assert remedies.allow("a+r", tmp_path / "canary").line(target) == f"chmod a+r {tmp_path}/canary"
    assert remedies.allow("a+r", tmp_path / "folder-link").line(target) == f"chmod a+r {tmp_path}/folder"
    for remedy in (
        remedies.allow("a+r", tmp_path / "file-link"),
        remedies.root_owns(tmp_path / "file-link", 0o644),
    ):
        assert remedy.line(target) == f"mv -- {tmp_path}/file-link /root/file-link.weather"


def test_no_check_has_a_command_of_its_own_that_changes_modes_or_owners_and_follows_links() -> None:
    """Names that are in the command's own words are the host's; what others have made goes through `allow`."""
    for file in Path("toolkit/checks").rglob("*.py"):
        text = file.read_text()
        assert not re.search(r'"(chown|chgrp) (?!-h)', text), file
        if file.name != "remedies.py":
            assert not re.search(r'(?<!AsUser\()"chmod (?!-R)[^"]*\{\}', text), file


def test_what_root_alone_sees_is_told_by_root_and_put_back(
    host: Host, files: list[dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "etc/credentials"
    folder.mkdir()
    secret = folder / "feed_url"
    written(tmp_path / "copies", files=[*files, {"path": str(secret), "content": "x", "mode": "0600"}])
    secret.unlink()
    monkeypatch.setenv("COMPARED_BY_ROOT", f"{secret}\tis not there")

    def closed(path: Path | str, *_: object, **__: object) -> os.stat_result:
        if str(path).startswith(f"{folder}/"):
            raise PermissionError(13, "Permission denied", str(path))
        return STAT(path)

    monkeypatch.setattr(os, "lstat", closed)
    monkeypatch.setattr(os, "stat", closed)
    finding = found(Host(load_lenient()))
    assert finding.evidence == f"{secret} is not there"
    assert finding.remedy
    assert finding.remedy.line(Systemd()).startswith("cp -a --remove-destination -- ")
    assert "feed-answers" in finding.explains


@pytest.mark.parametrize("edited", [False, True])
def test_a_change_is_no_effect_of_what_cannot_have_made_it(
    host: Host, files: list[dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edited: bool
) -> None:
    """A setting that cannot be used explains a changed file of settings, and no changed secret."""
    settings = tmp_path / "etc/weather.env"
    settings.write_text(f"{SETTINGS}WEATHER_CADENCE_SECONDS=soon\n")
    if not edited:
        written(tmp_path / "copies", files=[*files, {"path": str(settings), "content": settings.read_text()}])
        secret = tmp_path / "etc/credentials/restic_password"
        monkeypatch.setenv("COMPARED_BY_ROOT", f"{secret}\tis not as it was deployed")
    told = causes(examine(Host(load_lenient()), [BY_ID[name] for name in ("settings-valid", "files-as-deployed")]))
    assert host.deployed
    assert [one.result.check.id for one in told] == ["settings-valid", *([] if edited else ["files-as-deployed"])]


@pytest.mark.parametrize("without", ["", "backup", "exporter"])
def test_a_job_that_the_host_needs_and_that_was_never_deployed_is_named(
    host: Host, files: list[dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without: str
) -> None:
    monkeypatch.setattr("toolkit.checks.probes.settings.JOBS_FILE", tmp_path / "etc/jobs.json")
    names = {"collector", "exporter", "detector", "healthcheck", "backup", "maintenance"} - {without}
    listed = {
        "path": str(tmp_path / "etc/jobs.json"),
        "content": json.dumps({"jobs": {n: {"command": n} for n in names}}),
    }
    written(tmp_path / "copies", files=[*files, listed])
    assert host.deployed
    (told,) = examine(host, [BY_ID["jobs-listed"]])
    assert told.finding.ok is (without != "backup")
    if not told.finding.ok:
        assert told.finding.evidence.endswith("jobs that this host needs: nothing is backed up (backup)")
        assert told.command == (
            "ansible-playbook site.yml  # on the controller, once the inventory combines weather_jobs with "
            "weather_default_jobs"
        )

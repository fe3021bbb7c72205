"""Checks put to jobs: how they ended under cron, who holds their locks, what systemd refuses, or does not answer."""

from __future__ import annotations

import json
import os
import pwd
import re
import runpy
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.backup.drill_record import Drill
from toolkit.backup.drill_record import keep as keep_drill
from toolkit.backup.offsite_record import Copied, keep
from toolkit.backup.postgresql import programs
from toolkit.checks.catalogue import BY_ID
from toolkit.checks.diagnosis import Result, causes, examine
from toolkit.checks.host import Host
from toolkit.checks.host.processes import process as process_of
from toolkit.checks.unit_files import DEPLOYED
from toolkit.settings import load_lenient

LAUNCHER = Path(__file__).parents[2] / "roles/weather/files/weather-tool"

JOBS = {"collector": {"command": "collect"}, "backup": {"command": "backup create --prune", "schedule": {"hour": 4}}}


def jobs_of(scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the jobs deployed for a scheduler, and no settings."""
    monkeypatch.setenv("WEATHER_ENV_FILE", str(tmp_path / "none"))
    (tmp_path / "jobs.json").write_text(json.dumps({"scheduler": scheduler, "jobs": JOBS}))
    monkeypatch.setattr("toolkit.checks.host.deployment.JOBS_FILE", tmp_path / "jobs.json")


@pytest.fixture
def under_cron(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which cron's jobs note how they stand."""
    jobs_of("cron", tmp_path, monkeypatch)
    for module in ("unit_states", "probes.service"):
        monkeypatch.setattr(f"toolkit.checks.{module}.CRON_RUN", tmp_path)
    monkeypatch.setattr("toolkit.checks.unit_states.CRON_LOGS", tmp_path)
    return tmp_path


def seen(name: str) -> list[Result]:
    return examine(Host(load_lenient()), [BY_ID[name]])


def test_backups_that_were_made_and_are_gone_are_missed_soon_after_a_deployment(
    under_cron: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEATHER_BACKUPS", str(under_cron / "backups"))
    (under_cron / "backups").mkdir()
    for module in ("host.deployment", "probes.backup"):
        monkeypatch.setattr(f"toolkit.checks.{module}.JOBS_FILE", under_cron / "jobs.json")
    monkeypatch.setattr("toolkit.checks.probes.backup.CRON_RUN", under_cron)
    (result,) = seen("backup-recent")
    assert (result.finding.ok, result.finding.evidence) == (True, "the first one is made in the night to come")
    (under_cron / "backup.code").write_text("0\n")
    (result,) = seen("backup-recent")
    assert not result.finding.ok
    assert "holds no backup any more" in result.finding.evidence


@pytest.mark.parametrize(
    ("code", "log", "told"),
    [
        (1, "weather-tool: the disk is full\nwarning: nobody was told\n", "exit code 1: the disk is full"),
        (1, "", "exit code 1"),
        (124, "", "it took too long"),
        (127, "", "weather-tool is not in the PATH of cron's table"),
    ],
)
def test_how_a_job_ended_that_cron_began_is_told(under_cron: Path, code: int, log: str, told: str) -> None:
    assert seen("backup-succeeds") == []
    (under_cron / "backup.code").write_text(f"{code}\n")
    (under_cron / "backup.log").write_text(log)
    (result,) = seen("backup-succeeds")
    assert result.finding.ok is False
    assert result.finding.evidence == f"its last run failed: {told}"
    for ended_well in (0, 143):
        (under_cron / "backup.code").write_text(f"{ended_well}\n")
        assert seen("backup-succeeds")[0].finding.ok


@pytest.mark.usefixtures("under_cron")
def test_a_job_that_stands_still_under_cron_is_told_and_goes_on(tmp_path: Path) -> None:
    script = tmp_path / "weather-job"
    script.write_text("sleep 600 &\necho $!\nwait\n")
    with subprocess.Popen(["/bin/sh", script, "backup", "backup"], stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout
        works = int(job.stdout.readline())
        try:
            assert seen("jobs-end")[0].finding.ok
            os.kill(works, signal.SIGSTOP)
            while (seen_now := process_of(works)) and seen_now.state != "T":  # the kernel stops it at its turn
                pass
            (result,) = seen("jobs-end")
            assert f"backup is at work, and its process {works} is stopped" in result.finding.evidence
            subprocess.run(result.command, shell=True, check=True)
            assert seen("jobs-end")[0].finding.ok
        finally:
            os.kill(works, signal.SIGKILL)
    assert job.returncode == 0 or job.returncode > 128


@pytest.mark.parametrize(("called", "runs"), [("/usr/sbin/cron", True), ("crond", True), ("/usr/sbin/CRON", False)])
def test_a_process_that_waits_for_a_job_is_no_cron(
    called: str, runs: bool, under_cron: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (under_cron / "cron").symlink_to("/bin/cat")  # the name that the kernel has for what cron begins, too
    piped = subprocess.PIPE
    with subprocess.Popen([called], 0, under_cron / "cron", stdin=piped, stdout=piped) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"\n")
        process.stdout.read(1)  # it runs: before, the kernel may not have its words yet
        monkeypatch.setattr("toolkit.checks.probes.cron.processes", lambda: [process_of(process.pid)])
        monkeypatch.setattr("toolkit.checks.probes.cron.UNITS", under_cron)
        told = seen("cron-runs")[0].finding.evidence
    assert told.startswith("no cron runs") is not runs


@pytest.fixture
def holder(under_cron: Path) -> Iterator[subprocess.Popen[bytes]]:
    lock = under_cron / "backup.lock"
    # What it begins holds the lock as well.
    command: list[str] = ["flock", str(lock), "sh", "-c", "echo; exec sleep 600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        yield process
        process.kill()


def test_who_keeps_a_job_of_crons_from_beginning_is_named_and_ended(
    holder: subprocess.Popen[bytes], under_cron: Path
) -> None:
    (result,) = seen("jobs-end")
    assert f"process {holder.pid} (flock " in result.finding.evidence
    command, _, _ = result.command.partition(" && ")
    subprocess.run(shlex.split(command), check=True)
    holder.wait()
    assert seen("jobs-end")[0].finding.ok
    subprocess.run(["flock", "--timeout", "20", under_cron / "backup.lock", "true"], check=True)


def test_a_program_that_cannot_be_run_is_named_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "15/bin/pg_dump"
    program.parent.mkdir(parents=True)
    program.write_text("no program")
    monkeypatch.setattr(programs, "INSTALLED", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(programs.ProgramError, match=f"{program} cannot be run"):
        programs.run(["pg_dump", "--version"], {})


def test_a_drop_in_that_systemd_refuses_is_named_and_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs_of("systemd", tmp_path, monkeypatch)
    (tmp_path / "weather-collector.service").write_text("\n".join(f"{key}={value}" for key, value in DEPLOYED.items()))
    dropped = tmp_path / "weather-collector.service.d/mine.conf"
    dropped.parent.mkdir()
    dropped.write_text("[Service]\nExecStart=/bin/false\n")
    host = Host(load_lenient())
    unit = {"Id": "weather-collector.service", "LoadState": "bad-setting", "LoadError": "", "DropInPaths": str(dropped)}
    unit["FragmentPath"] = str(tmp_path / "weather-collector.service")
    host.once("units", lambda: {"weather-collector.service": unit})
    host.once("systemd", lambda: True)
    (result,) = examine(host, [BY_ID["units-present"]])
    assert f"{dropped} adds ExecStart=/bin/false" in result.finding.evidence
    assert result.command.startswith("systemctl revert weather-collector.service && systemctl daemon-reload")


def test_a_condition_that_was_taken_away_is_no_fault_of_the_last_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs_of("systemd", tmp_path, monkeypatch)
    own = tmp_path / "weather-backup.service"
    own.write_text("\n".join(f"{key}={value}" for key, value in DEPLOYED.items()))
    unit = {
        "FragmentPath": str(own), "DropInPaths": "", "LoadState": "loaded", "ActiveState": "inactive", "Result": "success",
        "ExecMainStatus": "0", "ExecMainCode": "0", "ConditionResult": "no", "ConditionTimestampMonotonic": "7",
    }  # fmt: skip

    def seen(**other: str) -> Result:
        host = Host(load_lenient())
        host.once("units", lambda: {"weather-backup.service": unit | other})
        host.once("systemd", lambda: True)
        (result,) = examine(host, [BY_ID["units-start"]])
        return result

    dropped = tmp_path / "disk.conf"
    dropped.write_text("[Unit]\nConditionPathExists=/srv/disk\n")
    assert f"ConditionPathExists=/srv/disk ({dropped})" in seen(DropInPaths=str(dropped)).finding.evidence
    assert seen().finding.ok


def test_a_drop_in_that_puts_a_timers_runs_off_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs_of("systemd", tmp_path, monkeypatch)
    own = tmp_path / "weather-backup.timer"
    own.write_text("[Timer]\nOnCalendar=*-*-* 4:*:00\n")
    dropped = tmp_path / "weather-backup.timer.d/late.conf"
    dropped.parent.mkdir()
    dropped.write_text("[Timer]\nRandomizedDelaySec=30d\n")
    unit = {"LoadState": "loaded", "ActiveState": "active", "UnitFileState": "enabled"}
    host = Host(load_lenient())
    paths = {"FragmentPath": str(own), "DropInPaths": str(dropped)}
    host.once("units", lambda: {"weather-backup.timer": unit | paths})
    host.once("systemd", lambda: True)
    (result,) = examine(host, [BY_ID["backup-timer"]])
    assert f"{dropped} gives weather-backup.timer RandomizedDelaySec=30d" in result.finding.evidence
    assert result.command.startswith("systemctl revert weather-backup.timer && systemctl daemon-reload")


@pytest.mark.parametrize(
    ("runs", "told", "mends"),
    [
        ("/opt/weather/current/bin/weather-tool backup create", "was it changed by hand?", "ansible-playbook site.yml"),
        ("/usr/bin/backup", "units of no job of this host: weather-backup.service, weather-backup.timer", "rm -- "),
    ],
)
def test_units_of_no_job_are_removed_unless_they_are_of_this_deployment(
    under_cron: Path, monkeypatch: pytest.MonkeyPatch, runs: str, told: str, mends: str
) -> None:
    (under_cron / "jobs.json").write_text(
        json.dumps({"scheduler": "systemd", "jobs": {"collector": JOBS["collector"]}})
    )
    monkeypatch.setattr("toolkit.checks.probes.units.UNITS", under_cron)
    (under_cron / "weather-backup.service").write_text(f"[Service]\nExecStart={runs}\n")
    (under_cron / "weather-backup.timer").write_text("[Timer]\nOnCalendar=daily\n")
    host = Host(load_lenient())
    host.once("systemd", lambda: True)
    host.once("units", lambda: {"weather-collector.service": {"LoadState": "loaded"}})
    (result,) = examine(host, [BY_ID["units-alone"]])
    assert told in result.finding.evidence
    assert mends in result.command


@pytest.mark.parametrize(
    ("load", "said", "command"),
    [
        (0.5, "for 0.2 s$", "systemctl daemon-reexec"),
        (1e6, r"machine is busy, load 1000000 on \d+ processors$", "ps -eo"),
    ],
)
def test_a_systemd_that_does_not_answer_is_told_from_a_machine_that_is_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: float, said: str, command: str
) -> None:
    jobs_of("systemd", tmp_path, monkeypatch)
    os.mkfifo(tmp_path / "never")
    systemctl = tmp_path / "bin/systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text(f"#!/bin/sh\nexec < '{tmp_path}/never'\n")
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", str(systemctl.parent))
    monkeypatch.setattr("toolkit.checks.host.systemd.SYSTEM_SECONDS", 0.2)
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    host = Host(load_lenient())
    host.once("systemd", lambda: True)
    (result,) = examine(host, [BY_ID["units-present"]])
    assert re.search(said, result.finding.evidence)
    assert result.command.startswith(command)


def test_a_job_that_no_other_check_is_for_is_told_when_it_failed(under_cron: Path) -> None:
    notify = {"command": "notify", "schedule": {"minute": "*/5"}}
    (under_cron / "jobs.json").write_text(json.dumps({"scheduler": "cron", "jobs": {**JOBS, "notify": notify}}))
    (under_cron / "backup.code").write_text("1\n")
    (under_cron / "notify.code").write_text("0\n")
    assert seen("jobs-succeed")[0].finding.ok
    (under_cron / "notify.code").write_text("1\n")
    (under_cron / "notify.log").write_text("weather-tool: not everybody is told\n")
    (result,) = seen("jobs-succeed")
    assert result.finding.evidence == "notify: its last run failed: exit code 1: not everybody is told"
    assert "notify" in result.command


@pytest.fixture
def cron(under_cron: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    """A host whose cron is to begin a health check every minute; the process is of a name that cron has."""
    check = {"command": "healthcheck", "schedule": {"minute": "*"}}
    (under_cron / "jobs.json").write_text(json.dumps({"scheduler": "cron", "jobs": {"healthcheck": check}}))
    monkeypatch.setattr("toolkit.checks.probes.cron.CRON_RUN", under_cron)
    monkeypatch.setattr("toolkit.checks.probes.cron.PAM", under_cron / "pam")
    with subprocess.Popen(["/usr/sbin/cron", "600"], executable="/bin/sleep") as process:
        monkeypatch.setattr("toolkit.checks.probes.cron.processes", lambda: [process_of(process.pid)])
        yield process
        process.kill()


@pytest.mark.parametrize(("minutes", "well"), [(1, True), (3, True), (6, False)])
def test_a_cron_that_begins_no_job_is_told(
    cron: subprocess.Popen[bytes], under_cron: Path, minutes: int, well: bool
) -> None:
    started = process_of(cron.pid)
    assert started
    now = started.started + minutes * 60

    def begins() -> bool | None:
        host = Host(load_lenient())
        host.once("now", lambda: now)
        return examine(host, [BY_ID["cron-begins"]])[0].finding.ok

    assert begins() is well
    (under_cron / "healthcheck.code").write_text("2\n")
    os.utime(under_cron / "healthcheck.code", (now, now))
    assert begins()


@pytest.mark.usefixtures("cron")
@pytest.mark.parametrize(
    ("entry", "said", "command"),
    [
        ("root:*:20000:0:99999:7::1:", "the account root has expired", "chage -E -1 root"),
        ("root:*:0:0:99999:7:::", "the password of root has expired", "chage -M -1 -d $(date +%F) root"),
        ("root:*:15000:0:90:7:::", "the password of root has expired", "chage -M -1 -d $(date +%F) root"),
        ("root:*:20000:0:99999:7:::", "", ""),
        ("root:!::::::99999:", "", ""),
        ("daemon:*:20000:0:99999:7::1:", "", ""),
    ],
)
def test_an_account_by_which_pam_lets_cron_begin_nothing_is_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, said: str, command: str
) -> None:
    (tmp_path / "shadow").write_text(f"{entry}\n")
    launcher = runpy.run_path(str(LAUNCHER), run_name="launcher")
    expired = launcher["expired"]
    monkeypatch.setitem(expired.__globals__, "SHADOW", tmp_path / "shadow")
    assert list(expired("root")) == ([said] if said else [])
    monkeypatch.setenv("SEEN_BY_ROOT", f"/etc/shadow\t{said}" if said else "")
    (result,) = seen("cron-begins")
    assert result.finding.ok is not bool(said)
    if said:
        assert result.command == command
        assert "collector-running" in result.finding.explains


@pytest.mark.usefixtures("cron")
def test_a_line_by_which_pam_denies_cron_everything_is_taken_away(under_cron: Path) -> None:
    (under_cron / "pam").write_text("@include common-auth\naccount required pam_deny.so\n")
    (result,) = seen("cron-begins")
    subprocess.run(result.command, shell=True, check=True)
    assert (under_cron / "pam").read_text() == "@include common-auth\n"
    assert seen("cron-begins")[0].finding.ok


def test_what_keeps_copies_from_a_folder_is_told_once_a_backup_was_made(
    under_cron: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (under_cron / "bin").mkdir()
    (under_cron / "bin/restic").symlink_to("/bin/true")
    monkeypatch.setenv("PATH", f"{under_cron}/bin:{os.environ['PATH']}")
    copies, kind = under_cron / "copies", "ext4"
    monkeypatch.setattr(Host, "kind", lambda *_: kind)
    monkeypatch.setattr(Host, "mount", lambda *_: copies)
    monkeypatch.setenv("WEATHER_RESTIC_REPOSITORY", str(copies))
    assert seen("offsite-possible")[0].finding.ok  # the first backup makes it
    (under_cron / "backup.code").write_text("0\n")
    for module in ("backup", "offsite"):
        monkeypatch.setattr(f"toolkit.checks.probes.{module}.CRON_RUN", under_cron)
    monkeypatch.setenv("WEATHER_ENV_FILE", str(under_cron / "settings"))
    (under_cron / "settings").touch()
    os.utime(under_cron / "settings", (time.time() + 9,) * 2)
    assert seen("offsite-possible")[0].finding.ok  # they are newer than the last backup
    os.utime(under_cron / "settings", (1, 1))
    assert "is not there: is its disk mounted?" in seen("offsite-possible")[0].finding.evidence
    (under_cron / "backup.code").write_text("1\n")
    (result,) = seen("offsite-possible")
    assert f"{copies}, where the copies are to be, is not there" in result.finding.evidence
    assert f"install -d -o weather -g weather -m 0700 {copies}" in result.command
    copies.mkdir()
    monkeypatch.setenv("WEATHER_BACKUPS", str(under_cron))
    keep(under_cron, Copied("another", "1", "2026-01-02T03:04:05Z"))
    assert seen("offsite-possible")[0].finding.ok
    keep(under_cron, Copied(str(copies), "1", "2026-01-02T03:04:05Z"))
    (result,) = seen("offsite-possible")
    assert f"{copies} is empty, where the last copy went at 2026-01-02T03:04:05Z" in result.finding.evidence
    assert result.command.startswith("lsblk -f  # mount its disk; if there is none any more: ")
    assert f"rm -f -- {under_cron}/offsite.json && install -d " in result.command
    (copies / "keys").mkdir()
    (result,) = seen("offsite-possible")
    assert "its file config is gone" in result.finding.evidence
    assert f"mv -T -- {copies} {copies}.damaged && " in result.command
    (copies / "config").touch()
    assert seen("offsite-possible")[0].finding.ok
    user = pwd.struct_passwd(("weather", "x", os.getuid(), os.getgid(), "", "/", "/bin/false"))
    monkeypatch.setattr("pwd.getpwnam", lambda _name: user)
    (copies / "snapshots").mkdir()
    (copies / "snapshots/of-root").touch()
    assert seen("offsite-possible")[0].finding.ok
    if not os.geteuid():
        os.chown(copies / "snapshots/of-root", 1, 1)
        (result,) = seen("offsite-possible")
        assert f"{copies}/snapshots/of-root is daemon's: the service user may not read every" in result.finding.evidence
        assert result.command.startswith(f"find {copies} -xdev ! -user weather ")
        os.chown(copies / "snapshots/of-root", 0, 0)
    kind = "tmpfs"
    (result,) = seen("offsite-possible")
    assert f"{copies} is a file system in memory: it hides what is in {copies} beneath it" in result.finding.evidence
    assert result.command.startswith(f"umount {copies} && ")


def test_damaged_copies_are_the_cause_of_a_failed_drill_and_others_take_their_place(
    under_cron: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEATHER_BACKUPS", str(under_cron))
    monkeypatch.setenv("WEATHER_RESTIC_REPOSITORY", "/srv/pack")
    said = {"damaged": "pack cf: unexpected file size: got 50", "away": "unable to open config file"}
    for state, words in said.items():
        drill = Drill(ended_at="2026-01-02T03:04:05Z", offsite=False, wrong=f"restic check of /srv/pack: {words}")
        keep_drill(under_cron, drill)
        whole, well = examine(Host(load_lenient()), [BY_ID["offsite-whole"], BY_ID["drill-well"]])
        assert [one.result.check.id for one in causes([whole, well])] == ["offsite-whole"]
        assert words in whole.finding.evidence
        assert ("mv -T -- /srv/pack /srv/pack.damaged && " in whole.command) is (state == "damaged")


def test_a_cron_that_is_masked_is_let_run_again(under_cron: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.checks.probes.cron.processes", list)
    monkeypatch.setattr("toolkit.checks.probes.cron.UNITS", under_cron)
    assert seen("cron-runs")[0].command == "service cron start"
    (under_cron / "cron.service").symlink_to(os.devnull)
    assert seen("cron-runs")[0].command == "systemctl unmask cron && systemctl start cron"

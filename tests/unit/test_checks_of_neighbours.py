"""Checks put to what operators and their programs do to a host: cron's table, packages, users, rows, the feed."""

from __future__ import annotations

import json
import os
import re
import shlex
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from toolkit.checks import Finding, server_faults
from toolkit.checks.catalogue import BY_ID
from toolkit.checks.diagnosis import examine
from toolkit.checks.host import Host
from toolkit.checks.host.deployment import CURRENT
from toolkit.checks.host.files import Lock, mounts
from toolkit.checks.probes import units
from toolkit.checks.targets import Systemd
from toolkit.database import PostgreSQLDatabase
from toolkit.feed.fetch import Fetched
from toolkit.model import Document, Observation, Rejected, Station
from toolkit.settings import load_lenient
from toolkit.store import open_for_writing

JOBS = {
    "collector": {"command": "collect"},
    "backup": {"command": "backup create --prune", "schedule": {"minute": 0, "hour": 4, "random_delay": "30min"}},
    "restore-drill": {"command": "restore LATEST --drill", "schedule": {"minute": 30, "hour": 5, "weekday": "Sun"}},
    "monthly": {"command": "data summary", "schedule": {"minute": 10, "hour": 6, "day": 1}},
}
TABLE = """\
# Ansible managed
SHELL=/bin/sh
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# Collect
* * * * * root /usr/local/bin/weather-job --keep collector collect
0 4 * * * root /usr/local/bin/weather-job --delay 1800 backup backup create --prune
30 5 * * Sun root /usr/local/bin/weather-job restore-drill restore LATEST --drill
10 6 1 * * root /usr/local/bin/weather-job monthly data summary
"""


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setenv("WEATHER_ENV_FILE", str(tmp_path / "none"))
    for name in ("data", "backups", "reports", "etc", "cron.d", "units"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("WEATHER_DB", str(tmp_path / "data/weather.db"))
    monkeypatch.setenv("WEATHER_BACKUPS", str(tmp_path / "backups"))
    monkeypatch.setenv("WEATHER_REPORTS", str(tmp_path / "reports"))
    monkeypatch.setattr("toolkit.checks.host.deployment.ETC", tmp_path / "etc")
    monkeypatch.setattr("toolkit.checks.host.deployment.JOBS_FILE", tmp_path / "jobs.json")
    (tmp_path / "jobs.json").write_text(json.dumps({"scheduler": "cron", "jobs": JOBS}))
    return Host(load_lenient())


def finding(host: Host, name: str) -> Finding:
    (result,) = examine(host, [BY_ID[name]])
    return result.finding


def mended(host: Host, name: str) -> None:
    """Run what is printed, and find nothing any more."""
    (result,) = examine(host, [BY_ID[name]])
    assert result.finding.ok is False, result.finding
    command = result.command.partition("  # ")[0].replace("runuser -u weather -- ", "")
    subprocess.run(["bash", "-c", command], check=True)
    after = finding(Host(load_lenient()), name)
    assert after.ok, after


# Cron's table


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "cron.d/weather"
    path.write_text(TABLE)
    path.chmod(0o644)
    monkeypatch.setattr("toolkit.checks.probes.cron.CRON_TABLE", path)
    monkeypatch.setattr("toolkit.checks.probes.interference.CRON_TABLE", path)
    return path


@pytest.mark.usefixtures("as_root")
def test_the_table_that_is_deployed_is_well(host: Host, table: Path) -> None:
    table.write_text(f'MAILTO=""\n{TABLE}')
    assert finding(host, "cron-table").ok


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("* * * * * root", "#* * * * * root"),
        lambda text: text.rstrip(),
        lambda text: text + "99 * * * * root true\n",
        lambda text: text + "what is this\n",
        lambda text: text.replace("SHELL=/bin/sh", "SHELL=/bin/false"),
        lambda text: text.replace("PATH=/usr", "PATH=/none:/usr"),
        lambda text: f"http_proxy=http://127.0.0.1:9\n{text}",
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("0 4 * * *", "0 4 31 2 *"),
        lambda text: text.replace("30 5 * * Sun", "30 5 1 1 Sun"),
        lambda text: text.replace("root /usr", "weather /usr"),
        lambda text: text.replace("--drill", "--drill --verbose"),
        lambda text: text + text.splitlines()[-1] + "\n",
    ],
)
def test_a_table_that_is_another_one_is_mended(host: Host, table: Path, change: Callable[[str], str]) -> None:
    table.write_bytes(change(TABLE).encode())
    mended(host, "cron-table")
    assert "root /usr/local/bin/weather-job --delay 1800 backup backup create --prune\n" in table.read_text()


@pytest.mark.usefixtures("as_root")
def test_a_table_whose_name_cron_does_not_take_is_told(host: Host, table: Path) -> None:
    table.rename(table.with_name("weather.old"))
    mended(host, "cron-table")
    assert table.read_text() == TABLE


@pytest.mark.usefixtures("as_root")
def test_a_server_that_does_not_come_back_with_its_host_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "postgresql.service").touch()
    wanted = tmp_path / "multi-user.target.wants/postgresql.service"
    wanted.parent.mkdir()
    for name, place in {"SERVER_UNIT": "postgresql.service", "UNITS": "", "SYSTEMD": ""}.items():
        monkeypatch.setattr(server_faults, name, tmp_path / place)
    found = server_faults.not_at_boot(PostgreSQLDatabase("postgresql://weather@127.0.0.1/weather"))
    assert found
    assert "postgresql.service is disabled" in found.evidence
    assert server_faults.not_at_boot(PostgreSQLDatabase("postgresql://weather@db.example/weather")) is None
    wanted.touch()
    assert server_faults.not_at_boot(PostgreSQLDatabase("postgresql://weather@127.0.0.1/weather")) is None


def test_a_table_that_anybody_writes_is_none_to_cron(host: Host, table: Path) -> None:
    table.chmod(0o666)
    mended(host, "cron-table")


@pytest.mark.usefixtures("as_root")
def test_a_rule_that_logrotate_lacks_or_does_not_take_is_told(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.checks.probes.folders.LOGROTATE", tmp_path)
    rule = tmp_path / "weather"
    assert f"there is no {rule}" in finding(host, "folders-bounded").evidence
    rule.write_text("# logs\n/var/log/weather/*.log {\n    weekly\n}\n")
    rule.chmod(0o644)
    assert finding(host, "folders-bounded").ok
    rule.chmod(0o666)
    assert "does not take" in finding(host, "folders-bounded").evidence
    rule.chmod(0o644)
    rule.write_text("/var/log/wether/*.log {\n    weekly\n}\n#/var/log/weather/*.log {\n")
    assert "does not name" in finding(host, "folders-bounded").evidence


def test_a_table_of_somebodys_own_that_runs_a_job_is_told(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "weather"
    table.write_text("0 3 * * * weather-tool healthcheck\n* * * * * weather-tool collect --once\n")

    def seen() -> Host:
        lines = [line for line in table.read_text().splitlines() if not line.startswith("#")]
        monkeypatch.setenv("SEEN_BY_ROOT", "\n".join(f"{table}\t{line}" for line in lines))
        return Host(load_lenient())

    (result,) = examine(seen(), [BY_ID["jobs-alone"]])
    assert f"{table} runs '* * * * * weather-tool collect --once' as well" in result.finding.evidence
    subprocess.run(["bash", "-c", result.command], check=True)
    assert table.read_text().startswith("0 3 * * * weather-tool healthcheck\n# * * * * * ")
    assert "as well" not in finding(seen(), "jobs-alone").evidence


@pytest.mark.parametrize(
    ("put", "told"),
    [
        (lambda file: file.mkdir(mode=0o755), "is a folder"),
        (lambda file: file.symlink_to("/dev/null"), "is a link to /dev/null"),
        (lambda file: os.mkfifo(file, 0o644), "is no ordinary file"),
    ],
)
def test_what_is_in_the_place_of_the_settings_is_told(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put: Callable[[Path], None], told: str
) -> None:
    put(tmp_path / "weather.env")
    monkeypatch.setenv("WEATHER_ENV_FILE", str(tmp_path / "weather.env"))
    found = finding(host, "settings-readable")
    assert found.ok is False
    assert told in found.evidence


def test_no_remedy_gives_rights_to_what_a_link_of_roots_leads_to(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "etc/credentials").symlink_to(tmp_path / "open")
    monkeypatch.setattr("toolkit.checks.probes.permissions.ETC", tmp_path / "etc")
    (result,) = examine(host, [BY_ID["credentials-private"]])
    assert result.finding.ok is False
    assert "mv -- " in result.command
    assert "chmod" not in result.command


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that root owns, whoever runs the tests."""
    if Path("/proc/self").stat().st_uid:
        stat = Path.stat
        monkeypatch.setattr(Path, "stat", lambda one, **how: _of_root(stat(one, **how)))


def _of_root(found: object) -> object:
    names = {name: getattr(found, name) for name in dir(found) if name.startswith("st_")}
    return SimpleNamespace(**names | {"st_uid": 0})


# What else is set up on the host


@pytest.fixture
def setup(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("toolkit.checks.probes.interference.CRONTAB", tmp_path / "crontab")
    monkeypatch.setattr("toolkit.checks.probes.interference.FOLDERS", (tmp_path / "cron.d",))
    monkeypatch.setattr("toolkit.checks.probes.interference.TMPFILES", (tmp_path / "tmpfiles.d",))
    monkeypatch.setattr("toolkit.checks.probes.interference.LOGROTATE", tmp_path / "logrotate.d")
    monkeypatch.setattr("toolkit.checks.probes.interference.UNITS", tmp_path / "units")
    for name in ("tmpfiles.d", "logrotate.d"):
        (tmp_path / name).mkdir()
    assert host.deployed
    return tmp_path


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("cron.d/clean", "0 3 * * * root find {data} -mtime +1 -delete"),
        ("cron.d/clean", "0 3 * * * root find {above} -mtime +1 -exec rm {{}} +"),
        ("cron.d/owners", "*/10 * * * * root chown -R root:root {data}"),
        ("cron.d/moved", "0 1 * * * root rsync -a --delete /srv/x/ {backups}/"),
        ("cron.d/ends", "*/5 * * * * root pkill -f weather-tool"),
        ("cron.d/ends", "0 0 * * * root systemctl stop weather-collector"),
        ("cron.d/thin", "40 2 * * * weather sqlite3 {data}/weather.db 'DELETE FROM observation'"),
        ("cron.d/old", "50 2 * * * root cp /srv/weather.db {data}/weather.db >/dev/null 2>&1"),
        ("cron.d/clock", "10 2 1 * * root /sbin/hwclock --hctosys --localtime"),
        ("cron.d/95stop", 'DPkg::Pre-Invoke {{ "systemctl stop weather-collector.service"; }};'),
        ("units/import.service", "[Unit]\nConflicts=weather-collector.service"),
        ("crontab", "0 3 * * * root rm -rf {reports}/*"),
        ("units/night.service", "[Service]\nExecStart=/bin/sh -c 'rm -f {backups}/*.zst'"),
        ("tmpfiles.d/night.conf", "e {data} - - - 1d"),
        ("tmpfiles.d/night.conf", "R! {reports}/*"),
        ("tmpfiles.d/night.conf", "Z {data} 0755 root root"),
        ("logrotate.d/night", "{data}/* {{\n daily\n}}"),
    ],
)
def test_what_would_change_our_files_is_told(host: Host, setup: Path, file: str, line: str) -> None:
    settings = host.settings
    places = {"data": host.db.parent, "backups": settings.backups, "reports": settings.reports, "above": setup}
    (setup / file).write_text("# of the night\n" + line.format(**places) + "\n")
    seen = finding(host, "files-alone")
    assert seen.ok is False
    assert file.rpartition("/")[2] in seen.evidence


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("cron.d/e2scrub_all", "10 3 * * * root test -e /run/systemd/system || /sbin/e2scrub_all -A -r"),
        ("cron.d/logs", "0 3 * * * root find /var/log -name '*.gz' -mtime +30 -delete"),
        ("cron.d/logs", "0 3 * * * root find / -name core -delete"),
        ("cron.d/logs", "0 3 * * * root rm -rf /var/cache/man /var/lib/apt/lists"),
        ("cron.d/asks", "*/5 * * * * root weather-tool healthcheck"),
        ("cron.d/copies", "0 3 * * * root cp -a {backups} /mnt/nas && sqlite3 {data}/weather.db .tables"),
        ("cron.d/clean.dpkg-old", "0 3 * * * root find {data} -mtime +1 -delete"),
        ("cron.d/copies", "0 3 * * * root rsync -a {backups}/ backup@example.org:weather/"),
        ("tmpfiles.d/tmp.conf", "q /tmp 1777 root root 10d"),
        ("tmpfiles.d/ours.conf", "d {data} 0700 weather weather -"),
        ("logrotate.d/apt", "/var/log/apt/term.log {{\n weekly\n}}"),
        ("units/other.service", "[Service]\nExecStart=/usr/bin/other\nReadWritePaths={data}"),
    ],
)
def test_what_others_do_to_their_own_is_theirs(host: Host, setup: Path, file: str, line: str) -> None:
    (setup / file).write_text(line.format(data=host.db.parent, backups=host.settings.backups) + "\n")
    seen = finding(host, "files-alone")
    assert seen.ok, seen


def test_another_unit_that_runs_a_job_is_told(host: Host, setup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.checks.probes.rivals.UNITS", setup / "units")
    monkeypatch.setattr("toolkit.checks.host.deployment.JOBS_FILE", setup / "none")
    (setup / "units/nightly.service").write_text("[Service]\nExecStart=/usr/local/bin/weather-tool backup create\n")
    (setup / "units/nightly.timer").touch()
    assert "systemctl disable --now nightly.timer" in examine(host, [BY_ID["jobs-alone"]])[0].command


def test_a_folder_that_is_made_anew_has_what_belongs_in_it(host: Host) -> None:
    reports = Path(host.settings.reports)
    (reports.parent / "data").rename(reports.parent / "moved")
    (reports.parent / "data").touch()
    assert "mkdir -m 0750" in examine(host, [BY_ID["places-plain"]])[0].command


# Packages


@pytest.mark.parametrize("name", ["night.pth", "sitecustomize.py", "mine"])
def test_what_was_not_installed_is_told(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    current = tmp_path / "current"
    packages = current / "lib/python3.11/site-packages"
    (packages / "a-1.dist-info").mkdir(parents=True)
    (packages / "a").mkdir()
    (packages / "a-1.dist-info/RECORD").write_text(
        "../../../bin/a.py,,\na/__init__.py,,\nb.py,,\na-1.dist-info/RECORD,,\n"
    )
    (packages / "b.py").touch()
    (current / "bin").mkdir()
    (current / "bin/a.py").touch()
    monkeypatch.setattr("toolkit.checks.probes.packages.CURRENT", current)
    assert host.deployed
    assert finding(host, "packages-alone").ok
    (packages / name).touch()
    seen = finding(host, "packages-alone")
    assert seen.ok is False
    assert shlex.quote(str(packages / name)) in examine(host, [BY_ID["packages-alone"]])[0].command
    (current / "bin/night.py").touch()
    assert "bin/night.py" in finding(host, "packages-alone").evidence


def test_what_is_missing_of_a_package_is_told(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    current = tmp_path / "current"
    packages = current / "lib/python3.11/site-packages"
    for name, module in (("weather_toolkit", "toolkit"), ("a_b", "ab")):
        (packages / f"{name}-1.dist-info").mkdir(parents=True)
        (packages / f"{name}-1.dist-info/METADATA").write_text(
            f"Name: {name}\nVersion: 1\nRequires-Dist: A.b>=1\nRequires-Dist: other; extra == 'more'\n"
        )
        (packages / f"{name}-1.dist-info/RECORD").write_text(
            f"{module}/__init__.py,sha256=x,9\n{module}/more.py,,\n{name}_alone.py,,\n{name}-1.dist-info/RECORD,,\n"
        )
        (packages / module).mkdir()
        (packages / module / "__init__.py").touch()
        (packages / f"{name}_alone.py").touch()
    monkeypatch.setattr("toolkit.checks.probes.packages.CURRENT", current)
    assert finding(host, "packages-complete").evidence == "2 packages"
    for path in ("ab/__init__.py", "a_b_alone.py", "a_b-1.dist-info/METADATA", "a_b-1.dist-info"):
        (packages / path).rename(packages / "aside")
        assert finding(host, "packages-complete").evidence == "not installed, or not whole: a-b"
        (packages / "aside").rename(packages / path)
    # As where releases share it: a link, whose folder is not there.
    (packages / "ab").rename(tmp_path / "ab")
    (packages / "ab").symlink_to(tmp_path / "ab")
    assert finding(host, "packages-complete").ok
    (tmp_path / "ab").rename(tmp_path / "aside")
    assert finding(host, "packages-complete").evidence == "not installed, or not whole: a-b"
    (tmp_path / "aside").rename(tmp_path / "ab")
    (packages / "weather_toolkit-1.dist-info").rename(packages / "aside")
    assert finding(host, "packages-complete").evidence == "not installed, or not whole: weather-toolkit"


# systemd's own settings


@pytest.mark.parametrize(
    ("line", "ok"),
    [("DefaultLimitNOFILE=8", False), ("DefaultLimitNOFILE=65536:524288", True), ("DefaultLimitAS=1G", False),
     ("DefaultEnvironment=LD_PRELOAD=/x.so", False), ("DefaultTimeoutStopSec=10", True)],
)  # fmt: skip
def test_what_systemd_gives_every_service_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, ok: bool
) -> None:
    (tmp_path / "system.conf.d").mkdir()
    (tmp_path / "system.conf.d/night.conf").write_text(f"[Manager]\n{line}\n")
    monkeypatch.setattr("toolkit.checks.probes.units.MANAGER", (str(tmp_path / "system.conf"),))
    assert units._defaults() == [] if ok else units._defaults()


# File systems


def test_a_file_system_that_is_set_up_and_not_mounted_is_told(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "fstab"
    monkeypatch.setattr("toolkit.checks.host.files.FSTAB", table)
    for options, ok in (("noauto", True), ("defaults,nofail", False)):
        table.write_text(f"/dev/sda1 / ext4 defaults 0 1\nnas:/weather {tmp_path}/backups nfs {options} 0 0\n")
        seen = finding(Host(load_lenient()), "disk-backups-writable")
        assert seen.ok is ok
    assert f"no file system is mounted on {tmp_path}/backups, where fstab has one" in seen.evidence
    table.write_text(f"UUID=none-such {tmp_path}/backups ext4 defaults 0 2\n")
    seen = finding(Host(load_lenient()), "disk-backups-writable")
    assert seen.evidence.endswith("; UUID=none-such is not there")
    monkeypatch.setattr("toolkit.checks.mounting.since", lambda: 1.0)
    seen = finding(Host(load_lenient()), "disk-backups-writable")
    assert seen.evidence.endswith("; UUID=none-such is not there, and was not when the service was deployed")
    assert seen.remedy
    command = seen.remedy.steps[0].line(Systemd()).replace("/etc/fstab", str(table))
    subprocess.run(["bash", "-c", command], check=True)
    assert finding(Host(load_lenient()), "disk-backups-writable").ok
    table.write_text(f"nas:/weather {tmp_path}/backups nfs defaults,nofail 0 0\n")
    assert finding(Host(load_lenient()), "disk-data-writable").ok


def test_a_folder_without_room_for_temporary_files_is_told(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    assert host.deployed
    assert finding(host, "temporary-folders").ok
    monkeypatch.setattr("toolkit.checks.probes.disk.TEMPORARY_BYTES", 1 << 60)
    seen = finding(Host(load_lenient()), "temporary-folders")
    assert "/tmp, where temporary files are made, is full" in seen.evidence


# Users


def test_an_account_with_our_number_is_told(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = tmp_path / "passwd"
    line = "weather:x:999:999::/var/lib/weather:/usr/sbin/nologin\n"
    accounts.write_text("root:x:0:0::/root:/bin/bash\n" + line)
    monkeypatch.setattr("toolkit.checks.probes.security.ACCOUNTS", accounts)
    user = SimpleNamespace(pw_uid=999, pw_gid=0, pw_shell="/usr/sbin/nologin", pw_name="weather", pw_dir="/")
    monkeypatch.setattr("pwd.getpwnam", lambda _name: user)
    monkeypatch.setattr("toolkit.checks.probes.security._owner_of_all", lambda _host: 999)
    assert host.deployed
    assert finding(host, "service-user").ok
    accounts.write_text(accounts.read_text() + "night:x:999:999::/home/night:/bin/bash\n")
    mended(host, "service-user")
    monkeypatch.setattr("toolkit.checks.probes.security._owner_of_all", lambda _host: 998)
    seen = finding(Host(load_lenient()), "service-user")
    assert "its files are those of 998" in seen.evidence


def test_a_service_user_of_another_group_is_told(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    user = SimpleNamespace(pw_uid=999, pw_gid=998, pw_shell="/usr/sbin/nologin", pw_name="weather", pw_dir="/")
    ours = SimpleNamespace(gr_name="weather", gr_gid=998, gr_mem=[])
    other = SimpleNamespace(gr_name="nogroup", gr_gid=65534, gr_mem=[])
    monkeypatch.setattr("pwd.getpwnam", lambda _name: user)
    monkeypatch.setattr("grp.getgrall", lambda: [ours, other])
    monkeypatch.setattr("grp.getgrgid", lambda number: ours if number == 998 else other)
    monkeypatch.setattr("toolkit.checks.probes.security._owner_of_all", lambda _host: 999)
    monkeypatch.setattr("toolkit.checks.probes.security._left_behind", lambda _host: [])
    assert host.deployed
    assert finding(host, "service-user").ok
    user.pw_gid = 65534
    seen = finding(Host(load_lenient()), "service-user")
    assert "is in the group nogroup, and not in the group weather" in seen.evidence
    ours.gr_mem = ["weather"]
    assert finding(Host(load_lenient()), "service-user").ok


def test_a_group_that_was_renamed_is_told(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = host.settings_file.parent
    os.chown(folder, -1, 998)
    user = SimpleNamespace(pw_uid=999, pw_gid=998, pw_shell="/usr/sbin/nologin", pw_name="weather", pw_dir="/")
    ours = SimpleNamespace(gr_name="weather", gr_gid=998, gr_mem=[])
    monkeypatch.setattr("pwd.getpwnam", lambda _name: user)
    monkeypatch.setattr("grp.getgrall", lambda: [ours])
    monkeypatch.setattr("grp.getgrgid", lambda _number: ours)
    monkeypatch.setattr("toolkit.checks.probes.security._owner_of_all", lambda _host: 999)
    monkeypatch.setattr("toolkit.checks.probes.security._left_behind", lambda _host: [])
    assert finding(host, "service-user").ok
    ours.gr_name = "meteo"
    (result,) = examine(Host(load_lenient()), [BY_ID["service-user"]])
    assert "is called meteo" in result.finding.evidence
    assert result.command.startswith("groupmod --new-name weather meteo && ")


# Rows


def filled(
    host: Host, change: Callable[[int, int, dict[str, float | None]], None] = lambda *_: None, places: bool = True
) -> list[Observation]:
    """Six hours of four stations whose values differ; `change` gets the number, the step of 36, and the values."""
    present = int(time.time()) // 600 * 600
    rows = []
    for step in range(36):
        for number in range(4):
            values: dict[str, float | None] = {
                "temp_out": 10.0 + number + (step % 7) / 10, "out_hum": 50.0 + (step % 5), "bar": 1010.0 + step / 10,
                "rain": 0.0, "wind_speed": 3.0 + number, "wind_dir": 22.5,
            }  # fmt: skip
            change(number, step, values)
            row = dict.fromkeys(Observation._fields[2:]) | values
            rows.append(Observation(present - (35 - step) * 600, f"s{number}", **row))
    stations = [Station(f"s{number}", None, None, 39.0, 22.0 + number * places, 5.0) for number in range(4)]
    with open_for_writing(host.settings.db) as store:
        store.add(Document(stations, rows), time.time())
    return rows


@pytest.mark.parametrize(
    "statement",
    [
        "PRAGMA foreign_keys = OFF; DELETE FROM stations WHERE number = 2",
        "UPDATE observation SET time = replace(time, ' ', 'T') || 'Z' WHERE station = 2",
        "UPDATE observation SET temp_out = 'n/a' WHERE station = 2",
        "INSERT INTO collection_log VALUES ('2099-01-01 00:00:00', 'success', 1, 1, 'x', NULL, NULL)",
    ],
)
def test_rows_that_contradict_one_another_are_told(host: Host, statement: str) -> None:
    filled(host)
    assert finding(host, "database-consistent").ok
    with closing(sqlite3.connect(host.db)) as connection:
        connection.executescript(statement)
    seen = finding(Host(load_lenient()), "database-consistent")
    assert seen.ok is False, seen


def test_a_lock_is_that_of_the_database_only_on_its_own_file_system(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(host)
    number, held = host.db.stat().st_ino, Lock(Path(), "WRITE", os.getpid(), 0, float("inf"))
    (there,) = {mount.device for mount in mounts() if mount.place == host.mount(host.db)}
    locks = [(f"ff:07:{number}", held)]
    monkeypatch.setattr("toolkit.checks.host.files._locks", lambda: iter(locks))
    assert finding(host, "database-unlocked").ok
    locks = [(f"{there}:{number}", held)]
    seen = finding(Host(load_lenient()), "database-unlocked")
    assert f"process {os.getpid()} (" in seen.evidence


def test_what_one_station_alone_tells_of_the_future_is_removed(host: Host) -> None:
    rows = filled(host)
    assert finding(host, "observations-not-ahead").ok
    ahead = rows[-1]._replace(time=rows[-1].time + 40 * 86400)
    with open_for_writing(host.settings.db) as store:
        store.add(Document([], [ahead]), time.time())
    seen = finding(Host(load_lenient()), "observations-not-ahead")
    assert seen.evidence.endswith(" in the future; so are those of s3 alone, and not of 3 other stations")
    (result,) = examine(Host(load_lenient()), [BY_ID["observations-not-ahead"]])
    command = result.command.removeprefix("runuser -u weather -- ").replace(f"{CURRENT}/bin/python", sys.executable)
    subprocess.run(["bash", "-c", command], check=True)
    assert finding(Host(load_lenient()), "observations-not-ahead").ok
    assert Host(load_lenient()).latest["s3"] == rows[-1].time


def test_a_station_that_was_removed_with_its_observations_is_none(host: Host) -> None:
    filled(host)
    with closing(sqlite3.connect(host.db)) as connection:
        connection.executescript("DELETE FROM observation WHERE station = 2; DELETE FROM stations WHERE number = 2")
    assert finding(host, "database-consistent").ok


def test_a_jump_of_any_variable_is_told(host: Host) -> None:
    def fraction(_number: int, step: int, values: dict[str, float | None]) -> None:
        values["out_hum"] = (values["out_hum"] or 0) / (100 if step > 30 else 1)

    filled(host, fraction)
    assert "out_hum of 4 of 4 stations jumped" in finding(host, "values-continue").evidence


def test_a_jump_that_came_back_is_over(host: Host) -> None:
    def fahrenheit(_number: int, step: int, values: dict[str, float | None]) -> None:
        if 20 < step < 30:
            values["temp_out"] = (values["temp_out"] or 0) * 1.8 + 32

    filled(host, fahrenheit)
    assert finding(host, "values-continue").ok


def test_a_pressure_that_stands_still_everywhere_is_told(host: Host) -> None:
    filled(host, lambda _number, step, values: values.update(bar=1013.2 if step > 10 else values["bar"]))
    assert "bar of 4 of 4 stations has not changed" in finding(host, "values-alive").evidence


def test_one_temperature_at_every_station_is_told(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(host, lambda _number, step, values: values.update(temp_out=20.0 if step > 20 else values["temp_out"]))
    assert finding(host, "values-alive").ok
    monkeypatch.setattr("toolkit.checks.probes.network.MOST_ALIKE", 4)
    assert "temp_out of 4 of 4 stations is 20.0 all the time" in finding(Host(load_lenient()), "values-alive").evidence


def test_a_network_at_one_place_is_told(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(host, places=False)
    assert finding(host, "stations-located").ok
    monkeypatch.setattr("toolkit.checks.probes.network.CROWD", 4)
    assert "at the same place" in finding(host, "stations-located").evidence


# The feed's document beside what is stored


def offered(host: Host, document: Document) -> Host:
    (feed,) = host.feeds
    feed.once("fetched", lambda: Fetched(b"", date=None, modified=None, fresh_for=None, validators={}))
    feed.once("document", lambda: document)
    return host


def newest(rows: list[Observation]) -> Document:
    last = [row for row in rows if row.time == rows[-1].time]
    return Document([Station(row.station_id, None, None, *_place(row.station_id), 5.0) for row in last], last)


def _place(station: str) -> tuple[float, float]:
    """Where `filled` has put a station."""
    return 39.0, 22.0 + int(station.removeprefix("s"))


def test_the_feed_that_is_stored_is_well(host: Host) -> None:
    document = newest(filled(host))
    for name in ("feed-stations", "feed-variables"):
        assert finding(offered(host, document), name).ok


def test_stations_that_were_renamed_are_told(host: Host) -> None:
    document = newest(filled(host))
    renamed = Document(
        [one._replace(station_id=f"new-{one.station_id}") for one in document.stations],
        [one._replace(station_id=f"new-{one.station_id}") for one in document.observations],
    )
    seen = finding(offered(host, renamed), "feed-stations")
    assert "the feed's owner has renamed them" in seen.evidence


def test_a_variable_that_is_not_told_any_more_is_told(host: Host) -> None:
    document = newest(filled(host))
    document.observations[:] = [one._replace(temp_out=None) for one in document.observations]
    assert "no station of the feed tells temp_out, which" in finding(offered(host, document), "feed-variables").evidence


def test_all_variables_that_are_not_told_any_more_are_told_at_once(host: Host) -> None:
    document = newest(filled(host))
    gone = dict.fromkeys(("temp_out", "out_hum", "bar"))
    document.observations[:] = [one._replace(**gone) for one in document.observations]
    said = finding(offered(host, document), "feed-variables").evidence
    assert re.search(r"no station of the feed tells temp_out, .*out_hum.*have they no values any more\?", said)


def test_values_out_of_range_everywhere_are_told(host: Host) -> None:
    document = newest(filled(host))
    document.rejected += [Rejected(one.time, one.station_id, "bar", 101320.0) for one in document.observations]
    assert "bar of 4 stations is out of range" in finding(offered(host, document), "feed-variables").evidence

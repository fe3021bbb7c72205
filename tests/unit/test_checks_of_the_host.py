"""The doctor's comparison of the host's own state with what it was when the service was deployed."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.firewall import seen
from toolkit.checks import Finding, Status, bad, check
from toolkit.checks import host_as_deployed as then
from toolkit.checks.as_deployed import Folder
from toolkit.checks.catalogue import BY_ID
from toolkit.checks.closed import closed
from toolkit.checks.diagnosis import Cause, causes, examine
from toolkit.checks.host import Host
from toolkit.checks.host.files import Mount
from toolkit.checks.probes import host_as_deployed as probes
from toolkit.checks.probes import way
from toolkit.checks.remedies import Tool
from toolkit.checks.targets import Systemd
from toolkit.database import SQLiteDatabase
from toolkit.settings import load_lenient
from toolkit.store.sqlite import open_for_writing

FEED = "http://feed.example/latest"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the role keeps it as root")


def failing(name: str) -> Callable[[Host], Finding]:
    return lambda _host: bad(f"{name} fails")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of /, of which the present state is kept."""
    for name in ("etc", "opt", "proc/vm"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "etc/hosts").write_text("127.0.0.1 localhost\n192.0.2.7 feed.example\n192.0.2.8 other.example\n")
    (tmp_path / "etc/secret.conf").write_text("secret")
    (tmp_path / "etc/secret.conf").chmod(0o600)
    (tmp_path / "proc/vm/overcommit_memory").write_text("0\n")
    (tmp_path / "etc/localtime").symlink_to("/usr/share/zoneinfo/UTC")
    kept = tmp_path / "opt/kept"
    for name, path in {"HOST": kept, "FILES": kept / "files", "STATE": kept / "state.json"}.items():
        monkeypatch.setattr(then, name, path)
    names = then.Subject((f"{tmp_path}/etc/hosts", f"{tmp_path}/etc/*.conf"))
    manager = then.Subject(
        (f"{tmp_path}/etc/localtime", f"{tmp_path}/etc/system.conf.d/*"), ("systemctl daemon-reexec",)
    )
    monkeypatch.setattr(then, "SUBJECTS", (names, manager))
    monkeypatch.setattr(then, "TRUST", then.Subject(()))
    monkeypatch.setattr(then, "KERNEL", tmp_path / "proc")
    monkeypatch.setattr(then, "_PASSED", (f"{tmp_path}/etc",))
    for name, value in {"NAMES": names, "MANAGER": manager, "HOSTS": tmp_path / "etc/hosts"}.items():
        monkeypatch.setattr(probes, name, value)
    monkeypatch.setattr(probes, "LOADER", then.Subject(()))
    monkeypatch.setattr("toolkit.checks.host.deployment.ETC", tmp_path)
    monkeypatch.setattr("shutil.chown", lambda *_: None)  # there need be no group of the service here
    monkeypatch.setenv("WEATHER_FEED_URL", FEED)
    then.keep()
    return tmp_path


def named(*failures: str) -> list[Cause]:
    """The causes that the doctor names while checks fail."""
    fails = [
        check(
            id=name, area="service", invariant="-", problem="-", severity=Status.CRITICAL, remedy=Tool("settings"),
        )(failing(name))
        for name in failures
    ]  # fmt: skip
    looked = [BY_ID[name] for name in ("names-as-deployed", "trust-as-deployed", "system-as-deployed")]
    return causes(examine(Host(load_lenient()), [*looked, *fails]))


def test_a_host_that_is_as_it_was_explains_nothing(root: Path) -> None:
    assert [cause.result.check.id for cause in named("feed-name")] == ["feed-name"]


def test_what_differs_is_no_finding_where_nothing_fails(root: Path) -> None:
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    assert named() == []
    assert [cause.result.check.id for cause in named("backup-own")] == ["backup-own"]


def test_a_name_that_is_gone_from_the_file_of_hosts_is_named_and_put_back(root: Path) -> None:
    before = (root / "etc/hosts").read_text()
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    (cause,) = named("feed-name")
    assert (cause.result.check.id, cause.status) == ("names-as-deployed", Status.CRITICAL)
    assert "since the deployment of " in cause.result.finding.evidence
    assert "it lacks '192.0.2.7 feed.example'" in cause.result.finding.evidence
    command, _, then_ = cause.result.command.partition(" && ")
    assert then_ == "systemctl restart weather-collector.service"
    subprocess.run(["bash", "-c", command], check=True)
    assert (root / "etc/hosts").read_text() == before


@pytest.mark.parametrize(("later", "cause"), [(5, "names-as-deployed"), (120, "feed-name")])
def test_what_came_by_a_connection_that_was_open_before_does_not_acquit_a_change_of_names(
    root: Path, monkeypatch: pytest.MonkeyPatch, later: float, cause: str
) -> None:
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    monkeypatch.setenv("WEATHER_DB", f"{root}/store.db")
    with open_for_writing(SQLiteDatabase(root / "store.db")):
        pass
    with closing(sqlite3.connect(root / "store.db")) as connection, connection:
        connection.execute(
            "INSERT INTO collection_log VALUES (datetime('now', ?), 'success', 14, 14, '', NULL, NULL)",
            (f"{later} seconds",),
        )
    assert [one.result.check.id for one in named("feed-name")] == [cause]


def test_a_folder_of_the_hosts_own_gets_the_mode_that_it_had(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Host, "closed_above", lambda *_: root / "etc")
    before = (root / "etc").stat().st_mode
    (root / "etc").chmod(0o700)
    found = closed(Host(load_lenient()), root / "etc/weather")
    assert found
    assert found.remedy
    subprocess.run(["bash", "-c", found.remedy.render(Systemd())], check=True)
    assert (root / "etc").stat().st_mode == before


def test_the_certificates_that_the_settings_name_are_put_back(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = root / "etc/ca [1].pem"
    authority.write_text("the authority's")
    monkeypatch.setenv("WEATHER_FEED_CA_FILE", str(authority))
    then.keep()
    authority.write_text("of another")
    found = BY_ID["trust-as-deployed"].probe(Host(load_lenient()))
    assert found
    assert f"{authority} was changed" in found.evidence or f"{authority} is another" in found.evidence
    assert "feed-trusted" in found.explains
    (cause,) = [one for one in named("feed-trusted") if one.result.check.id == "trust-as-deployed"]
    subprocess.run(["bash", "-c", cause.result.command.partition(" && systemctl")[0]], check=True)
    assert authority.read_text() == "the authority's"


def test_certificates_that_are_gone_are_put_back_from_what_the_deployment_kept(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = root / "etc/own/ca.pem"
    authority.parent.mkdir()
    authority.write_text("the authority's")
    monkeypatch.setenv("WEATHER_FEED_CA_FILE", str(authority))
    then.keep()
    shutil.rmtree(authority.parent)
    (found,) = examine(Host(load_lenient()), [BY_ID["settings-valid"]])
    assert found.finding.evidence == f"WEATHER_FEED_CA_FILE={authority}: it is gone since the deployment"
    subprocess.run(["bash", "-c", found.command.partition(" && systemctl")[0]], check=True)
    assert authority.read_text() == "the authority's"


def test_the_line_of_another_name_is_nobodys_business(root: Path) -> None:
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n192.0.2.7 feed.example\n")
    assert [cause.result.check.id for cause in named("feed-name")] == ["feed-name"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda etc: (etc / "localtime").unlink(), "localtime is not there"),
        (
            lambda etc: ((etc / "localtime").unlink(), (etc / "localtime").symlink_to("/none")),
            "points at /none, and was",
        ),
        (
            lambda etc: ((etc / "localtime").unlink(), (etc / "localtime").touch()),
            "was a link to /usr/share/zoneinfo/UTC",
        ),
        (lambda etc: etc.chmod(0o750), "etc is root:root 0750, and was root:root 0755"),
        (lambda etc: (etc / "../proc/vm/overcommit_memory").write_text("2\n"), "vm.overcommit_memory is 2, and was 0"),
        (
            lambda etc: ((etc / "system.conf.d").mkdir(), (etc / "system.conf.d/x.conf").write_text("[Manager]\n")),
            "x.conf is new",
        ),
    ],
)
def test_whatever_differs_is_named_with_the_units_that_fail_of_it(
    root: Path, change: Callable[[Path], object], said: str
) -> None:
    change(root / "etc")
    (cause,) = named("collector-running")
    assert cause.result.check.id == "system-as-deployed"
    assert said in cause.result.finding.evidence
    its_own = [part for part in cause.result.command.split(" && ") if not part.startswith(("systemctl", "sysctl"))]
    for part in its_own:
        subprocess.run(["bash", "-c", part.replace("/root/", f"{root}/opt/")], check=True)
    if "sysctl" in cause.result.command:
        assert "sysctl -q -w vm.overcommit_memory=0" in cause.result.command
    else:
        assert [one.result.check.id for one in named("collector-running")] == ["collector-running"]


def test_what_not_everybody_may_read_is_not_kept_and_what_was_kept_is_replaced(root: Path) -> None:
    kept = [path.name for path in then.FILES.rglob("*") if path.is_symlink() or path.is_file()]
    assert sorted(kept) == ["hosts", "localtime"]
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    then.keep()
    assert named("feed-name")[0].result.check.id == "feed-name"
    assert json.loads(then.STATE.read_text())["kernel"]["vm.overcommit_memory"] == "0"
    assert not list((root / "opt").glob(".*"))


def test_memory_that_is_promised_more_freely_harms_nobody(root: Path) -> None:
    (root / "proc/vm/overcommit_memory").write_text("1\n")
    assert [cause.result.check.id for cause in named("collector-running")] == ["collector-running"]


@pytest.mark.parametrize(("ago", "cause"), [(-60, "collector-running"), (60, "system-as-deployed")])
def test_a_job_that_ended_well_since_acquits_a_change(
    root: Path, monkeypatch: pytest.MonkeyPatch, ago: float, cause: str
) -> None:
    (root / "etc/localtime").unlink()
    (root / "etc/localtime").touch()
    times = {"Start": time.monotonic() - ago, "Exit": time.monotonic() - ago + 1}
    unit = {f"ExecMain{name}TimestampMonotonic": f"{when * 1e6:.0f}" for name, when in times.items()}
    monkeypatch.setattr(Host, "unit", lambda _host, name: unit | {"Result": "success"} if "notify" in name else None)
    assert [one.result.check.id for one in named("collector-running")] == [cause]


def test_a_file_system_that_is_not_mounted_any_more_explains_what_is_missing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted = [
        Mount(Path("/srv/disk"), "/", "ext4", ["rw"], "/dev/sdb1"),
        Mount(Path("/srv"), "/part", "ext4", ["rw"], "/dev/sdc1"),
        Mount(Path("/srv/disk/weather"), "/", "tmpfs", ["rw"], "none"),
    ]
    monkeypatch.setattr(then, "mounts", lambda: iter(mounted))
    monkeypatch.setattr(then, "folders", lambda: [Folder("/srv/disk/weather/data", "weather", "weather", "0700")])
    monkeypatch.delenv("INVOCATION_ID", raising=False)
    then.keep()
    (result,) = examine(Host(load_lenient()), [BY_ID["mounts-as-deployed"]])
    assert result.finding.evidence == "the file systems are mounted that were"
    mounted.clear()
    (result,) = examine(Host(load_lenient()), [BY_ID["mounts-as-deployed"]])
    assert result.finding.evidence.endswith(" UTC: /srv/disk is not mounted, where /dev/sdb1 (ext4) was")
    assert result.command.startswith("mount -t ext4 /dev/sdb1 /srv/disk && systemctl restart ")
    assert {"database-exists", "backup-recent"} <= result.finding.explains


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ("", "the route to 192.0.2.9 was 192.0.2.0/24 dev eth0 scope link: it is gone"),
        ("192.0.2.0/24 dev eth0 scope link", "was default via 192.0.2.1 dev eth0: it is gone"),
        (
            "192.0.2.0/24 dev eth0 scope link\ndefault via 192.0.2.7 dev eth0",
            "now it is default via 192.0.2.7 dev eth0",
        ),
        ("192.0.2.0/24 dev eth0 scope link\ndefault via 192.0.2.7 dev eth0 proto dhcp", ""),
        ("192.0.2.0/24 dev eth0 scope link\ndefault via 192.0.2.1 dev eth0 ", ""),
    ],
)
def test_routes_that_the_deployment_kept_are_put_back_the_nearest_first(
    root: Path, monkeypatch: pytest.MonkeyPatch, now: str, said: str
) -> None:
    routes = ["default via 192.0.2.1 dev eth0", "192.0.2.0/24 dev eth0 scope link", "198.51.100.0/24 dev eth1"]
    monkeypatch.setattr(then, "state", lambda: {"routes": routes})
    monkeypatch.setattr(Host, "ask", lambda *_: now)
    found = way._lost(Host(load_lenient()), "", "192.0.2.9")
    assert (found.evidence if found else "").endswith(said)
    assert bool(found) is bool(said)
    if found and not now:
        assert found.remedy
        assert found.remedy.line(Systemd()).startswith(
            "ip route replace 192.0.2.0/24 dev eth0 scope link && ip route replace default via 192.0.2.1 dev eth0 && "
        )


def test_a_folder_of_certificates_that_nobody_may_enter_is_why_nobody_is_trusted(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "CERTIFICATES", root / "etc")
    (root / "etc").chmod(0o700)
    (cause,) = named("feed-trusted")
    assert (cause.result.check.id, [one.check.id for one in cause.explains]) == ("system-as-deployed", ["feed-trusted"])


@pytest.mark.parametrize(
    ("rule", "ours"),
    [
        ("meta skuid daemon tcp dport { 80, 443 } drop", True),
        ("tcp dport 80 counter reject", True),
        ("ip daddr 192.0.2.9 drop", True),
        ("meta skuid root drop", False),
        ("meta skuid daemon tcp dport 25 drop", False),
        ("ip daddr 192.0.2.10 drop", False),
        ("tcp dport 80 accept", False),
    ],
)
def test_a_rule_of_the_hosts_firewall_that_refuses_what_the_service_sends_is_named_and_taken_away(
    root: Path, monkeypatch: pytest.MonkeyPatch, rule: str, ours: bool
) -> None:
    monkeypatch.setenv("SEEN_BY_ROOT", seen("output", rule)[0])
    monkeypatch.setenv("WEATHER_FEED_URL", "http://feed.example/x")
    found = way._firewall(Host(load_lenient()), "feed.example", "192.0.2.9")
    assert bool(found) is ours
    if found:
        assert found.remedy
        delete = found.remedy.steps[0].line(Systemd()).removeprefix("nft ")
        assert rule.rsplit(maxsplit=1)[-1] not in seen("output", rule, delete)[1]

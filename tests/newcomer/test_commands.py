"""A newcomer's way: the README's quick start as it stands, on one real host; then the commands of all pages on it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.documents import ROOT, listed

# Of its own for each run: one beside another is not to take its host away.
LAB = f"weather-newcomer-{os.getpid()}"
HOST = f"{LAB}-1"
# What a reader puts in his own for.
STANDS_FOR = {"SECONDS": "60", "2026-01-31T06:00Z": "NOW", "2026-11-01": "2020-01-01", "2026-12-01": "2099-01-01"}
SQL = {"sqlite3": "'SELECT COUNT(*) FROM observations;'"}
FLEET = """\
weather:
  hosts:
    volos:
      ansible_host: {address}
"""
REACHED = """\
ansible_user: deploy
ansible_ssh_private_key_file: {tree}/.lab/ssh_key
ansible_ssh_common_args: -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR
weather_feed_url: http://host.containers.internal:8088/latestValues_Datagems.geojson
"""
USER = """\
set -e
useradd --create-home --shell /bin/bash deploy
echo 'deploy ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/deploy
install -d -o deploy -m 0700 ~deploy/.ssh
install -o deploy -m 0600 ~/.ssh/authorized_keys ~deploy/.ssh/
"""

Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Newcomer:
    """A clone of this tree, and a lab of its own."""

    tree: Path

    def types(self, command: str) -> Done:
        """In a shell, in the clone."""
        clean = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "MAKEFLAGS"}}
        clean["PATH"] = os.pathsep.join(one for one in clean["PATH"].split(os.pathsep) if ".venv" not in one)
        environment = {**clean, "LAB_NAME": LAB, "HOSTS": "1"}
        environment["CONTAINERS_CONF"] = str(self.tree / ".lab" / "containers.conf")
        return subprocess.run(
            ["bash", "-e", "-c", command], cwd=self.tree, env=environment, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip

    def does(self, command: str) -> str:
        """The same, which must succeed."""
        done = self.types(command)
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        return done.stdout


def quick_start() -> list[list[str]]:
    """The README's console blocks, each a list of commands."""
    blocks = re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    return [re.findall(r"^\$ (.*)", block, re.MULTILINE) for block in blocks]


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    tree = tmp_path_factory.mktemp("newcomer") / "weather-toolkit"
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, files.stdout.decode().split("\0")):
        if (ROOT / name).exists():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name, follow_symlinks=False)
    one = Newcomer(tree)
    one.types("lab/lab.sh down")
    yield one
    one.types("python3 -m lab.feed stop; lab/lab.sh down")


@pytest.fixture(scope="module")
def demo(newcomer: Newcomer) -> str:
    """What the quick start's first block says."""
    (command,) = quick_start()[0]
    return newcomer.does(command)


@pytest.fixture(scope="module")
def deployed(newcomer: Newcomer, demo: str) -> str:
    """What "On your hosts" says, of the demo's host as somebody's own."""
    (newcomer.tree / "user.sh").write_text(USER)
    newcomer.does(f"podman exec -i {HOST} bash -s <user.sh")
    address = newcomer.does("lab/lab.sh list").split()[1]
    mine = newcomer.tree / "mine.sh"
    mine.write_text(
        f"cat >inventory/mine/fleet.yml <<'END'\n{FLEET.format(address=address)}END\n"
        f"cat >inventory/mine/group_vars/all/main.yml <<'END'\n{REACHED.format(tree=newcomer.tree)}END\n"
    )
    (block,) = [block for block in quick_start() if any("inventory/mine" in line for line in block)]
    at = next(number for number, line in enumerate(block) if line.startswith("cp -r inventory/example"))
    lines = [
        *block[: at + 1],
        "bash mine.sh",
        *block[at + 1 :],
        "ansible-playbook -i inventory/mine playbooks/doctor.yml",
    ]
    return newcomer.does("\n".join(lines))


def test_the_demo_finds_the_broken_sensor(demo: str) -> None:
    assert '"class": "device_failure"' in demo
    assert "volos" in demo


def test_the_demo_leaves_a_console_that_this_machine_can_open(demo: str) -> None:
    (address,) = re.findall(r"http://\S+/console/", demo)
    assert "console.js" in requests.get(address, timeout=30).text


def test_the_demo_tells_the_story_of_the_incident(demo: str) -> None:
    story = demo[demo.index("What happened to the incident") :]
    actions = [line.split("\t")[1:3] for line in story.splitlines() if line.count("\t") == 3]
    for one in (["detector", "opened"], ["maria", "acknowledged"], ["detector", "resolved"], ["notify", "told"]):
        assert one in actions, story


def test_the_service_is_on_ones_own_host(deployed: str) -> None:
    assert re.search(r"volos +: ok=\d+ +changed=\d+ +unreachable=0 +failed=0", deployed)
    assert re.search(r"volos +OK +well", deployed), deployed


@pytest.mark.parametrize("command", [one for one, how in listed("On a host") if how == "tests/newcomer"])
def test_a_command_of_the_documents(newcomer: Newcomer, deployed: str, command: str) -> None:
    typed = re.sub("|".join(STANDS_FOR), lambda found: STANDS_FOR[found[0]], command)
    for program, query in SQL.items():
        typed += f" {query}" if program in command else ""
    newcomer.does(f"podman exec -i {HOST} su - deploy -c {shlex.quote(typed)}")

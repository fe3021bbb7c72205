#!/usr/bin/python
"""Ansible module: one run of a playbook at a time changes a host. Its action plugin says which run it is."""

from __future__ import annotations

DOCUMENTATION = """
module: weather_lease
short_description: Lock a host for this run, and unlock it
description:
  - Fails where another run has locked the host, and says who and since when. The lock of a run of this controller that
    was killed counts no longer; that of another controller counts for an hour after that run's last task.
attributes:
  check_mode:
    description: Is skipped in check mode, for a run that changes nothing needs no lock.
    support: none
options:
  state:
    description: Whether to lock the host, to unlock it, or only to fail where another run has locked it.
    choices: [held, free, seen]
    default: held
    type: str
  running:
    description: The folder of the release that has to be in use, as this run saw or left it; else it fails.
    type: path
  deployed:
    description: What has to be written down as deployed, as this run saw it; else it fails.
    type: str
  record:
    description: Record this as what is deployed, if no other run came between.
    type: str
  copies:
    description: >-
      With C(record), the folder of root's with copies of what was deployed (M(weather.toolkit.weather_files)). It gets
      one of the record; and the release in use keeps what the host has of its own, by which the doctor sees what
      changed since.
    type: str
  run:
    description: Who asks. The action plugin gives it; a task does not.
    type: dict
    required: true
  gone:
    description: A run that is known to have died. The action plugin gives it; a task does not.
    type: str
    default: ""
author: The weather-toolkit developers
"""

EXAMPLES = """
- name: Lock the host for this run, if it still runs what was seen there
  weather.toolkit.weather_lease:
    running: /opt/weather/releases/1.5.0+701ffc7a

- name: Unlock it
  weather.toolkit.weather_lease:
    state: free
"""

RETURN = """
holder:
  description: The run that has the host; empty if it is this one, or none.
  type: dict
  returned: always
"""

import os
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.weather.toolkit.plugins.module_utils.weather_lease import free, hold, told

CURRENT = Path("/opt/weather/current")
DEPLOYED = Path("/etc/weather/deployed")
KEEPS = "toolkit.checks.host_as_deployed"


def differs(running: str | None, deployed: str | None) -> bool:
    """Whether the host is not as it is said to be."""
    is_running = str(CURRENT.resolve()) if CURRENT.is_symlink() and CURRENT.exists() else ""
    is_deployed = DEPLOYED.read_text(encoding="utf-8").strip() if DEPLOYED.exists() else ""
    return (running is not None and running != is_running) or (deployed is not None and deployed.strip() != is_deployed)


def write_down(content: str, path: Path = DEPLOYED) -> None:
    """What is deployed, whole or not at all, for root alone."""
    scratch = path.with_name(".deployed")
    scratch.unlink(missing_ok=True)
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(f"{content}\n")
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)


def keep(module: AnsibleModule, record: str, copies: Path) -> None:
    """Keep a copy of the record, and the host's own state, which the release knows how to compare."""
    copy = copies / DEPLOYED.relative_to("/")
    copy.parent.mkdir(parents=True, exist_ok=True)
    write_down(record, copy)
    code, _, said = module.run_command([str(CURRENT / "bin/python"), "-I", "-m", KEEPS])
    if code:
        module.warn(f"what the host has of its own was not kept, and the doctor cannot compare it: {said.strip()}")


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["held", "free", "seen"], "default": "held"},
            "running": {"type": "path"},
            "deployed": {"type": "str", "no_log": True},
            "record": {"type": "str", "no_log": True},
            "copies": {"type": "str"},
            "run": {"type": "dict", "required": True},
            "gone": {"type": "str", "default": ""},
        },
    )
    given = module.params
    record, run = given["record"], given["run"]
    if (given["state"] != "free" or record) and (found := hold(run, given["gone"])):
        module.fail_json(msg=told(found), holder=found)
    if differs(given["running"], given["deployed"]):
        free(run)
        module.fail_json(msg="another run changed this host since this one looked at it: run it again", holder={})
    if record:
        write_down(record)
        if given["copies"]:
            keep(module, record, Path(given["copies"]))
    if given["state"] != "held":
        free(run)
    module.exit_json(changed=bool(record), holder={})


if __name__ == "__main__":
    main()

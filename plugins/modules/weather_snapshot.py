#!/usr/bin/python
"""Ansible module: what a rollout keeps of a host so that it can go back, and what going back would do."""

from __future__ import annotations

DOCUMENTATION = """
module: weather_snapshot
short_description: Keep the files of the service as they are, or see what was kept
description:
  - A snapshot is an archive of the service's files in the folder of the release that runs, for root alone, since
    credentials are in it. C(/opt/weather/previous) points at that folder, and is what makes the snapshot the one to go
    back to. It is replaced by one rename, so that the release and its files always belong together.
  - With the snapshot the record of what is deployed is removed. Until it is written again a rollout is under way. If
    that dies, the next one must not keep what it finds half-way.
attributes:
  check_mode:
    description: Keeps nothing, and says where it would be kept.
    support: full
options:
  state:
    description: Whether to take a snapshot, or to see the one that is there.
    choices: [taken, seen]
    default: seen
    type: str
  files:
    description: The files of the service, as glob patterns.
    type: list
    elements: str
    required: true
author: The weather-toolkit developers
"""

EXAMPLES = """
- name: Keep what runs here
  weather.toolkit.weather_snapshot:
    state: taken
    files: [/etc/weather/weather.env, /etc/systemd/system/weather-*]

- name: See what there is to go back to
  weather.toolkit.weather_snapshot:
    files: [/etc/weather/weather.env, /etc/systemd/system/weather-*]
  register: kept
"""

RETURN = """
release:
  description: The folder of the release that can be gone back to; empty for none.
  type: str
  returned: always
archive:
  description: The archive of its files.
  type: str
  returned: always
jobs:
  description: The jobs that it had, and their scheduler, as in /etc/weather/jobs.json.
  type: dict
  returned: when there is a snapshot
schema:
  description: The version of the database's schema that it used; 0 where no rollout since has changed it.
  type: int
  returned: when there is a snapshot
surplus:
  description: Files that are there and that it did not have.
  type: list
  returned: when there is a snapshot
"""

import json
import os
import re
import tarfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

OPT = Path("/opt/weather")
CURRENT = OPT / "current"
PREVIOUS = OPT / "previous"
DEPLOYED = Path("/etc/weather/deployed")
NAME = ".snapshot.tar.gz"
# The version of the schema that a release used, which the role writes before another release changes it.
SCHEMA = ".schema"
# What releases before 1.0 kept: an archive beside the link, without the manual, the completion and some others, so that
# only files below these folders are known as surplus.
OLD_ARCHIVE = OPT / "previous.tar.gz"
OLD_KEPT = re.compile(r"/etc/(cron\.d|logrotate\.d|systemd/system|weather/credentials)/")


def present(patterns: list[str]) -> list[str]:
    """The files that are there, of those that the patterns name."""
    found = {path for pattern in patterns for path in Path("/").glob(pattern.lstrip("/"))}
    return sorted(str(path) for path in found if path.is_file())


def newest(*archives: Path) -> Path:
    """The archive that was written last: roles of before 1.0 may have come after these. The first, if there is none."""
    return max(archives, key=lambda one: one.stat().st_mtime if one.exists() else 0.0)


def take(files: list[str]) -> None:
    """Keep files, with the release that runs; then say that a rollout is under way."""
    release = CURRENT.resolve(strict=True)
    scratch = release / f"{NAME}.new"
    scratch.unlink(missing_ok=True)
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
            for path in files:
                archive.add(path)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(release / NAME)
    link = PREVIOUS.with_name("previous.new")
    link.unlink(missing_ok=True)
    link.symlink_to(release)
    link.replace(PREVIOUS)
    OLD_ARCHIVE.unlink(missing_ok=True)  # it is not of this release
    DEPLOYED.unlink(missing_ok=True)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["taken", "seen"], "default": "seen"},
            "files": {"type": "list", "elements": "str", "required": True},
        },
        supports_check_mode=True,
    )
    files = present(module.params["files"])
    if module.params["state"] == "taken":
        if not CURRENT.exists():
            module.fail_json(msg=f"{CURRENT} points at no release: there is nothing to keep")
        if not module.check_mode:
            take(files)
        module.exit_json(changed=True, release=str(CURRENT.resolve()), archive=str(CURRENT.resolve() / NAME))
    release = PREVIOUS.resolve() if (PREVIOUS / ".complete").exists() else None
    if release is None:
        module.exit_json(changed=False, release="", archive="")
    archive = newest(release / NAME, OLD_ARCHIVE)
    is_old = archive == OLD_ARCHIVE
    try:
        with tarfile.open(archive) as kept:
            names = {f"/{name.lstrip('/')}" for name in kept.getnames()}
            jobs = kept.extractfile("etc/weather/jobs.json")
            told = json.load(jobs) if jobs else {}
        schema = int((release / SCHEMA).read_text()) if (release / SCHEMA).exists() else 0
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        module.fail_json(msg=f"{archive} cannot be read, so there is nothing to go back to: {error}")
    surplus = [path for path in files if path not in names and (not is_old or OLD_KEPT.match(path))]
    module.exit_json(
        changed=False, release=str(release), archive=str(archive), jobs=told, schema=schema, surplus=surplus
    )


if __name__ == "__main__":
    main()

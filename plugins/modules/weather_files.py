"""Folders and files of one host in one step: a task for each would cost a connection's round trip for each."""

from __future__ import annotations

DOCUMENTATION = """
module: weather_files
short_description: Make folders, write and remove files, all of them in one step
description:
  - Each is made, written or changed only where it differs; a file is replaced whole, by one rename.
  - A folder is reached step by step. A link on the way that is not root's, in a folder of root's, is refused, and so is
    to give away a folder of another owner in which there is something.
  - Ansible's own modules do one at a time, in half a second each. A role that writes two dozen feels that.
attributes:
  check_mode:
    description: Changes nothing, and says what it would make, write or remove.
    support: full
  diff_mode:
    description: Shows the lines of files that differ.
    support: full
options:
  folders:
    description: Folders, made in this order.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Where., type: str, required: true}
      owner: {description: Whose., type: str, default: root}
      group: {description: Of which group., type: str, default: root}
      mode: {description: Its mode., type: str, default: "0755"}
      passing: {description: Whether it is removed again by this run., type: bool, default: false}
  files:
    description: Files, whose folders are there.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Where., type: str, required: true}
      content: {description: All of it., type: str, required: true}
      owner: {description: Whose., type: str, default: root}
      group: {description: Of which group., type: str, default: root}
      mode: {description: Its mode., type: str, default: "0644"}
      optional: {description: Not written where its folder is not there., type: bool, default: false}
      validate:
        description: A command that refuses what is not fit, before it takes the place of what is there; %s is its path.
        type: str
  copies:
    description: >-
      A folder of root's with a copy of each file as it was written last, of its owner and mode, at the file's own path
      below it; and a list of the folders, in `folders`. By them the doctor sees what was changed since, and puts it
      back. A file that is removed loses its copy.
    type: str
  absent:
    description: Files that are not to be there, as glob patterns. No folder is removed.
    type: list
    elements: str
    default: []
  deployed:
    description: >-
      What has to be written down as deployed, else nothing is made or written: by a run that changes nothing but what
      was changed by hand, and so lets others change the host meanwhile.
    type: str
author: The weather-toolkit developers
"""

EXAMPLES = """
- name: Write two units
  weather.toolkit.weather_files:
    files:
      - {path: /etc/systemd/system/one.service, content: "..."}
      - {path: /etc/systemd/system/two.service, content: "..."}
"""

RETURN = """
written:
  description: The paths of what was made, changed or removed.
  type: list
  returned: always
"""

import grp
import json
import os
import pwd
import stat
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from ansible.module_utils.basic import AnsibleModule

DEPLOYED = Path("/etc/weather/deployed")
OF_COPIES = {"owner": "root", "group": "weather"}
# Paths are text: Ansible's type for them would put the values of variables into names that have a dollar sign.
ATTRIBUTES = {
    "path": {"type": "str", "required": True},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
}


def set_attributes(module: AnsibleModule, wanted: dict[str, Any]) -> bool:
    """Set owner, group and mode; whether one differed."""
    arguments = {**module.load_file_common_arguments(wanted), "path": wanted["path"]}
    return bool(module.set_fs_attributes_if_different(arguments, False, expand=False))


class Reached(NamedTuple):
    """A folder that was opened.

    Attributes:
        folder: its descriptor; None for one that a dry run would make.
        made: whether it was not there.
        firm: whether nobody but root can put another in its place.
    """

    folder: int | None
    made: bool
    firm: bool


def make(module: AnsibleModule, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """Make one folder as it is wanted; returns what changed, as a diff."""
    path = Path(wanted["path"])
    try:
        found = reached(module, path)
    except OSError as error:
        module.fail_json(msg=f"cannot make the folder {path}: {error.strerror}")
    differs = found.folder is None or own(module, wanted, found, found.folder)
    if not found.made and not differs:
        return None
    told = f"{path}/ {wanted['owner']}:{wanted['group']} {wanted['mode']}"
    return {"before": "" if found.made else f"{path}/\n", "after": f"{told}\n", "after_header": told}


def reached(module: AnsibleModule, path: Path) -> Reached:
    """Open a folder, and make it where it is not there.

    What another account than root can change is not followed: it could lead anywhere, between one look and the next.
    """
    folder, made, firm, links = os.open("/", os.O_RDONLY | os.O_DIRECTORY), False, True, 0
    steps = list(path.parts[1:])
    while steps:
        step = steps.pop(0)
        firm = firm and is_roots(os.fstat(folder))
        try:
            found = os.stat(step, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            if module.check_mode:
                return Reached(None, made=True, firm=firm)
            os.mkdir(step, 0o755 if steps else 0o700, dir_fd=folder)
            made = not steps
            found = os.stat(step, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            target, links = Path(os.readlink(step, dir_fd=folder)), links + 1
            if not firm or found.st_uid or links > 40:
                module.fail_json(msg=f"{path}: {step} is a link of {name_of(found)}'s to {target}: remove it")
            steps = [*target.parts, *steps]
            step = steps.pop(0) if target.is_absolute() else "."
        elif not stat.S_ISDIR(found.st_mode):
            module.fail_json(msg=f"{path}: {step} is {name_of(found)}'s and no folder: remove it, or move it away")
        inner = os.open(step, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
        os.close(folder)
        folder = inner
    return Reached(folder, made, firm)


def is_roots(folder: os.stat_result) -> bool:
    """Whether only root can change what is in a folder."""
    return folder.st_uid == 0 and not folder.st_mode & (stat.S_IWOTH | (stat.S_IWGRP if folder.st_gid else 0))


def own(module: AnsibleModule, wanted: dict[str, Any], found: Reached, folder: int) -> bool:
    """Set owner, group and mode of a folder; whether one differed."""
    now, mode = os.fstat(folder), int(wanted["mode"], 8)
    try:
        user, group = pwd.getpwnam(wanted["owner"]).pw_uid, grp.getgrnam(wanted["group"]).gr_gid
    except KeyError as error:
        if module.check_mode:  # of a host on which they are still to be made
            return True
        module.fail_json(msg=f"{wanted['path']}: {error.args[0]}")
    if (now.st_uid, now.st_gid, stat.S_IMODE(now.st_mode)) == (user, group, mode):
        return False
    if now.st_uid != user and not (found.made or found.firm) and any(os.scandir(folder)):
        module.fail_json(
            msg=f"{wanted['path']} belongs to {name_of(now)} and is not empty: see what is in it, then "
            f"chown --no-dereference {wanted['owner']} {wanted['path']}, or move it away"
        )
    if not module.check_mode:
        os.fchown(folder, user, group)
        os.fchmod(folder, mode)
    return True


def name_of(found: os.stat_result) -> str:
    """Who owns it."""
    try:
        return pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        return str(found.st_uid)


def write(module: AnsibleModule, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """Write one file as it is wanted; returns what changed, as a diff."""
    path = Path(wanted["path"])
    if wanted["optional"] and not path.parent.is_dir():
        return None
    before = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
    changed = before != wanted["content"]
    if changed and not module.check_mode:
        if not path.parent.is_dir():
            module.fail_json(msg=f"cannot write {path}: there is no folder {path.parent}")
        handle, scratch = tempfile.mkstemp(dir=module.tmpdir)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(wanted["content"])
        if wanted["validate"]:
            validate(module, wanted, scratch)
        module.atomic_move(scratch, str(path))
    if path.exists() and set_attributes(module, wanted):
        changed = True
    if not changed:
        return None
    return {
        "before": before or "",
        "after": wanted["content"],
        "before_header": str(path),
        "after_header": f"{path} {wanted['owner']}:{wanted['group']} {wanted['mode']}",
    }


def keep(module: AnsibleModule, copies: Path, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """Keep a copy of a file that was written; returns what changed, as a diff without what is in it."""
    if wanted["optional"] and not Path(wanted["path"]).parent.is_dir():
        return None
    copy = copies / wanted["path"].lstrip("/")
    if not module.check_mode:
        for folder in reversed([one for one in copy.parents if one.is_relative_to(copies)]):
            if not folder.is_dir():
                folder.mkdir()
                folder.chmod(0o755)  # of which nothing is seen but through the topmost
    # The text is shown where the file itself is written.
    if write(module, {**wanted, "path": str(copy), "optional": module.check_mode, "validate": None}) is None:
        return None
    return {"before": "", "after": f"{copy}\n"}


def kept(module: AnsibleModule, copies: Path) -> list[tuple[str, dict[str, Any] | None]]:
    """Keep all that was written; returns the paths of copies, each with what changed."""
    found = []
    if folders := module.params["folders"]:
        # The service reads them, and nobody else: some of the files are in folders that are closed to others.
        found.append((str(copies), make(module, {"path": str(copies), **OF_COPIES, "mode": "0750"})))
        wanted = {"path": "/folders", "content": listed(folders), **OF_COPIES, "mode": "0640", "optional": False}
        found.append((f"{copies}/folders", keep(module, copies, wanted)))
    return found + [(f"{copies}{wanted['path']}", keep(module, copies, wanted)) for wanted in module.params["files"]]


def listed(folders: list[dict[str, Any]]) -> str:
    """The list of folders, as it is kept beside the copies of files."""
    names = ("path", "owner", "group", "mode")
    return json.dumps([{name: one[name] for name in names} for one in folders if not one["passing"]], indent=1) + "\n"


def remove(module: AnsibleModule, pattern: str) -> list[tuple[str, dict[str, Any]]]:
    """Remove the files that a pattern names; returns their paths, each with what changed, as a diff."""
    there = sorted(Path("/").glob(pattern.lstrip("/")))
    found = [path for path in there if path.is_symlink() or not path.is_dir()]
    if not module.check_mode:
        for path in found:
            path.unlink()
    return [(str(path), {"before": f"{path}\n", "after": ""}) for path in found]


def validate(module: AnsibleModule, wanted: dict[str, Any], scratch: str) -> None:
    """End the module where what is to be written is refused by who is to read it."""
    code, out, err = module.run_command(wanted["validate"].replace("%s", scratch))
    if code:
        said = (err or out).strip().replace(scratch, wanted["path"])
        module.fail_json(msg=f"{wanted['path']} stays as it was: {said}", rc=code, stdout=out, stderr=err)


def main() -> None:
    """Run the module."""
    folder = {
        **ATTRIBUTES,
        "mode": {"type": "str", "default": "0755"},
        "passing": {"type": "bool", "default": False},
    }
    file = {
        **ATTRIBUTES,
        "content": {"type": "str", "required": True},
        "mode": {"type": "str", "default": "0644"},
        "validate": {"type": "str"},
        "optional": {"type": "bool", "default": False},
    }
    module = AnsibleModule(
        argument_spec={
            "folders": {"type": "list", "elements": "dict", "default": [], "options": folder},
            "files": {"type": "list", "elements": "dict", "default": [], "options": file},
            "copies": {"type": "str"},
            "absent": {"type": "list", "elements": "str", "default": []},
            "deployed": {"type": "str", "no_log": True},
        },
        supports_check_mode=True,
    )
    deployed = module.params["deployed"]
    if deployed is not None and (not DEPLOYED.is_file() or DEPLOYED.read_text("utf-8").strip() != deployed.strip()):
        module.fail_json(msg="another run changed this host since this one looked at it: run it again")
    steps = [(one, make) for one in module.params["folders"]] + [(one, write) for one in module.params["files"]]
    found = [(wanted["path"], step(module, wanted)) for wanted, step in steps]
    absent = module.params["absent"]
    if module.params["copies"]:
        found += kept(module, Path(module.params["copies"]))
        absent = [*absent, *(f"{module.params['copies']}{pattern}" for pattern in absent)]
    changed = [(path, diff) for path, diff in found if diff is not None]
    changed += [removed for pattern in absent for removed in remove(module, pattern)]
    shown = {"diff": [diff for _, diff in changed]} if module._diff else {}
    module.exit_json(changed=bool(changed), written=[path for path, _ in changed], **shown)


if __name__ == "__main__":
    main()

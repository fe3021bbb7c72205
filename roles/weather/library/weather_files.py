"""Folders and files of one host in one step: a task for each would cost a connection's round trip for each."""

from __future__ import annotations

DOCUMENTATION = """
module: weather_files
short_description: Make folders and write files, all of them in one step
description:
  - Each is made, written or changed only where it differs; a file is replaced whole, by one rename.
  - Ansible's own modules do one at a time, in half a second each. A role that writes two dozen feels that.
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
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
      validate:
        description: A command that refuses what is not fit, before it takes the place of what is there; %s is its path.
        type: str
author: The weather-toolkit developers
"""

EXAMPLES = """
- name: Write two units
  weather_files:
    files:
      - {path: /etc/systemd/system/one.service, content: "..."}
      - {path: /etc/systemd/system/two.service, content: "..."}
"""

RETURN = """
written:
  description: The paths of what was made or changed.
  type: list
  returned: always
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

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


def make(module: AnsibleModule, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """Make one folder as it is wanted; returns what changed, as a diff."""
    path = Path(wanted["path"])
    missing = not path.is_dir()
    if missing and not module.check_mode:
        path.mkdir(parents=True)
    differs = path.is_dir() and set_attributes(module, wanted)
    if not missing and not differs:
        return None
    told = f"{path}/ {wanted['owner']}:{wanted['group']} {wanted['mode']}"
    return {"before": "" if missing else f"{path}/\n", "after": f"{told}\n", "after_header": told}


def write(module: AnsibleModule, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """Write one file as it is wanted; returns what changed, as a diff."""
    path = Path(wanted["path"])
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


def validate(module: AnsibleModule, wanted: dict[str, Any], scratch: str) -> None:
    """End the module where what is to be written is refused by who is to read it."""
    code, out, err = module.run_command(wanted["validate"].replace("%s", scratch))
    if code:
        said = (err or out).strip().replace(scratch, wanted["path"])
        module.fail_json(msg=f"{wanted['path']} stays as it was: {said}", rc=code, stdout=out, stderr=err)


def main() -> None:
    """Run the module."""
    folder = {**ATTRIBUTES, "mode": {"type": "str", "default": "0755"}}
    file = {
        **ATTRIBUTES,
        "content": {"type": "str", "required": True},
        "mode": {"type": "str", "default": "0644"},
        "validate": {"type": "str"},
    }
    module = AnsibleModule(
        argument_spec={
            "folders": {"type": "list", "elements": "dict", "default": [], "options": folder},
            "files": {"type": "list", "elements": "dict", "default": [], "options": file},
        },
        supports_check_mode=True,
    )
    steps = [(one, make) for one in module.params["folders"]] + [(one, write) for one in module.params["files"]]
    found = [(wanted["path"], step(module, wanted)) for wanted, step in steps]
    changed = [(path, diff) for path, diff in found if diff is not None]
    shown = {"diff": [diff for _, diff in changed]} if module._diff else {}
    module.exit_json(changed=bool(changed), written=[path for path, _ in changed], **shown)


if __name__ == "__main__":
    main()

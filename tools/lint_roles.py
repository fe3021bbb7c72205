"""ansible-lint, which has the syntax of all playbooks and roles looked at by one ansible-playbook.

By itself it starts one for each, and each takes a second to start. Where the one finds fault, ansible-lint does as it
does by itself, and names what is wrong.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile

from ansiblelint.__main__ import main
from ansiblelint.errors import MatchError
from ansiblelint.file_utils import Lintable
from ansiblelint.runner import Runner

_EACH_BY_ITSELF = Runner._run_syntax_check_phase


def _all_at_once(runner: Runner, matches: list[MatchError]) -> list[Lintable]:
    """Look at the syntax of what a run of ansible-lint looks at; returns the files."""
    files = runner._collect_syntax_check_files()
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as roles:
        roles.write("---\n- name: All roles\n  hosts: localhost\n  tasks:\n")
        for path in sorted(str(file.path.expanduser()) for file in files if file.kind == "role"):
            roles.write(f"    - ansible.builtin.import_role:\n        name: {path}\n")
        roles.flush()
        playbooks = [str(file.path.expanduser()) for file in files if file.kind == "playbook"]
        command = ["ansible-playbook", "--syntax-check", *playbooks, roles.name]
        done = subprocess.run(command, env=runner.app.runtime.environ, capture_output=True, check=False)
    return _EACH_BY_ITSELF(runner, matches) if done.returncode else files


if __name__ == "__main__":
    Runner._run_syntax_check_phase = _all_at_once  # type: ignore[assignment, method-assign]
    sys.exit(main())

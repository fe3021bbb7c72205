"""What `make test` says at its end of what failed: tools/failures.py, under a real make that prints what was recorded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

# Of Molecule 26 and ansible-core 2.19, shortened; Molecule colours it even where no terminal is.
VERIFY = """\
molecule test -s bad </dev/null
\x1b[36mINFO    \x1b[0m \x1b[32mbad\x1b[0m ➜ \x1b[33mconverge\x1b[0m: \x1b[36mExecuting\x1b[0m
  │ TASK [Fails, and is rescued]
  │   **************************************************
  │ fatal: [bad-1]: FAILED! =>
  │     msg: of no importance
  │ PLAY RECAP
  └─ Return code: 0 ───────────────────────────────
INFO     bad ➜ converge: Executed: Successful
INFO     bad ➜ verify: Executing
  │ TASK [Is awaited]
  │   **************************************************
  │ FAILED - RETRYING: [bad-1]: Is awaited (1 retries left).
  \x1b[2m\x1b[31m│\x1b[0m \x1b[31mfatal: [bad-1]: FAILED! =>\x1b[0m
  │     msg: the cause
  │
  │ TASK [Says what it can]
  │   **************************************************
  │ fatal: [bad-1]: FAILED! =>
  │     msg: of no importance
  │ ...ignoring
  │
  │ TASK [Goes on without it]
  │ fatal: [bad-2]: FAILED! =>
  │     msg: of no importance, for it is rescued
  │
  │ PLAY RECAP
  │ \x1b[31mbad-1\x1b[0m : \x1b[32mok=4   \x1b[0m changed=3    unreachable=0    \x1b[31mfailed=1   \x1b[0m
  │   skipped=0    rescued=0    ignored=1
  │ bad-2                      : ok=16   changed=6    unreachable=0    failed=0
  └─ Return code: 2 ───────────────────────────────
ERROR    bad ➜ verify: Executed: Failed
INFO     bad ➜ destroy: Executing
  │ TASK [Remove the hosts]
  │ changed: [localhost]
  └─ Return code: 0 ───────────────────────────────
INFO     bad ➜ destroy: Executed: Successful
"""
IDEMPOTENCE = """\
molecule test -s bad </dev/null
INFO     bad ➜ idempotence: Executing
  │ TASK [Fails, and is rescued]
  │ fatal: [bad-1]: FAILED! =>
  │ PLAY RECAP
  └─ Return code: 0 ───────────────────────────────
CRITICAL Idempotence test failed because of the following tasks:
*  => Is never the same
ERROR    bad ➜ idempotence: Executed: Failed
INFO     bad ➜ destroy: Executing
  └─ Return code: 0 ───────────────────────────────
"""
PYTEST = """\
pytest -n auto --dist loadfile
E       assert 1 == 2
=========================== short test summary info ============================
FAILED tests/unit/test_a.py::test_a - assert 1 == 2
======================== 1 failed, 3 passed in 6.93s =========================
"""
LINT = "mypy\n" + "".join(f"line {number}\n" for number in range(1000)) + "a.py:1: error: no such name\n"


def test_a_run_that_is_well_says_nothing_more(tmp_path: Path) -> None:
    assert _run(tmp_path, {"lint": ("all is well\n", 0)}) == (0, "all is well\n")


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (VERIFY, ["TASK [Is awaited]", "fatal: [bad-1]: FAILED! =>", "    msg: the cause"]),
        (
            IDEMPOTENCE,
            ["CRITICAL Idempotence test failed because of the following tasks:", "*  => Is never the same"],
        ),
        (PYTEST, PYTEST.splitlines()[-2:]),
        (LINT, LINT.splitlines()[-20:]),
    ],
    ids=["verify", "idempotence", "pytest", "lint"],
)
def test_the_cause_is_told_last(tmp_path: Path, output: str, told: list[str]) -> None:
    status, said = _run(tmp_path, {"part": (output, 1), "other": (VERIFY.replace("the cause", "another"), 1)})
    assert status == 2
    assert output in said
    last = said.partition("\nwhat failed:\n")[2]
    assert "\n".join(["part:", *(f"  {line}" for line in told)]) + "\n" in last
    assert "    msg: another\n" in last
    assert "of no importance" not in last


def _run(folder: Path, targets: dict[str, tuple[str, int]]) -> tuple[int, str]:
    """The exit code and the output of make with targets that print something and end with a code."""
    rules = [f"all: {' '.join(targets)}"]
    for name, (output, code) in targets.items():
        (folder / name).write_text(output, encoding="utf-8")
        rules += [f".PHONY: {name}", f"{name}:", f"\t@cat {folder / name}; exit {code}"]
    (folder / "Makefile").write_text("\n".join(rules) + "\n", encoding="utf-8")
    make = ["make", "--directory", str(folder), "--no-print-directory", "--keep-going", "--jobs=2", "--output-sync"]
    # Not of the make that runs the tests.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    ran = subprocess.run(
        [sys.executable, "-m", "tools.failures", *make],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not ran.stderr
    return ran.returncode, ran.stdout

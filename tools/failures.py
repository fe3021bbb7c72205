"""Run make and, if it fails, say at the end what failed and why: `python -m tools.failures make … TARGET…`.

Of several targets side by side, what tells the cause of a failure may be thousands of lines before the end, which is
what a CI system shows. It takes make's option `--output-sync`, which keeps the output of a target together.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from itertools import takewhile

LINES = 40  # of a target
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
BOX = re.compile(r"^\s*│ ?")  # round what Molecule shows of Ansible
FAILED = re.compile(r"^make(?:\[\d+\])?: \*\*\* \[(?:\S+: )?(\S+)\] ")
# What make shows of a command, and Molecule of a step and of a playbook that was well: nothing before it is the cause.
BEGINS = re.compile(r"molecule test |pytest |\w+ +\S+ ➜ \w+: Executing$| *└─ Return code: 0 ")
STEP_FAILED = re.compile(r"\w+ +\S+ ➜ \w+: Executed: Failed$")
TASK = re.compile(r"(TASK|RUNNING HANDLER|PLAY|PLAY RECAP)\b")
# A host of which Ansible counts a failure at its end: of others every failure was rescued.
LOST = re.compile(r"(\S+)\s+: ok=\d+ .*\b(?:unreachable|failed)=[1-9]")
FATAL = re.compile(r"(?:fatal|failed): \[([^\] ]+)")
NOISE = re.compile(r"FAILED - RETRYING: |\s*\**$")


def main(words: list[str]) -> int:
    """Run a command, pass its output on, and repeat at the end what is told of each target that failed.

    Returns:
        The command's exit code.
    """
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", bufsize=1
    ) as make:
        failures = list(causes(_passed_on(make.stdout or ())))
    if make.returncode:
        print("", "what failed:", *failures, sep="\n", flush=True)
    return make.returncode


def causes(output: Iterable[str]) -> Iterator[str]:
    """Of each target that failed, in make's output: its name, and the lines that tell the cause."""
    told: list[str] = []
    ended = False  # what follows a step that failed tidies up
    for colourful in output:
        line = BOX.sub("", COLOUR.sub("", colourful.rstrip()))
        if failed := FAILED.match(line):
            yield f"{failed[1]}:"
            yield from (f"  {one}" for one in _cause(told)[:LINES])
            told, ended = [], False
        elif ended or NOISE.match(line):
            continue
        elif BEGINS.match(line):
            told = []
        elif STEP_FAILED.match(line):
            ended = True
        else:
            told.append(line)


def _cause(told: list[str]) -> list[str]:
    """Pytest's summary, or the last task that failed, or the last lines."""
    for number, line in enumerate(told):
        if "short test summary info" in line:
            return told[number + 1 :]
    lost = {found[1] for found in map(LOST.match, told) if found}
    for number in reversed(range(len(told))):
        task = [told[number], *takewhile(lambda line: not TASK.match(line), told[number + 1 :])]
        failed = {found[1] for found in map(FATAL.match, task) if found}
        if TASK.match(task[0]) and failed & (lost or failed) and "...ignoring" not in task:
            return task
    return told[-LINES // 2 :]


def _passed_on(output: Iterable[str]) -> Iterator[str]:
    for line in output:
        print(line, end="", flush=True)
        yield line


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

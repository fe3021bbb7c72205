"""Rules of nft(8), in a network of their own."""

from __future__ import annotations

import subprocess

import pytest

_TOLD = (
    "import runpy; print(*runpy.run_path('roles/weather/files/weather-tool')['refusing']({'daemon', '1'}), sep='\\n')"
)
_SCRIPT = 'nft "$1" || exit 77; python3 -c "$2"; [ -z "$3" ] || nft "$3"; nft list ruleset'


def seen(hook: str, rule: str, then: str = "") -> tuple[str, str]:
    """What root's half of weather-tool tells of a host with this rule, and all rules after a command of nft.

    The test is skipped where no rule can be made.
    """
    made = (
        f"add table inet site; add chain inet site here {{ type filter hook {hook} priority 0; }}; "
        f"add rule inet site here {rule}"
    )
    command = ["unshare", "-n", "sh", "-c", _SCRIPT, "sh", made, _TOLD, then]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if done.returncode == 77 or done.stderr.startswith("unshare:"):
        pytest.skip(f"no rule can be made here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    told, _, rules = done.stdout.partition("table ")
    return told.strip(), rules

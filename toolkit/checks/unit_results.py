"""How a unit ended, in words: systemd's results, and the exit codes that are its own (systemd.exec(5))."""

from __future__ import annotations

import re
from pathlib import Path

_RESULTS = {
    "success": "it was stopped, or a unit that it needs was not started",
    "signal": "killed by a signal", "oom-kill": "killed for want of memory",
    "watchdog": "it gave no sign of life", "timeout": "it took too long", "core-dump": "it crashed",
    "resources": "systemd lacks what its unit asks for: a file that it names, memory, or a cgroup",
    "protocol": "it ended, or never said that it was ready, as its unit's Type= wants it to",
    "start-limit-hit": "it was started too often in too short a time",
    "exec-condition": "its ExecCondition= says no",
}  # fmt: skip
# By exit code: what could not be done, and the setting of the unit that asks for it.
_CODES = {
    200: ("its working folder does not exist or may not be entered", "WorkingDirectory"),
    201: ("its niceness cannot be set", "Nice"),
    203: ("its program cannot be run", "ExecStart"),
    204: ("there is no memory to start it", ""),
    205: ("its limits cannot be set", ""),
    206: ("how it is to be spared from want of memory cannot be set", "OOMScoreAdjust"),
    207: ("its signals cannot be set", ""),
    208: ("its standard input cannot be opened", "StandardInput"),
    209: ("its standard output cannot be opened", "StandardOutput"),
    210: ("its root folder cannot be entered", "RootDirectory"),
    211: ("its class of input and output cannot be set", "IOSchedulingClass"),
    214: ("its scheduling cannot be set", "CPUSchedulingPolicy"),
    215: ("the processors that it is to use are not there", "CPUAffinity"),
    216: ("its group does not exist", "Group"),
    217: ("its user does not exist", "User"),
    218: ("its capabilities cannot be set", "CapabilityBoundingSet"),
    219: ("it cannot be put into its cgroup", ""),
    222: ("its standard error cannot be opened", "StandardError"),
    224: ("PAM refuses it", "PAMName"),
    225: ("its network namespace cannot be made", "PrivateNetwork"),
    226: ("its view of the file system cannot be made", "ReadWritePaths"),
    227: ("its privileges cannot be taken away", "NoNewPrivileges"),
    228: ("its filter of system calls cannot be set", "SystemCallFilter"),
    229: ("SELinux refuses it", "SELinuxContext"),
    230: ("its personality cannot be set", "Personality"),
    231: ("AppArmor refuses it", "AppArmorProfile"),
    232: ("its address families cannot be restricted", "RestrictAddressFamilies"),
    233: ("its folder in /run cannot be made", "RuntimeDirectory"),
    235: ("a file's owner cannot be changed", ""),
    237: ("its keyring cannot be made", "KeyringMode"),
    238: ("its folder of state cannot be made", "StateDirectory"),
    239: ("its cache folder cannot be made", "CacheDirectory"),
    240: ("its folder of logs cannot be made", "LogsDirectory"),
    241: ("its folder of settings cannot be made", "ConfigurationDirectory"),
    242: ("its memory policy cannot be set", "NUMAPolicy"),
    243: ("a credential that its unit names is not there", "LoadCredential"),
    244: ("its filter of the network cannot be set", ""),
}


def outcome_of(unit: dict[str, str]) -> str:
    """How a unit ended, from what `systemctl show` says of it."""
    if unit["Result"] != "exit-code":
        return _RESULTS.get(unit["Result"], unit["Result"])
    code = int(unit["ExecMainStatus"] or 0)
    if code not in _CODES:
        return f"exit code {code}"
    words, key = _CODES[code]
    value = unit.get(key, "")
    if code == 226 and (missing := _missing(unit)):
        return f"{words}: {missing} is not there ({key}={value}; exit code {code})"
    if key == "ExecStart":
        value = (re.findall(r"path=(\S+)", value) or [""])[0]
    return f"{words} ({key}={value}; exit code {code})" if value else f"{words} (exit code {code})"


def _missing(unit: dict[str, str]) -> str:
    """Those of the folders which a unit may write to that are not there."""
    named = unit.get("ReadWritePaths", "").split()
    return " ".join(path for path in named if not path.startswith("-") and not Path(path).exists())

"""What a detection run tells systemd of a cluster, and the doctor reads of it."""

from __future__ import annotations

ALL, PART, NONE = "all", "part", "none"
"""How much of a run a cluster judged: the first word of what is told."""
# What is said of pieces that the cluster did not judge.
HERE = "on this machine"


def told(away: int, here: int, by: str) -> str:
    """How it went.

    Args:
        away: how many pieces were judged by the cluster.
        here: how many by this machine.
        by: the cluster's address.
    """
    rest = f", {here} {HERE}" if here else ""
    return f"{PART if here else ALL}: {away} pieces were judged by {by}{rest}"


def told_of_none(why: str) -> str:
    """That there is no cluster to judge anything, and why."""
    return f"{NONE}: all was judged {HERE}: {why}"


def share(status: str) -> str:
    """Which of `ALL`, `PART` and `NONE` is told."""
    return status.partition(":")[0]

"""Runs of ansible-playbook against a lab, of which a scenario has dozens, at less of the processor.

Ansible packs a module when a run first needs it, which takes 0.1 to 0.3 s, and forgets it when the run ends: here the
folder in which it looks for what it has packed is one that all runs of the same sources share. And what is loaded when
the plays begin stays, so that Python's search for garbage need not go through it again and again.
"""

from __future__ import annotations

import gc
import hashlib
import os
from pathlib import Path

from ansible import constants  # type: ignore[import-untyped]
from ansible.plugins.callback import CallbackBase  # type: ignore[import-untyped]
from ansible.release import __version__  # type: ignore[import-untyped]

PROJECT = Path(__file__).parents[3]


def kept() -> Path:
    """The folder with the packed modules of these sources; of a collection elsewhere, one beside it."""
    if elsewhere := os.environ.get("ANSIBLE_COLLECTIONS_PATH"):
        return Path(elsewhere) / "packed"
    sources = hashlib.sha256(__version__.encode())
    for path in [PROJECT / "requirements/dev.txt", *sorted(PROJECT.glob("plugins/*/*.py"))]:
        sources.update(path.read_bytes())
    return PROJECT / ".lab/packed" / sources.hexdigest()[:12]


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """It is called for nothing: callbacks are loaded before anything is packed, and after the playbook."""

    CALLBACK_NAME = "lab_runs"
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        folder = kept()
        folder.mkdir(parents=True, exist_ok=True)
        Path(constants.DEFAULT_LOCAL_TMP, "ansiballz_cache").symlink_to(folder)
        gc.freeze()
        gc.set_threshold(100_000, 50, 50)

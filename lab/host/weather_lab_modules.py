"""On a lab's host: what Python compiles of Ansible's modules is kept, as it is for files.

A module comes as a zip file, of which nothing is kept: to compile it takes a host 0.07 s of its processor, a third of
what a task takes. `weather_lab_modules.pth` has the host's own Python load this when it starts; the service's does not.
"""

from __future__ import annotations

import _imp
import marshal
import os
import sys
import zipimport
from types import CodeType

# Only root's, and not where a test looks for what the service has left. The hosts of all labs share it.
FOLDER = f"/root/.ansible/compiled/{sys.implementation.cache_tag}"
_compiled = zipimport._compile_source  # type: ignore[attr-defined]


def kept(path: str, source: bytes) -> CodeType:
    """What a file in a zip file compiles to; that of one of Ansible's modules is found by its name and its text."""
    name = path.partition("_payload.zip/")[2]
    if not name or os.geteuid():
        return _as_ever(path, source)
    file = f"{FOLDER}/{name.replace('/', '.')}.{_imp.source_hash(len(source), source).hex()}"
    try:
        with open(file, "rb") as found:
            code: CodeType = marshal.loads(found.read())
        return code
    except (OSError, EOFError, ValueError, TypeError):
        code = _as_ever(path, source)
    try:
        os.makedirs(FOLDER, mode=0o700, exist_ok=True)
        with open(f"{file}.{os.getpid()}", "xb") as written:
            marshal.dump(code, written)
        os.replace(f"{file}.{os.getpid()}", file)
    except OSError:
        pass  # of a full disk: it is compiled again
    return code


def _as_ever(path: str, source: bytes) -> CodeType:
    code: CodeType = _compiled(path, source)
    return code


zipimport._compile_source = kept  # type: ignore[attr-defined]

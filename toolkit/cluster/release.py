"""What the client and the workers of a cluster must have in common, for results that are the same to the bit."""

from __future__ import annotations

import functools
import hashlib
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import toolkit

# What computes, besides the toolkit itself.
_PACKAGES = ("numpy", "pykdtree", "scipy", "statsmodels")


@functools.cache
def release() -> str:
    """The version, and a hash of the code, of the packages that compute, of Python and of the processor's architecture.

    Such as `1.5.0+1f0c93ab`. Two processes with the same code on machines of one architecture have it in common,
    however they were installed.
    """
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    digest = hashlib.sha256(f"{platform.machine()} {python}".encode())
    for name in _PACKAGES:
        digest.update(f" {name} {version(name)}".encode())
    folder = Path(toolkit.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"\0{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return f"{toolkit.__version__}+{digest.hexdigest()[:8]}"

"""The lock, requirements/*.txt: which packages a kind of host gets, and which wheels of them are the right ones."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

_HASH = re.compile(r"sha256:[0-9a-f]{64}")
# What of a host is not known before it is asked. The others would be taken from the controller.
_UNKNOWN = re.compile(r"\bplatform_(release|version)\b")


class LockError(Exception):
    """What is wrong with the lock, or with a file that is not what it says."""


@dataclass(frozen=True)
class Package:
    """One line of the lock that applies: a version, and the hashes of the files that it may come in."""

    name: str
    version: Version
    hashes: frozenset[str]

    def line(self) -> str:
        """The line for pip, without its condition: that was judged for the host, not for where pip runs."""
        return " ".join([f"{self.name}=={self.version}", *(f"--hash=sha256:{one}" for one in sorted(self.hashes))])


def packages_of(locks: list[Path], kind: str) -> dict[str, Package]:
    """What of these locks applies to a kind of host, such as 3.11-x86_64, by name."""
    found: dict[str, Package] = {}
    for lock in locks:
        for place, line in _lines(lock):
            try:
                package = _package(line, kind)
            except (InvalidRequirement, InvalidVersion, LockError) as error:
                raise LockError(f"{place}: {error}: mend it, or write the lock anew by make lock") from error
            if package is None:
                continue
            if package.name in found:
                raise LockError(f"{place}: {package.name} is locked a second time for {kind}: write the lock anew")
            found[package.name] = package
    return found


def _lines(lock: Path) -> list[tuple[str, str]]:
    """Each requirement with where it begins; those over several lines as one."""
    found, begun, number = [], "", 0
    for at, line in enumerate(lock.read_text(encoding="utf-8").splitlines(), start=1):
        number = number if begun else at
        begun += line.removesuffix("\\")
        if line.endswith("\\"):
            continue
        if begun.strip() and not begun.lstrip().startswith("#"):
            found.append((f"{lock.parent.name}/{lock.name}:{number}", begun.strip()))
        begun = ""
    if begun:
        raise LockError(f"{lock.parent.name}/{lock.name}:{number}: the last line is not ended: write the lock anew")
    return found


def _package(line: str, kind: str) -> Package | None:
    """The package that a line locks; none where the line is not for this kind of host."""
    words, *hashes = re.split(r"\s+--hash=", line)
    wanted = Requirement(words)
    versions = list(wanted.specifier)
    if wanted.url or wanted.extras or len(versions) != 1 or versions[0].operator != "==":
        raise LockError(f"'{words}' is not of the form NAME==VERSION")
    if not hashes:
        raise LockError(f"'{words}' has no hash")
    if wrong := [one for one in hashes if not _HASH.fullmatch(one)]:
        raise LockError(f"'{words}' has a hash that is not sha256 and 64 digits: {wrong[0][:80]}")
    if not _applies(wanted, kind):
        return None
    return Package(
        canonicalize_name(wanted.name),
        Version(versions[0].version),
        frozenset(one.removeprefix("sha256:") for one in hashes),
    )


def _applies(wanted: Requirement, kind: str) -> bool:
    if wanted.marker is None:
        return True
    python, architecture = kind.split("-", 1)
    answers = {
        wanted.marker.evaluate(
            {
                "implementation_name": "cpython",
                "implementation_version": full,
                "os_name": "posix",
                "platform_machine": architecture,
                "platform_python_implementation": "CPython",
                "platform_system": "Linux",
                "python_full_version": full,
                "python_version": python,
                "sys_platform": "linux",
            }
        )
        for full in (f"{python}.0", f"{python}.999")
    }
    if len(answers) != 1 or _UNKNOWN.search(str(wanted.marker)):
        raise LockError(f"whether '{wanted.name} ; {wanted.marker}' is for {kind} cannot be told")
    return answers.pop()


def digest_of(file: Path) -> str:
    """The sha256 of a file, as hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def wheels_of(folder: Path, packages: dict[str, Package]) -> dict[str, Path]:
    """The wheels of these packages that a folder holds, by name; one that is not what is locked ends it all."""
    found = {}
    for file in sorted(folder.glob("*.whl")):
        try:
            name, version, _, _ = parse_wheel_filename(file.name)
        except InvalidWheelFilename as error:
            raise LockError(f"{file} has no name that a wheel can have: remove it") from error
        package = packages.get(name)
        if package is None or package.version != version:
            continue
        if (digest := digest_of(file)) not in package.hashes:
            raise LockError(
                f"{file} is not a file that requirements/ locks for {name} {version}: its sha256 is {digest}. "
                "See who changed it, remove it, and run this again"
            )
        found[name] = file
    return found

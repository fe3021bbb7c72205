"""Passwords: what may be one, and their hashes by Argon2id.

Each function takes tens of milliseconds of a processor and 12 MiB for as long as it lasts: whoever serves calls one at
a time, and never in the loop that serves.
"""

from __future__ import annotations

import functools
import re
import secrets
import unicodedata
from operator import le

import argon2

from toolkit.errors import UsageError

SHORTEST, LONGEST = 12, 128
_HASH = re.compile(r"\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,2}),p=(\d{1,2})\$[\w+/]{11,64}\$[\w+/]{22,86}", re.ASCII)
# OWASP's Password Storage Cheat Sheet: Argon2id with m=12288 (12 MiB), t=3, p=1.
_HASHER = argon2.PasswordHasher(time_cost=3, memory_cost=12 << 10, parallelism=1)
# A hash that was made elsewhere may ask for as much: more of it would let a sign-in take the memory of a small host.
_MOST_KIB, _MOST_PASSES, _MOST_LANES = 64 << 10, 10, 4


def hashed(password: str, name: str) -> str:
    """The hash of a new password, in PHC's form.

    Raises:
        UsageError: it is too short, too long, or easily guessed. The message does not have it.
    """
    text = _normal(password)
    if not SHORTEST <= len(text) <= LONGEST:
        raise UsageError(f"the password has {len(text)} characters: give {SHORTEST} to {LONGEST}")
    if name.casefold() in text.casefold() or len(set(text)) < SHORTEST // 3:
        raise UsageError("the password is easily guessed: leave the name out, and use more different characters")
    return _HASHER.hash(_encoded(text))


def require_sound(text: str) -> str:
    """A hash that was made elsewhere, as it is.

    Raises:
        UsageError: it is none of Argon2id, or takes too much to verify.
    """
    if not _is_sound(text):
        raise UsageError(
            "it is no hash that can be used: give one of Argon2id with at most "
            f"m={_MOST_KIB}, t={_MOST_PASSES}, p={_MOST_LANES}, such as `argon2 … -id -e` prints"
        )
    return text


def fits(password: str, text: str | None) -> bool:
    """Whether a password is that of a hash; without a hash it takes as long, and is not."""
    if len(password) > LONGEST:
        return False
    usable = text if text is not None and _is_sound(text) else None
    try:
        _HASHER.verify(usable or _nobodys(), _encoded(_normal(password)))
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
    return usable is not None


def _is_sound(text: str) -> bool:
    found = _HASH.fullmatch(text)
    return found is not None and all(map(le, map(int, found.groups()), (_MOST_KIB, _MOST_PASSES, _MOST_LANES)))


@functools.cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_bytes(16))


def _normal(password: str) -> str:
    """A password as every keyboard and system writes it (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def _encoded(text: str) -> bytes:
    """Any text, also one with half of a surrogate pair, which JSON and a terminal can bring."""
    return text.encode("utf-8", "surrogatepass")

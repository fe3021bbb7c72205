"""Addresses without the secrets in them, to be shown to people.

Some feeds want a key in the address, proxies and repositories a password. It must be in no message, log, page, metric
or settings file: its place is a systemd credential.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from toolkit.text import one_line

# The value of a parameter is a secret if its name ends so, in lower case and without separators.
_SECRET = (
    "key", "token", "secret", "password", "passwd", "passphrase", "pwd", "pass", "sig", "signature", "auth",
    "authorization", "appid", "credential", "credentials", "jwt", "session", "sessionid",
    "accesskeyid", "passcode", "hmac",
)  # fmt: skip
_PASSWORDS = ("password", "passphrase", "passwd")
_HOST = re.compile(r"[\w.,%~-]*(:\d*)?(,[\w.%~-]*(:\d*)?)*|\[[0-9a-fA-F:.%\w]+\](:\d*)?")
# The scheme's length is bounded, so that a long text without one is searched in linear time.
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s'\"<>|]*[^\s'\"<>|.,;:)!]")
# What is set to a secret by its name, as in an environment or a file of settings.
_SET = re.compile(
    rf"""(?P<name>\b[\w.-]{{0,60}}(?:{"|".join((*_PASSWORDS, "token", "secret", "api_?key"))})\ ?=\ ?["']?)[^"';\n]+""",
    re.IGNORECASE,
)


class SecretAddress(str):
    """An address that came as a credential. Only its host is shown: a key may be anywhere else in it."""

    __slots__ = ()


def shown(address: str) -> str:
    """An address without user information, query and fragment; that of a database keeps the user's name."""
    scheme, colon, rest = address.partition("://")
    if not colon:
        # Not a URL, but it may be meant as one.
        return "…" if re.match(r"(?!sftp:)[^/\s]*:[^/\s]*@", address) else one_line(address)
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    user, at, host = authority.rpartition("@")
    if not _HOST.fullmatch(host):
        return one_line(f"{scheme}://…")
    kept = f"{user.partition(':')[0]}@" if at and not scheme.endswith(("http", "https")) else ""
    path, mark, _ = re.match(r"([^?#]*)([?#]?)(.*)", rest[len(authority) :], re.DOTALL).groups()  # type: ignore[union-attr]
    if isinstance(address, SecretAddress):
        path, mark = "", "/" if path or mark else ""
    return one_line(f"{scheme}://{kept}{host}{path}{mark and mark + '…'}")


def without_secrets(text: str) -> str:
    """A message of a library, or a line of a file, without the secrets of addresses, and of what is set by its name."""
    return _SET.sub(r"\g<name>…", _ADDRESS.sub(lambda found: shown(found[0]), text))


def secret_in(address: str) -> str:
    """Which part of an address is a secret, in words; empty if none is.

    In a feed's address that is any user information, and a parameter with a name such as `key`; in the address of a
    database or a repository it is a password.
    """
    scheme, _, rest = address.partition("://")
    of_feed = scheme.lower() in {"http", "https"}
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    if "@" in authority and (of_feed or ":" in authority.rpartition("@")[0]):
        return "user information" if of_feed else "a password"
    try:
        parts = urlsplit(f"http://{rest}")
    except ValueError:
        return ""
    for pair in (parts.query, parts.fragment):
        for name, _ in parse_qsl(pair.replace(";", "&"), keep_blank_values=True, max_num_fields=None):
            if re.sub(r"[\W_]", "", name).lower().endswith(_SECRET if of_feed else _PASSWORDS):
                return f"the parameter {one_line(name, 40)}"
    return ""

"""The way to a cluster's scheduler: its address, and the certificate by which its members know one another.

Whoever reaches a Dask scheduler can have any code run by its workers. With `tls://` that is who has a certificate of
the cluster's own authority: the credential `cluster_tls` is a PEM file with a private key, its certificate, and after
them the certificate of the authority.
"""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from toolkit import credentials
from toolkit.credentials import Credential
from toolkit.errors import ToolkitError, reason

if TYPE_CHECKING:
    from distributed.security import Security

TLS = "tls://"
_BLOCK = re.compile(r"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----", re.DOTALL)


class ClusterError(ToolkitError):
    """The cluster cannot be used; the message says why."""


class Member(NamedTuple):
    """What proves that a process is of the cluster: each a PEM text."""

    key: str
    certificate: str
    authority: str


def member() -> Member:
    """The credential `cluster_tls`.

    Raises:
        ClusterError: it was not handed over, or is not what it should be.
    """
    wanted = "a PEM file with a private key, its certificate and the certificate of the cluster's authority"
    text = credentials.read(Credential.CLUSTER_TLS)
    if text is None:
        raise ClusterError(f"a cluster at {TLS}… asks for the credential cluster_tls, which was not given: {wanted}")
    blocks = [(one[1], one[0] + "\n") for one in _BLOCK.finditer(text)]
    keys = [block for kind, block in blocks if kind.endswith("PRIVATE KEY")]
    certificates = [block for kind, block in blocks if kind == "CERTIFICATE"]
    if len(keys) != 1 or len(certificates) < 2:
        raise ClusterError(
            f"the credential cluster_tls has {len(keys)} private keys and {len(certificates)} certificates: "
            f"give {wanted}"
        )
    found = Member(keys[0], certificates[0], "".join(certificates[1:]))
    try:
        context(found, ssl.Purpose.SERVER_AUTH)
    except (ssl.SSLError, ValueError) as error:
        raise ClusterError(f"the credential cluster_tls cannot be used: {error}: give {wanted}") from error
    return found


def context(one: Member, purpose: ssl.Purpose) -> ssl.SSLContext:
    """A context for connections among members: both sides show a certificate of the authority, whatever their names.

    Raises:
        ssl.SSLError: a part cannot be read, or key and certificate do not belong together.
    """
    made = ssl.create_default_context(purpose, cadata=one.authority)
    made.check_hostname = False  # the authority is the cluster's own: its certificates are proof enough
    # Python from 3.13 on would ask for extensions that openssl leaves out of them; Dask's own contexts do not.
    made.verify_flags &= ~ssl.VERIFY_X509_STRICT
    made.verify_mode = ssl.CERT_REQUIRED
    with tempfile.TemporaryDirectory() as folder:  # Python reads a key from a file alone
        file = Path(folder, "member.pem")
        with open(file, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as stream:
            stream.write(one.key + one.certificate)
        made.load_cert_chain(file)
    return made


def security(address: str) -> Security:
    """What Dask wants to know of certificates for this address of a scheduler.

    Raises:
        ClusterError: see `member`.
    """
    from distributed.security import Security

    if not address.startswith(TLS):
        return Security(require_encryption=False)
    one = member()
    return Security(
        require_encryption=True,
        tls_ca_file=one.authority,
        **{f"tls_{role}_{part}": text for role in ("client", "scheduler", "worker") for part, text in
           (("key", one.key), ("cert", one.certificate))},
    )  # fmt: skip


def encrypted_or_here(address: str) -> bool:
    """Whether nobody on a network can take the place of a member: it is TLS, or stays on this machine."""
    host = urlsplit(address).hostname or ""
    if address.startswith(TLS) or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def reason_of(error: BaseException) -> str:
    """What is wrong with a connection: the first cause that says something."""
    causes = []
    one: BaseException | None = error
    while one is not None:
        causes.append(one)
        one = one.__cause__ or one.__context__
    for one in reversed(causes):
        if isinstance(one, OSError) and (said := reason(one)):
            return said.partition("\n")[0]
    return str(error).partition("\n")[0] or type(error).__name__

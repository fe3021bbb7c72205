"""Checks of the Dask cluster that judges detection runs, where the settings name one.

They load nothing of Dask, which takes a second; how many workers there are is what `weather-tool cluster status` says.
"""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

from toolkit.checks import Finding, Status, bad, check, good
from toolkit.checks.host import Host
from toolkit.checks.remedies import Logs, Tool
from toolkit.cluster.connection import TLS, ClusterError, context, encrypted_or_here, member
from toolkit.cluster.told import ALL, share
from toolkit.errors import reason

CONNECT_SECONDS = 1.5


@check(
    id="cluster-answers", area="cluster",
    invariant="The scheduler that WEATHER_DASK names answers.",
    problem="The scheduler of the cluster does not answer; detection runs judge on this machine, as far as it can.",
    severity=Status.WARNING, remedy=Tool("cluster status"), caused_by=("settings-readable", "settings-valid"),
)  # fmt: skip
def cluster_answers(host: Host) -> Finding | None:
    """It sends the first bytes of Dask's greeting, to whom has a certificate where it is TLS."""
    address = host.settings.dask
    if address is None:
        return None
    named = urlsplit(address)
    try:
        with socket.create_connection((named.hostname, named.port), CONNECT_SECONDS) as plain:
            if address.startswith(TLS):
                with context(member(), ssl.Purpose.SERVER_AUTH).wrap_socket(plain) as secure:
                    greeting = secure.recv(1)
            else:
                greeting = plain.recv(1)
    except ClusterError as error:
        return bad(str(error))
    except OSError as error:
        return bad(f"{address}: {reason(error)}")
    return good(f"{address} answers") if greeting else bad(f"{address} closes the connection without a word")


@check(
    id="cluster-encrypted", area="cluster",
    invariant="A cluster beyond this machine is reached by TLS.",
    problem="The cluster is reached without TLS: whoever reaches its scheduler can have any code run.",
    severity=Status.WARNING, remedy=Tool("settings"),
)  # fmt: skip
def cluster_encrypted(host: Host) -> Finding | None:
    address = host.settings.dask
    if address is None:
        return None
    if encrypted_or_here(address):
        return good(f"{address} is TLS, or this machine")
    return bad(f"WEATHER_DASK={address}: give it certificates, and its address as {TLS}… (docs/distributed.md)")


@check(
    id="cluster-judges", area="cluster",
    invariant="The cluster judged all of the last detection run.",
    problem="The cluster did not judge all of the last detection run; this machine judged the rest.",
    severity=Status.WARNING, remedy=Logs("detector"), caused_by=("cluster-answers",),
)  # fmt: skip
def cluster_judges(host: Host) -> Finding | None:
    unit = host.unit("weather-detector.service")
    if host.settings.dask is None or unit is None or not unit["StatusText"]:
        return None
    return good(unit["StatusText"]) if share(unit["StatusText"]) == ALL else bad(unit["StatusText"])

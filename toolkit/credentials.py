"""Secrets: one file each, in the folder that whoever runs the command hands over.

systemd names that folder in CREDENTIALS_DIRECTORY (LoadCredential=), as do the containers, the pods and
/usr/local/bin/weather-tool. A secret is in no settings file, in no environment and on no command line.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from toolkit.errors import ToolkitError, reason

VARIABLE = "CREDENTIALS_DIRECTORY"
# Where a host keeps them; root's alone.
FOLDER = Path("/etc/weather/credentials")


class Credential(StrEnum):
    """Every secret that the service may have, by the name of its file."""

    POSTGRESQL_PASSWORD = "postgresql_password"  # noqa: S105 - a name
    RESTIC_PASSWORD = "restic_password"  # noqa: S105 - a name
    RESTIC_ENVIRONMENT = "restic_environment"
    FEED_URL = "feed_url"
    FEED_PROXY = "feed_proxy"
    SOURCE_SECRETS = "source_secrets"
    APPRISE_URLS = "apprise_urls"
    APPRISE_ESCALATION_URLS = "apprise_escalation_urls"
    API_TOKENS = "api_tokens"
    CONSOLE_TOKENS = "console_tokens"
    CONSOLE_PROXY_KEY = "console_proxy_key"
    CLUSTER_TLS = "cluster_tls"


class CredentialError(ToolkitError):
    """A credential was handed over and cannot be read."""


def path(name: Credential, environ: Mapping[str, str] | None = None) -> Path | None:
    """The file of a credential that was handed over; None where it was not."""
    folder = (os.environ if environ is None else environ).get(VARIABLE)
    file = Path(folder, name) if folder else None
    return file if file and os.path.lexists(file) else None


def read(name: Credential, environ: Mapping[str, str] | None = None) -> str | None:
    """The secret, without white space around it; None where it was not handed over.

    Raises:
        CredentialError: its file cannot be read.
    """
    file = path(name, environ)
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise CredentialError(f"the credential {file} cannot be read: {reason(error)}") from error
    except UnicodeDecodeError as error:
        raise CredentialError(f"the credential {file} cannot be read: it is not UTF-8 text") from error

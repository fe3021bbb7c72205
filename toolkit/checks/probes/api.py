"""Checks of the HTTP API, which serves the data."""

from __future__ import annotations

from toolkit.checks import Finding, Status, check
from toolkit.checks.causes import DISK, RELEASE, STORE
from toolkit.checks.causes import UNIT as UNIT_CAUSES
from toolkit.checks.host import Host
from toolkit.checks.remedies import Enable, Restart, Shell, Then
from toolkit.checks.serving import API
from toolkit.checks.unit_states import enabled, running


@check(
    id="api-port", area="api",
    invariant="The HTTP API's port is its own.",
    problem="Another program has the HTTP API's port, or the address is none of this host.",
    severity=Status.WARNING, remedy=Then(Shell("ss -ltnp"), "stop what has the port, then: {}", Restart("api")),
    caused_by=("settings-fit",),
)  # fmt: skip
def api_port(host: Host) -> Finding | None:
    return API.port_is_its_own(host)


@check(
    id="api-enabled", area="api",
    invariant="The HTTP API comes back with the host.",
    problem="The HTTP API does not come back with the host.",
    severity=Status.WARNING, remedy=Enable("api"), caused_by=("units-present",),
)  # fmt: skip
def api_enabled(host: Host) -> Finding | None:
    return enabled(API.unit, host)


@check(
    id="api-running", area="api",
    invariant="The HTTP API runs.",
    problem="The HTTP API does not run.",
    severity=Status.WARNING, remedy=Restart("api"),
    caused_by=("api-enabled", "api-port", *RELEASE, *UNIT_CAUSES, "settings-valid"), is_of_last_run=True,
)  # fmt: skip
def api_running(host: Host) -> Finding | None:
    return running(API.unit, host)


@check(
    id="api-answers", area="api",
    invariant="The HTTP API answers, and reads the store.",
    problem="The HTTP API does not answer, or cannot read the store.",
    severity=Status.WARNING, remedy=Restart("api"),
    caused_by=(
        "loopback-up", "feed-way", "api-running", "api-enabled", "system-places", "places-open", "files-alone", *DISK,
        *STORE,
    ),
)  # fmt: skip
def api_answers(host: Host) -> Finding | None:
    return API.answers(host)

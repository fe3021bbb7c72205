"""Checks that people are told of incidents, and that somebody looks at them."""

from __future__ import annotations

from toolkit import credentials
from toolkit.checks import Finding, Status, bad, check, good, unseen
from toolkit.checks.causes import CLOCK, JOB, STORE
from toolkit.checks.host import Host
from toolkit.checks.remedies import OnController, OnMachine, Shell, Start, Tool
from toolkit.credentials import Credential
from toolkit.durations import humanize
from toolkit.errors import ToolkitError
from toolkit.sending import NoAnswerError, ProgramError, receivers, try_out
from toolkit.sensor_exceptions import expired
from toolkit.store.incidents import SEVERITIES
from toolkit.text import one_line
from toolkit.times import stored

# A receiver that is down for an hour is no news: it is tried again, and nothing is lost.
STUCK_SECONDS = 2 * 3600
UNSEEN_SECONDS = 3 * 86400
NAMED = 3
# Apprise takes a second to start where the machine has time for it.
TRY_SECONDS = 4.0
_INSTALL = OnMachine("apt-get install --yes --reinstall apprise")


@check(
    id="people-named", area="incidents",
    invariant="Whom to tell of incidents is named, in addresses that apprise can use.",
    problem="Nobody can be told of incidents, or of jobs that fail: apprise, or an address that it is given, is wrong.",
    severity=Status.WARNING, remedy=OnController(), costly=True,
)  # fmt: skip
def people_named(host: Host) -> Finding | None:
    """It is told long before there is something to tell."""
    found = None
    for name in (Credential.APPRISE_URLS, Credential.APPRISE_ESCALATION_URLS):
        text = credentials.read(name)
        if text is None:  # nobody is to be told, or root alone may see who is
            continue
        if not receivers(text):
            return bad(f"the credential {name} names nobody")
        try:
            try_out(text, TRY_SECONDS)
        except NoAnswerError:
            return unseen("apprise has not read the addresses in time")
        except ProgramError as error:
            return bad(str(error), None if host.contained else _INSTALL)
        except ToolkitError as error:
            file = credentials.FOLDER / name
            show = Shell("apprise --dry-run -vv --body=try --config={}", file, note="mend it on the controller")
            return bad(f"the credential {name} is of no use: {error}", None if host.contained else show)
        found = good("apprise can use the addresses")
    return found


@check(
    id="people-told", area="incidents",
    invariant="What people are to be told of incidents is sent.",
    problem="People are not told of incidents: messages wait for hours.",
    severity=Status.WARNING, remedy=Start("notify"), caused_by=("people-named", "notify-timer", *JOB, *STORE, *CLOCK),
)  # fmt: skip
def people_told(host: Host) -> Finding | None:
    if "notify" not in host.jobs:
        return None
    with host.store() as store:
        waiting = [one for one in store.incidents.messages(["waiting", "sending"]) if one.due <= host.now]
    oldest = min((one.due for one in waiting), default=host.now)
    if host.now - oldest < STUCK_SECONDS:
        return good(f"{len(waiting)} messages wait")
    errors = [one.error for one in sorted(waiting, key=lambda one: one.tried or 0) if one.error]
    last = one_line(errors[-1]) if errors else "no attempt was made"
    return bad(f"{len(waiting)} messages wait, the oldest for {humanize(host.now - oldest)}: {last}")


@check(
    id="incidents-seen", area="incidents",
    invariant="Somebody looks at each incident within days.",
    problem="Nobody has looked at some incidents for days.",
    severity=Status.WARNING, remedy=Tool("incidents list", note="then ack, resolve or dismiss each"),
    caused_by=("people-told", *STORE),
)  # fmt: skip
def incidents_seen(host: Host) -> Finding | None:
    with host.store() as store:
        number, waiting, oldest = store.incidents.unseen(host.now - UNSEEN_SECONDS, SEVERITIES[1:], NAMED)
    if not number:
        return good("no incident waits for somebody")
    if not oldest:
        return good(f"{number} incidents are open")
    named = ", ".join(f"{one.id} ({one.station_id or 'the network'}, {one.variable})" for one in oldest)
    more = ", …" if waiting > NAMED else ""
    return bad(
        f"{waiting} incidents are open and nobody has acknowledged them, the oldest for "
        f"{humanize(host.now - oldest[0].opened)}: {one_line(named)}{more}"
    )


@check(
    id="exceptions-current", area="incidents",
    invariant="Each exception holds, and is of a station that there is.",
    problem="An exception has expired, or is of a station that there is not.",
    severity=Status.WARNING, remedy=Tool("settings", note="then take it out of weather_exceptions, or prolong it"),
    caused_by=("settings-valid", *STORE),
)  # fmt: skip
def exceptions_current(host: Host) -> Finding | None:
    exceptions = host.settings.exceptions
    if not exceptions:
        return None
    over = [
        f"{one.station} ({', '.join(one.variables) or 'all'}), until {stored(one.until or 0)} UTC"
        for one in expired(exceptions, host.now)
    ]
    if over:
        return bad(f"expired: {one_line('; '.join(over[:NAMED]))}{', …' if len(over) > NAMED else ''}")
    with host.store() as store:
        known = {one.station_id for one in store.stations()}
    unknown = sorted({one.station for one in exceptions} - known)
    if unknown and known:
        return bad(f"there is no station {one_line(', '.join(unknown[:NAMED]))}{', …' if len(unknown) > NAMED else ''}")
    return good(f"{len(exceptions)} exceptions")

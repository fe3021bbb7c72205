"""`weather-tool notify`: send what people are to be told of incidents."""

from __future__ import annotations

import argparse
import logging

from toolkit import credentials
from toolkit.cli.options import add_setting, window_end
from toolkit.credentials import Credential
from toolkit.errors import ToolkitError
from toolkit.incidents import summary
from toolkit.incidents.outbox import Routes, deliver
from toolkit.locking import writing
from toolkit.sending import Receiver, receivers
from toolkit.settings import Loaded, spool_folder
from toolkit.store import StoreGoneError, open_for_writing

log = logging.getLogger(__name__)

EXAMPLES = (
    "weather-tool notify",
    "weather-tool notify --summary",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--summary", action="store_true", help="also send the summary of the week, once for each week")
    add_setting(parser, "--db", "db", "DATABASE")
    parser.epilog = (
        "Whom to tell: URLs of apprise, a line each, in the credential apprise_urls; of what nobody acknowledges, in "
        "the credential apprise_escalation_urls, if there is one."
    )


def run(args: argparse.Namespace, loaded: Loaded) -> int:
    """Send what is due."""
    settings = loaded.settings
    main = _named(Credential.APPRISE_URLS) or []
    escalation = _named(Credential.APPRISE_ESCALATION_URLS)
    routes = Routes(main, main if escalation is None else escalation)
    try:
        with writing(spool_folder(settings)), open_for_writing(settings.db, begin=False) as store:
            at = window_end("NOW", store.newest())
            if args.summary:
                with store.transaction():
                    store.incidents.tell([summary.message(settings, at)])
            done = deliver(store, settings, routes, at)
    except StoreGoneError as error:  # nothing was collected yet, and there is nothing to tell
        log.warning("%s", error)
        return 0
    if done.nobody:
        log.warning("nobody is told of %s: there is no credential %s", _number(done.nobody), Credential.APPRISE_URLS)
    if done.failed or done.waiting:
        raise ToolkitError(
            "\n".join(f"not everybody is told; to be tried again: {one}" for one in done.failed or done.waiting)
        )
    print(
        f"told of {_number(done.told)}, in {done.sent} message{'s' * (done.sent != 1)}"
        if done.sent
        else "there is nothing to tell"
    )
    return 0


def _named(name: Credential) -> list[Receiver] | None:
    """Those whom a credential names; None where it was not handed over.

    Raises:
        ToolkitError: it names nobody, or cannot be read.
    """
    text = credentials.read(name)
    if text is None:
        return None
    if not (named := receivers(text)):
        raise ToolkitError(f"the credential {name} names nobody: give URLs of apprise, a line each")
    return named


def _number(news: int) -> str:
    return f"{news} change{'s' * (news != 1)} of incidents"

"""The entry point of `weather-tool`: signals and streams are set up before anything else is imported."""

from __future__ import annotations

import signal


def main() -> int:
    """Run the command; returns its exit code."""
    # While modules are imported nothing catches KeyboardInterrupt: Ctrl-C ends the process without a traceback.
    _end_at_once()
    try:
        from toolkit.cli import main as cli
        from toolkit.cli import streams

        streams.prepare()
        return cli.main()
    except (ImportError, SyntaxError) as error:
        from toolkit import damaged

        return damaged.report(error)
    finally:
        _end_at_once()


def _end_at_once() -> None:
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:  # which a shell does for what runs in its background
            signal.signal(number, signal.SIG_DFL)

"""SIGHUP and SIGTERM end a command as Ctrl-C does: it cleans up, and its exit code is that of the signal."""

from __future__ import annotations

import signal
import threading
from types import FrameType

_NUMBERS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
_received: list[int] = []


class SignalReceived(KeyboardInterrupt):
    """A signal came; raised wherever the command is at that moment."""


def install() -> None:
    """Raise SignalReceived when one of the signals comes, unless it is ignored (nohup) or has a handler already."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in _NUMBERS:
        if signal.getsignal(number) in {signal.SIG_DFL, signal.default_int_handler}:
            signal.signal(number, _end)


def exit_code() -> int | None:
    """The exit code of a command that was ended by a signal; None if none came.

    Some libraries turn the exception of a signal handler into an error of their own, so this is to be called whatever
    exception was caught.
    """
    return 128 + _received[0] if _received else None


def _end(number: int, _frame: FrameType | None) -> None:
    _received.append(number)
    for other in (signal.SIGHUP, signal.SIGTERM):  # once: only Ctrl-C may interrupt the cleaning up
        signal.signal(other, signal.SIG_IGN)
    raise SignalReceived(signal.Signals(number).name)

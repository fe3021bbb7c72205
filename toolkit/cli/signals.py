"""SIGHUP and SIGTERM end a command as Ctrl-C does: what it began is put right, and its exit code says so."""

from __future__ import annotations

import signal
import threading
from types import FrameType

_NUMBERS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
_received: list[int] = []


class SignalReceived(KeyboardInterrupt):
    """A signal came: raised wherever the command is."""


def install() -> None:
    """From now on raise SignalReceived when one of them comes; not for those that are ignored (nohup) or handled."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in _NUMBERS:
        if signal.getsignal(number) in {signal.SIG_DFL, signal.default_int_handler}:
            signal.signal(number, _end)


def exit_code() -> int | None:
    """The exit code of a command that was ended by a signal; None where none came.

    Some libraries make their own error of what a handler raises: so it is asked for whatever was caught.
    """
    return 128 + _received[0] if _received else None


def _end(number: int, _frame: FrameType | None) -> None:
    _received.append(number)
    for other in (signal.SIGHUP, signal.SIGTERM):  # once: the way out is not to be interrupted, but by a person
        signal.signal(other, signal.SIG_IGN)
    raise SignalReceived(signal.Signals(number).name)

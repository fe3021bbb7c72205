"""Facts: what is looked up once, however many checks ask for it."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Any, Generic, TypeVar

from toolkit.settings import Loaded, Settings

T = TypeVar("T")


class fact(Generic[T]):  # noqa: N801 - used as property is
    """A property that is worked out once. Whoever asks meanwhile waits; a failure is remembered like a value."""

    def __init__(self, function: Callable[[Any], T]) -> None:
        self._function = function
        self.__doc__ = function.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, facts: Any, owner: type | None = None) -> T:
        return facts.once(self._name, lambda: self._function(facts))  # type: ignore[no-any-return]


class Facts:
    """The settings in force, and the facts that were looked up so far."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.settings: Settings = loaded.settings
        self._known: dict[str, tuple[Any, BaseException | None]] = {}
        self._locks: dict[str, RLock] = {}
        self._guard = RLock()

    def knows(self, name: str) -> bool:
        """Whether something was looked up."""
        return name in self._known

    def failure(self, name: str) -> BaseException | None:
        """What looking something up raised, where it did."""
        return self._known.get(name, (None, None))[1]

    def once(self, name: str, function: Callable[[], T]) -> T:
        """What the function returns, or raises; it is called the first time that the name is asked for.

        Raises:
            Exception: what the function raised.
        """
        with self._guard:
            lock = self._locks.setdefault(name, RLock())
        with lock:
            if name not in self._known:
                try:
                    self._known[name] = (function(), None)
                except Exception as error:
                    self._known[name] = (None, error)
            value, failure = self._known[name]
        if failure is not None:
            raise failure
        return value  # type: ignore[no-any-return]

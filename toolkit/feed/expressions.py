"""Expressions that find a feed's entries in JSON: JMESPath, with two functions for forms that it has none for.

`rows(OBJECT)` makes objects of parallel lists, of which the first values belong together, then the second ones, as
services of time series have them. `to_entries(OBJECT)` makes of an object that has a member for each station, say, a
list of objects with `key` and `value`; the name is that of the program jq.
"""

from __future__ import annotations

from functools import cache
from itertools import zip_longest
from typing import Any

import jmespath
from jmespath import functions
from jmespath.exceptions import JMESPathError

from toolkit.text import one_line


class _Functions(functions.Functions):
    @functions.signature({"types": ["object"]})
    def _func_rows(self, of: dict[str, Any]) -> list[dict[str, Any]]:
        """An object for each place in the lists of an object; the end of a shorter list is null."""
        lists = {name: values for name, values in of.items() if isinstance(values, list)}
        return [dict(zip(lists, row, strict=True)) for row in zip_longest(*lists.values())]

    @functions.signature({"types": ["object"]})
    def _func_to_entries(self, of: dict[str, Any]) -> list[dict[str, Any]]:
        """The members of an object, each as an object of its name and its value."""
        return [{"key": name, "value": value} for name, value in of.items()]


_OPTIONS = jmespath.Options(custom_functions=_Functions())


@cache
def _compiled(expression: str) -> Any:
    return jmespath.compile(expression)


def require(expression: str) -> None:
    """Look whether an expression can be used.

    Raises:
        ValueError: it is no JMESPath; the message says what is wrong with it.
    """
    try:
        _compiled(expression)
    except JMESPathError as error:
        raise ValueError(f"it is no JMESPath: {one_line(str(error), 200)}") from None


def search(expression: str, document: Any) -> Any:
    """What an expression finds in a document; None for nothing.

    Raises:
        ValueError: it fails on the document; the message says why.
    """
    try:
        return _compiled(expression).search(document, _OPTIONS)
    except JMESPathError as error:
        raise ValueError(one_line(str(error), 200)) from None

"""The page of the Python face: the docstrings of `toolkit.analysis`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from toolkit import analysis

SECTIONS = ("Args", "Attributes", "Returns", "Raises")

INTRODUCTION = """\
Generated from `toolkit/analysis/` by `make generate`.

What `from toolkit.analysis import …` gives. The [tutorial](../tutorial.md) shows it at work. Every error that has a
cause of yours is a `toolkit.errors.ToolkitError`, whose text names the value and the remedy."""


def python_page() -> str:
    """The whole page."""
    parts = ["# Python", INTRODUCTION]
    for name in analysis.__all__:
        thing = getattr(analysis, name)
        parts += ["## " + name, *_described(name, thing)]
        if inspect.isclass(thing):
            methods = [one for one in vars(thing).values() if inspect.isfunction(one) and one.__name__[0] != "_"]
            for method in methods:
                parts += [f"### {name}.{method.__name__}", *_described(method.__name__, method)]
    return "\n\n".join(parts) + "\n"


def _described(name: str, thing: Any) -> Iterator[str]:
    """The signature and the docstring of a function or class."""
    shown = re.sub(r"(: |-> )'([^']+)'", r"\1\2", str(inspect.signature(thing)))
    yield f"```python\n{name}{re.sub(r'(self(, )?)', '', shown, count=1)}\n```"
    for paragraph in inspect.cleandoc(thing.__doc__).split("\n\n"):
        head, _, rest = paragraph.partition(":\n")
        if head not in SECTIONS:
            yield paragraph
        elif head == "Returns":
            yield f"Returns: {_joined(rest)}"
        else:
            yield f"{head}:"
            items = re.split(r"^    (?=\S)", rest, flags=re.MULTILINE)[1:]
            yield "\n".join(re.sub(r"^(\w+):", r"- `\1`:", _joined(item)) for item in items)


def _joined(text: str) -> str:
    return " ".join(text.split())

"""One figure of a benchmark."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A measured value and its bound.

    Attributes:
        what: what was measured.
        value: in `unit`.
        bound: what it may be at most, or at least where `at_least` is set.
        against: the reference in the same run, in words.
    """

    what: str
    value: float
    unit: str
    bound: float
    at_least: bool = False
    against: str = ""

    @property
    def kept(self) -> bool:
        """Whether the bound is kept."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def __str__(self) -> str:
        bound = f"{'>=' if self.at_least else '<='} {self.bound:,g}"
        verdict = "" if self.kept else "  NOT KEPT"
        return f"{self.what:46} {self.value:>9,.4g} {self.unit:<4}{bound:>10}   {self.against}{verdict}"

"""All quality-control tests."""

from __future__ import annotations

from toolkit.quality.base import QualityTest
from toolkit.quality.consistency import Consistency
from toolkit.quality.direction import Direction
from toolkit.quality.gauge import Gauge
from toolkit.quality.gross_range import GrossRange
from toolkit.quality.missing import Missing
from toolkit.quality.noise import Noise
from toolkit.quality.persistence import Persistence
from toolkit.quality.radiation import Radiation
from toolkit.quality.rain_rate import RainRate
from toolkit.quality.resolution import Resolution
from toolkit.quality.shared import Shared
from toolkit.quality.snow import Snow
from toolkit.quality.spatial import Spatial
from toolkit.quality.step import Step
from toolkit.quality.temporal import LIMITS, METHODS
from toolkit.settings import COMBINED

TESTS: tuple[QualityTest, ...] = (
    GrossRange(),
    Missing(),
    Persistence(),
    Resolution(),
    Noise(),
    Step(),
    Spatial(),
    Consistency(),
    RainRate(),
    Gauge(),
    Direction(),
    Radiation(),
    Snow(),
    Shared(),
)
"""The tests that a detection run makes, by precedence: an interval that several of them flagged for as long is named by
the first of these. To add a test, write its file and name it here."""


def method_tests(method: str, threshold: float = LIMITS.score) -> tuple[QualityTest, ...]:
    """The tests of a detection method, by precedence.

    Args:
        method: `COMBINED`, or the name of a temporal method, which takes the place of the tests that compare.
        threshold: of a temporal method, in standard deviations.

    Raises:
        ValueError: there is no such method.
    """
    if method == COMBINED:
        return TESTS
    if method not in METHODS:
        raise ValueError(f"there is no detection method {method!r}; there are: {', '.join([COMBINED, *METHODS])}")
    return (*(test for test in TESTS if test.with_method), METHODS[method].with_threshold(threshold))

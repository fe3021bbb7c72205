"""Range: what no sensor can truthfully say.

QARTOD's gross range test, WMO-No. 8's plausible value check; the limits are in `toolkit.variables`.
"""

from __future__ import annotations

from toolkit.quality.arrays import Bools
from toolkit.quality.series import Series


def flag(series: Series) -> Bools:
    """Readings that are physically impossible, stations by the window's slots."""
    values = series.judged
    return (values < series.variable.low) | (values > series.variable.high)

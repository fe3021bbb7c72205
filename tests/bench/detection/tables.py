"""The tables that the benchmark prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from tests.bench.detection.faults import KINDS
from tests.bench.detection.scoring import Score


def scores(title: str, of: Mapping[str, Score], seconds: Mapping[str, float] | None = None) -> None:
    """Print the scores of some detectors, and how long each took."""
    found = {kind for one in of.values() for kind in one.faults}
    kinds = [kind for kind in (*KINDS, "swap") if kind in found]
    print(f"\n{title}: recall by kind of fault, F1 over alarms, false alarms per 100 station-days of clean data,")
    print(
        "how many of these name what is absent, share of striking weather called device_failure, median hours until a"
    )
    print("fault is named")
    header = "".join(f"{kind:>9}" for kind in kinds)
    print(
        f"{'':18}{header}{'recall':>9}{'precision':>11}{'F1':>7}{'false':>8}{'absent':>8}{'weather':>9}{'delay':>7}"
        + (f"{'time':>8}" if seconds else "")
    )
    for name, one in of.items():
        recall = "".join(f"{one.seen[kind] / max(1, one.faults[kind]):>9.2f}" for kind in kinds)
        clean = (
            f"{one.false_per_100_days:>8.1f}{one.absent_per_100_days:>8.1f}{one.weather_called_failure:>9.1%}"
            if one.clean_days
            else f"{'-':>8}{'-':>8}{'-':>9}"
        )
        delay = f"{np.median(one.delays):>7.1f}" if one.delays else f"{'-':>7}"
        took = f"{seconds[name]:>6.0f} s" if seconds else ""
        print(
            f"{name:18}{recall}{one.recall:>9.2f}{one.precision:>11.2f}{one.f1:>7.2f}{clean}{delay}{took}", flush=True
        )


def counts(title: str, what: Iterable[tuple[str, ...]], most: int = 20) -> None:
    """Print how often each of some things is there, the most frequent first."""
    counted = Counter(what)
    print(f"\n{title}: {sum(counted.values())}")
    for names, number in counted.most_common(most):
        print(f"{number:>6}  {' '.join(f'{name:<14}' for name in names)}")

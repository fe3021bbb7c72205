from __future__ import annotations

import warnings

import numpy as np
import pytest

from toolkit.quality.arrays import Floats, deviation, median
from toolkit.quality.isolation import isolation, local_outlier_factor
from toolkit.quality.temporal import LIMITS, METHODS, arima


def series(seed: int = 1) -> Floats:
    random = np.random.default_rng(seed)
    return np.array([15 + 2 * np.sin(np.arange(36) / 12) + random.normal(0, 0.2, 36)])


@pytest.mark.parametrize("method", METHODS)
def test_a_spike_is_found_and_nothing_else_called_one(method: str) -> None:
    values = series()
    values[0, 20] += 25
    found = METHODS[method].scored(values, 0.3)
    assert int(np.nanargmax(found.score)) == 20
    assert found.score[0, 20] > LIMITS.score
    assert abs(found.expected[0, 20] - 15) < 4


@pytest.mark.parametrize("method", METHODS)
def test_gaps_are_no_anomaly_and_no_obstacle(method: str) -> None:
    values = series()
    values[0, [0, 5, 6, 7, 35]] = np.nan
    values[0, 20] += 25
    found = METHODS[method].scored(values, 0.3)
    assert np.isnan(found.score[0, [0, 5, 6, 7, 35]]).all()
    assert int(np.nanargmax(found.score)) == 20


@pytest.mark.parametrize("method", METHODS)
def test_a_deviation_within_the_accuracy_is_no_anomaly_in_a_calm_night(method: str) -> None:
    values = np.full((1, 36), 10.0)
    values[0, 20] = 10.3
    assert not (METHODS[method].scored(values, 0.3).score > LIMITS.score).any()
    values[0, 20] = 11.5
    assert (METHODS[method].scored(values, 0.3).score > LIMITS.score).any() or method == "3sigma"


@pytest.mark.parametrize("method", METHODS)
def test_a_reading_alone_in_its_window_is_no_anomaly(method: str) -> None:
    for slots in (1, 36):
        values = np.full((1, slots), np.nan)
        values[0, -1] = 15.0
        assert not (METHODS[method].scored(values, 0.3).score > LIMITS.score).any()


@pytest.mark.parametrize("method", METHODS)
def test_a_station_does_not_depend_on_the_others(method: str) -> None:
    many = np.vstack([series(seed) for seed in range(5)] + [np.full((1, 36), np.nan)])
    many[3, 4:9] = np.nan
    together = METHODS[method].scored(many, 0.3).score
    for row in range(5):
        alone = METHODS[method].scored(many[[row]], 0.3).score
        np.testing.assert_allclose(together[row], alone[0], atol=1e-5)
    assert np.isnan(together[5]).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_higher_threshold_flags_less_and_still_nothing_within_the_accuracy(method: str) -> None:
    values = random_series(200)
    flagged = []
    for threshold in (2.0, LIMITS.score, 5.0):
        of_all = METHODS[method].with_threshold(threshold)
        flagged.append(int((of_all.scored(values, 0.3).score > threshold).sum()))
        calm = np.full((1, 36), 10.0)
        calm[0, 20] = 10.3
        assert not (of_all.scored(calm, 0.3).score > threshold).any()
    assert flagged[0] > flagged[1] > flagged[2] > 0


def test_the_local_outlier_factor_is_that_of_scikit_learn() -> None:
    values = np.array([[10.2, 10.9, 11.3, 9.6, 12.4, 10.4, 13.1, 11.8, 10.0, 17.5, 11.1, 12.9]])
    # LocalOutlierFactor(n_neighbors=6) of scikit-learn 1.9.1; six are half of twelve.
    theirs = [
        0.998181, 0.948389, 0.907051, 1.131307, 1.171891, 1.031463, 1.371251, 1.086451, 0.998181, 3.819635, 0.915593,
        1.314291,
    ]  # fmt: skip
    np.testing.assert_allclose(local_outlier_factor(values)[0], theirs, atol=1e-6)


def test_isolation_is_the_mean_over_random_trees() -> None:
    values = np.array([3.0, 3.0, 3.4, 4.1, 9.0, 2.2, 3.1])
    random = np.random.default_rng(5)
    depth = np.zeros(7)

    def grow(inside: list[int], cuts: int) -> None:
        low, high = min(values[inside]), max(values[inside])
        if low == high:  # one reading, or two alike, which one more cut would part
            depth[inside] += cuts + len(inside) - 1
            return
        cut = random.uniform(low, high)
        grow([one for one in inside if values[one] <= cut], cuts + 1)
        grow([one for one in inside if values[one] > cut], cuts + 1)

    trees = 4000
    for _ in range(trees):
        grow(list(range(7)), 0)
    of_seven = 2 * sum(1 / one for one in range(1, 7)) - 2 * 6 / 7
    np.testing.assert_allclose(isolation(values[None])[0], 2 ** (-depth / trees / of_seven), atol=0.01)


def random_series(number: int) -> Floats:
    """Walks, waves, ARMA processes and skewed noise, some with a spike, some with gaps, rounded as sensors round."""
    random = np.random.default_rng(7)
    found = np.empty((number, 36))
    for row in range(number):
        shock = random.normal(0, 1, 40)
        match row % 4:
            case 0:
                values = 15 + 0.15 * shock.cumsum()
            case 1:
                values = 15 + 2 * np.sin(np.arange(40) / 12 + random.uniform(0, 6)) + 0.2 * shock
            case 2:
                ar, ma = random.uniform(-0.9, 0.95), random.uniform(-0.8, 0.8)
                values = np.zeros(40)
                for time in range(1, 40):
                    values[time] = ar * values[time - 1] + shock[time] + ma * shock[time - 1]
            case _:
                values = random.gamma(2, 4, 40)
        values = values[4:].round(1)
        if random.uniform() < 0.3:
            values[random.integers(36)] += random.choice([-1, 1]) * random.uniform(3, 20)
        if random.uniform() < 0.3:
            values[random.integers(36, size=3)] = np.nan
        found[row] = values
    return found


def test_arima_is_that_of_statsmodels() -> None:
    """The flagged points of all windows fitted at once, against one statsmodels fit after another."""
    from statsmodels.tsa.arima.model import ARIMA

    values = random_series(300)
    centre = median(values)
    spread = np.maximum(deviation(values - centre[:, None]), 0.1)
    expected = np.full(values.shape, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fits that do not converge, which also are to agree
        for row, window in enumerate((values - centre[:, None]) / spread[:, None]):
            fit = ARIMA(window, order=(1, 0, 1)).fit()
            expected[row] = np.where(np.isnan(window), np.nan, centre[row] + spread[row] * fit.fittedvalues)
            expected[row, np.argmax(~np.isnan(window))] = np.nan
    reference = np.abs(values - expected) / np.maximum(deviation(values - expected), 0.1)[:, None] > LIMITS.score
    ours = arima(values, 0.3, LIMITS.score).score > LIMITS.score
    there = ~np.isnan(values)
    differ = np.argwhere((ours != reference) & there)
    assert reference.sum() > 90
    assert len(differ) <= 0.01 * there.sum(), f"(series, time) where they differ: {differ.tolist()}"

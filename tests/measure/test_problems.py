import numpy as np
import pytest
from scipy.stats import binomtest

from ludus.measure.problems import mean_over_problems, over_problems, ratio, table


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Problems of unlike difficulty, eight samples each: with samples as units the intervals would be too narrow."""
    rng, hits = np.random.default_rng(0), {12: [], 60: []}
    for problems, held in hits.items():
        for _ in range(500):
            hard = rng.beta(1, 1, problems)
            value = mean_over_problems((rng.random((problems, 8)) < hard[:, None]).mean(axis=1), rng, (0, 1), "right")
            held.append(value.interval[0] <= 0.5 <= value.interval[1])
    assert {problems: 0.925 < np.mean(held) < 0.98 for problems, held in hits.items()} == {12: True, 60: True}


def test_problems_are_the_units_whatever_their_samples():
    """The same right answers written ten times are no news: the interval stays as wide."""
    each = np.random.default_rng(1).random(40)
    one = mean_over_problems(each, np.random.default_rng(0), (0, 1), "right")
    part, whole = 10 * each, np.full(40, 10.0)
    ten = over_problems(ratio(part, whole), 40, np.random.default_rng(0), (0, 1), "right")
    assert ten.number == pytest.approx(one.number) and ten.interval == pytest.approx(one.interval)
    low, high = one.interval
    assert (high - low) / 2 == pytest.approx(2.02 * each.std(ddof=1) / np.sqrt(40), rel=0.1)  # t of 39 degrees


def test_problems_that_are_all_alike_still_leave_something_open():
    value = mean_over_problems(np.ones(20), np.random.default_rng(0), (0, 1), "right")
    exact = binomtest(20, 20).proportion_ci(0.95, "exact")
    assert value.number == 1 and value.interval == pytest.approx((exact.low, 1.0))
    alone = mean_over_problems(np.array([0.5]), np.random.default_rng(0), (0, 1), "right")
    assert alone.interval == pytest.approx((0.5 - 0.975 / 2, 0.5 + 0.975 / 2))


def test_what_never_came_is_unknown():
    value = over_problems(ratio(np.zeros(3), np.zeros(3)), 3, np.random.default_rng(0), (0, 1), "rate")
    assert np.isnan(value.number) and value.interval == (0, 1) and "never came" in value.method


def test_a_statistic_that_noise_makes_larger():
    """|a| + |b| of two means, both truly zero, is above 0 in every drawing; told how far astray, the interval knows."""
    rng, plain, told = np.random.default_rng(0), [], []
    for _ in range(300):
        pair = rng.normal(size=(50, 2))

        def far(weight, pair=pair, other=0.0):
            return np.abs(weight @ pair / 50 - other).sum(axis=-1)

        def astray(weight, pair=pair, far=far):
            return far(weight, other=pair.mean(axis=0))

        plain.append(over_problems(far, 50, rng, (0, 9), "m").interval[0] <= 0)
        told.append(over_problems(far, 50, rng, (0, 9), "m", astray).interval[0] <= 0)
    assert np.mean(plain) == 0 and 0.91 < np.mean(told) < 0.98


@pytest.mark.parametrize(
    ("array", "truth", "told"),
    [
        (np.zeros(3), False, r"score: give an array\[Q, S\]"),
        (np.zeros((0, 3)), False, r"score: give an array\[Q, S\]"),
        (np.zeros((2, 2)), False, r"score: give one number per sample, shape \(2, 3\)"),
        (np.full((2, 3), np.nan), False, "score: give finite numbers"),
        (np.full((2, 3), "a"), False, "score: give finite numbers"),
        (np.full((2, 3), 0.5), True, "score: give booleans, or 0 and 1; float64 0.5 seen"),
    ],
)
def test_wrong_tables_are_refused(array, truth, told):
    with pytest.raises(ValueError, match=told):
        table("score", array, like=np.zeros((2, 3)), truth=truth)

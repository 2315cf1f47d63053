import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ludus.measure.verification import acceptance, balanced_accuracy


def rng():
    return np.random.default_rng(0)


@given(st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(lambda shape: arrays(bool, (2, *shape))))
@settings(max_examples=120, deadline=None)
def test_agrees_with_counting_one_by_one(both):
    accepted, correct = both
    of_right = [a for a, c in zip(accepted.ravel(), correct.ravel(), strict=True) if c]
    of_wrong = [a for a, c in zip(accepted.ravel(), correct.ravel(), strict=True) if not c]
    right = sum(of_right) / len(of_right) if of_right else np.nan
    wrong = sum(of_wrong) / len(of_wrong) if of_wrong else np.nan
    value = balanced_accuracy(accepted, correct, rng())
    assert value.number == pytest.approx((right + 1 - wrong) / 2, nan_ok=True)
    found = acceptance(accepted, correct, rng())
    assert found["right"].number == pytest.approx(right, nan_ok=True)
    assert found["wrong"].number == pytest.approx(wrong, nan_ok=True)
    mirrored = balanced_accuracy(~accepted, correct, rng())
    assert mirrored.number == pytest.approx(1 - value.number, nan_ok=True)


def test_who_does_not_look_is_right_half_the_time():
    """Nine replies in ten are right; accepting all is 90% accurate and tells nothing."""
    draws = np.random.default_rng(0)
    correct = draws.random((200, 10)) < 0.9
    everything = balanced_accuracy(np.ones_like(correct), correct, draws)
    assert everything.number == 0.5
    coin = balanced_accuracy(draws.random(correct.shape) < 0.9, correct, draws)
    assert coin.interval[0] < 0.5 < coin.interval[1]
    assert balanced_accuracy(correct, correct, draws).number == 1

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ludus.measure.pass_at_k import estimates, pass_at_k


def naive(row, k):
    drawn = [any(row[i] for i in chosen) for chosen in combinations(range(len(row)), k)]
    return sum(drawn) / len(drawn)


@given(arrays(bool, st.tuples(st.integers(1, 4), st.integers(1, 8))), st.data())
@settings(max_examples=80, deadline=None)
def test_agrees_with_drawing_every_subset(correct, data):
    k = data.draw(st.integers(1, correct.shape[1]))
    expected = [naive(row, k) for row in correct]
    assert estimates(correct, k) == pytest.approx(expected, abs=1e-12)
    value = pass_at_k(correct, k, np.random.default_rng(0))
    assert value.number == pytest.approx(np.mean(expected)) and value.kind == "sampled"
    assert value.interval[0] - 1e-9 <= value.number <= value.interval[1] + 1e-9


def test_known_values():
    """Of 200 samples 1 is right: pass@1 1/200, pass@100 1/2. More samples than factorials of floats can count."""
    correct = np.arange(2000) == 0
    assert estimates(correct[None, :200], 100)[0] == pytest.approx(0.5)
    assert estimates(correct[None], 1000)[0] == pytest.approx(0.5)
    assert pass_at_k(correct[None, :200], 1, np.random.default_rng(0)).number == pytest.approx(1 / 200)


def test_it_is_unbiased_where_the_plain_estimate_is_not():
    """Truth for p = 0.1 and k = 5: 1 - 0.9^5 = 0.40951."""
    correct = np.random.default_rng(0).random((40_000, 8)) < 0.1
    plain = 1 - (1 - correct.mean(axis=1)) ** 5
    assert estimates(correct, 5).mean() == pytest.approx(0.40951, abs=0.006)
    assert plain.mean() < 0.40951 - 0.03


@pytest.mark.parametrize("k", [0, 4, 1.5])
def test_wrong_k_is_refused(k):
    with pytest.raises(ValueError, match="k: from 1 to the 3 samples"):
        pass_at_k(np.zeros((2, 3), bool), k, np.random.default_rng(0))

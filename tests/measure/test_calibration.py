import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ludus.measure.calibration import brier_score, expected_calibration_error, reliability


def rng():
    return np.random.default_rng(0)


def naive_error(confidence, correct, bins):
    pairs = list(zip(confidence.ravel(), correct.ravel(), strict=True))
    total = 0.0
    for b in range(bins):
        inside = [pair for pair in pairs if b / bins < pair[0] <= (b + 1) / bins or (b == 0 and pair[0] == 0)]
        if inside:
            sure = sum(p for p, _ in inside) / len(inside)
            right = sum(c for _, c in inside) / len(inside)
            total += len(inside) / len(pairs) * abs(right - sure)
    return total


@st.composite
def judged(draw):
    shape = (draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    eighths = draw(arrays(np.int64, shape, elements=st.integers(0, 8)))  # exact, also where bins meet
    return eighths / 8, draw(arrays(bool, shape))


@given(judged(), st.sampled_from([1, 2, 4, 8]))
@settings(max_examples=120, deadline=None)
def test_agrees_with_loops(given_, bins):
    confidence, correct = given_
    value = expected_calibration_error(confidence, correct, rng(), bins)
    assert value.number == pytest.approx(naive_error(confidence, correct, bins))
    assert value.interval[0] <= value.number + 1e-9 <= value.interval[1] + 2e-9
    squares = [(p - c) ** 2 for p, c in zip(confidence.ravel(), correct.ravel(), strict=True)]
    assert brier_score(confidence, correct, rng()).number == pytest.approx(sum(squares) / len(squares))
    found = reliability(confidence, correct, bins)
    assert found.samples.sum() == confidence.size
    off = found.samples * np.abs(found.accuracy - found.confidence)
    assert np.nansum(off) / confidence.size == pytest.approx(value.number)


def test_known_values():
    confidence, correct = np.full((40, 1), 0.75), np.arange(40)[:, None] < 20
    assert expected_calibration_error(confidence, correct, rng()).number == pytest.approx(0.25)
    assert brier_score(np.full((40, 1), 0.5), correct, rng()).number == pytest.approx(0.25)


def test_the_interval_knows_that_noise_makes_the_error_larger():
    """Confidence that is true: the error is zero, the number never is, and the interval reaches zero."""
    draws = np.random.default_rng(1)
    held = []
    for _ in range(200):
        confidence = draws.random((60, 4))
        value = expected_calibration_error(confidence, draws.random((60, 4)) < confidence, draws)
        assert value.number > 0.02
        held.append(value.interval[0] == 0)
    assert np.mean(held) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 200)  # three standard errors of 200 trials


def test_the_interval_holds_a_true_error():
    """Always 0.95 and right in 7 of 10: the error is 0.25."""
    draws = np.random.default_rng(2)
    held = []
    for _ in range(300):
        value = expected_calibration_error(np.full((60, 4), 0.95), draws.random((60, 4)) < 0.7, draws)
        held.append(value.interval[0] <= 0.25 <= value.interval[1])
    assert 0.92 < np.mean(held) < 0.98


@pytest.mark.parametrize(
    ("confidence", "bins", "told"),
    [(1.5, 10, "confidence: give probabilities; 1.5 to 1.5 seen"), (0.5, 0, "bins: how many, 1 or more; 0 seen")],
)
def test_wrong_arguments_are_refused(confidence, bins, told):
    with pytest.raises(ValueError, match=told):
        expected_calibration_error(np.full((1, 1), confidence), np.ones((1, 1)), rng(), bins)

import numpy as np
import pytest

from ludus.measure.reward_hacking import reward_gap


def rng():
    return np.random.default_rng(0)


def test_an_exact_reward_has_no_gap():
    score = np.random.default_rng(1).integers(0, 2, (50, 4))
    value = reward_gap(score, score, rng())
    assert value.number == 0 and value.interval[0] < 0 < value.interval[1] and "none unlike" in value.method


def test_a_reward_that_can_be_fooled():
    """Three of ten wrong replies are paid as if right: the gap is 0.3 * 0.4 = 0.12, and the interval holds it."""
    draws, held = np.random.default_rng(2), []
    for _ in range(300):
        score = draws.random((50, 8)) < 0.6
        reward = score | (draws.random((50, 8)) < 0.3)
        value = reward_gap(reward, score, draws)
        assert value.number == pytest.approx(
            np.mean([int(r) - int(s) for r, s in zip(reward.flat, score.flat, strict=True)])
        )
        held.append(value.interval[0] <= 0.12 <= value.interval[1])
    assert 0.92 < np.mean(held) < 0.98


@pytest.mark.parametrize(
    ("reward", "score", "told"),
    [(1.5, 1.0, "reward: scale it to"), (1.0, -1.0, "score: scale it to"), (np.nan, 1.0, "reward: give finite")],
)
def test_wrong_arguments_are_refused(reward, score, told):
    with pytest.raises(ValueError, match=told):
        reward_gap(np.full((2, 2), reward), np.full((2, 2), score), rng())

"""SPO: games as they are described, the gap against brute force, and each part of the mechanism against its formula."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from ludus.normal_form import normal_form
from ludus.recipes.selfplay import spo
from ludus.recipes.selfplay.spo import ARMS, Contest, Run, Settings
from ludus.solve.zero_sum import zero_sum

STILL = np.ones((1, 3, 1))
ROCK_PAPER_SCISSORS = Contest("rps", np.array([[0.5, 0.0, 1.0], [1.0, 0.5, 0.0], [0.0, 1.0, 0.5]]), STILL, 1, 0.0)
BENT = Contest("bent", np.array([[0.5, 0.9, 0.3], [0.1, 0.5, 0.8], [0.7, 0.2, 0.5]]), STILL, 1, 0.1)
# A margin of 0.4, 0.2 and 0.3 around the ring: each option is played by the margin between the two others.
BENT_WINNER = np.array([0.3, 0.2, 0.4]) / 0.9


def keep(shape, size, queue=0):
    return Run(
        np.zeros(shape),
        np.zeros(shape[:3], np.int64),
        np.zeros((shape[0], size)),
        np.zeros(queue, np.int64),
        np.zeros(1, np.int64),
        np.zeros(size),
        np.ones(size),
    )


# What is compared


@pytest.mark.parametrize("seed", range(3))
def test_games_are_what_they_are_called(seed):
    rng = np.random.default_rng(seed)
    for family, size in product(spo.PREFERENCES, (3, 10, 50)):
        prefer = spo.PREFERENCES[family](size, rng)
        assert np.allclose(prefer + prefer.T, 1) and (prefer >= 0).all() and (prefer <= 1).all()
    ring = spo.cyclic(10, rng)
    above = ring > 0.5
    assert above[:5, 5:].all() and (above[:5, :5].sum(axis=1) == 2).all() and ring[:5].max() <= 1.0
    assert all(above[one, (one + 1) % 5] and above[one, (one + 2) % 5] for one in range(5))
    prefer = spo.transitive(10, rng)
    odds = np.log(prefer / prefer.T)
    assert np.allclose(odds[0, 1] + odds[1, 2], odds[0, 2])  # the law of Bradley and Terry


def test_no_contest_is_easy_and_flips_are_dealt_out():
    contests = spo.draw((3, 10, 50), np.random.default_rng(4))
    for family in spo.FAMILIES:
        assert sorted(c.flip for c in contests if c.name.startswith(family)) == [0.0, 0.1, 0.2]
    for contest in contests:
        margin = contest.prefer - 0.5
        assert np.allclose(margin, -margin.T)
        if contest.steps == 1:
            size = len(margin)
            assert 2 * (margin @ np.full(size, 1 / size)).max() >= 0.1
            pure = 2 * margin.max(axis=0)  # how far the best other option beats each
            assert (pure.min() < 1e-9) if contest.name.startswith("transitive") else (pure.min() >= 0.1)
    voters = [c.prefer[0, 1:] * 7 for c in contests if c.name.startswith("lottery")]
    assert all(np.allclose(shares, shares.round()) for shares in voters)


# The yardstick


def test_gaps_by_hand_and_by_the_linear_program():
    uniform, rock = np.full((1, 3), 1 / 3), np.eye(3)[:1]
    assert spo.gap(ROCK_PAPER_SCISSORS, uniform) == pytest.approx(0)
    assert spo.gap(ROCK_PAPER_SCISSORS, rock) == pytest.approx(1.0)
    assert spo.gap(ROCK_PAPER_SCISSORS, np.vstack([uniform, rock])) == pytest.approx(0.5)
    assert spo.gap(BENT, BENT_WINNER[None]) == pytest.approx(0)
    for size in (10, 50):
        contest = Contest("", spo.cyclic(size, np.random.default_rng(size)), np.ones((1, size, 1)), 1, 0.0)
        margin = contest.prefer - 0.5
        winner = zero_sum(normal_form(np.stack([margin, -margin], axis=2))).profiles[0][0]
        assert spo.gap(contest, winner[None]) == pytest.approx(0, abs=1e-9)


def small_walk(seed):
    """Two steps, two states, two actions: 16 trajectories, 5 histories, 32 policies without chance."""
    rng = np.random.default_rng(seed)
    margin = rng.uniform(-0.5, 0.5, (16, 16))
    return Contest("", 0.5 + (margin - margin.T) / 2, rng.dirichlet((1, 1), size=(2, 2)), 2, 0.0)


def chances(policy, contest):
    """Trajectories one by one, for two steps."""
    out = np.zeros(16)
    for number, (a, s, b, t) in enumerate(product(range(2), repeat=4)):
        first = policy[0, 0, a] * contest.transition[0, a, s]
        out[number] = first * policy[1, a * 2 + s, b] * contest.transition[s, b, t]
    return out


@pytest.mark.parametrize("seed", range(3))
def test_best_replies_to_walks_are_those_of_brute_force(seed):
    contest = small_walk(seed)
    policy = np.random.default_rng(seed).dirichlet((1, 1), size=(1, 2, 4))
    own = chances(policy[0], contest)
    assert np.allclose(spo.spread(policy, contest), own[None])
    best = -1.0
    for choice in product(range(2), repeat=5):
        pure = np.eye(2)[[[choice[0]] * 4, choice[1:]]]
        best = max(best, chances(pure, contest) @ (contest.prefer - 0.5) @ own)
    assert spo.gap(contest, own[None]) == pytest.approx(2 * best)


def test_pure_walks_are_policies():
    contest = spo.draw_walk("whole", np.random.default_rng(0))
    pure = spo.pure_walks(contest.transition)
    assert pure.shape == (2**7, 216) and np.allclose(pure.sum(axis=1), 1)
    uniform = np.full((1, 3, 36, 2), 0.5)
    assert np.allclose(pure.mean(axis=0), spo.spread(uniform, contest)[0])


def test_a_curve_that_falls_as_the_root_has_slope_minus_a_half():
    queries = 2.0 ** np.arange(spo.POINTS)
    assert spo.slope(np.array([3 / np.sqrt(queries), 0.1 / np.sqrt(queries)])).number == pytest.approx(-0.5)


# The mechanism


def test_rewards_are_shares_of_wins_against_batch_and_queue():
    certain = np.triu(np.ones((6, 6)))  # the smaller number always wins
    kept = keep((1, 1, 1, 6), 6, queue=3)
    kept.queue[:], kept.filled[0] = [2, 0, 5], 3
    reward = np.zeros((1, 3))
    drawn = np.array([[1, 4, 3]])
    asked = spo._compare(certain, drawn, kept, np.zeros(4, np.int64), 0, reward, np.random.default_rng(0))
    assert asked == 3 + 9
    assert np.allclose(reward, [[4 / 5, 1 / 5, 2 / 5]])
    kept.filled[0] = 0  # nothing was put there yet
    asked = spo._compare(certain, drawn, kept, np.zeros(4, np.int64), 0, reward, np.random.default_rng(0))
    assert asked == 3 and np.allclose(reward, [[1, 0, 1 / 2]])


def test_duels_are_between_the_two_policies():
    certain = np.triu(np.ones((6, 6)), 1)
    reward = np.zeros((2, 2))
    drawn = np.array([[1, 3], [2, 4]])
    kept = keep((2, 1, 1, 6), 6)
    assert spo._compare(certain, drawn, kept, np.zeros(4, np.int64), 0, reward, np.random.default_rng(0)) == 4
    assert np.allclose(reward, [[1, 1 / 2], [1 / 2, 0]])


def test_the_reward_model_learns_the_worths_it_assumes():
    prefer = spo.transitive(5, np.random.default_rng(3))
    kept, rng = keep((1, 1, 1, 5), 5), np.random.default_rng(1)
    drawn, reward, pool = np.zeros((1, 8), np.int64), np.zeros((1, 8)), np.arange(5)
    for _ in range(2000):
        spo._compare(prefer, drawn, kept, pool, 1, reward, rng)
    believed = 1 / (1 + np.exp(kept.score - kept.score[:, None]))
    assert np.abs(believed - prefer).max() < 0.06
    assert np.allclose(reward, kept.score[0])


def test_weights_grow_by_what_is_won_over_the_chance_of_the_action():
    kept = keep((1, 1, 1, 3), 3)
    policy, rate = np.array([[[[0.5, 0.3, 0.2]]]]), np.array([[[0.1]]])
    path = np.array([[[[0, 2]], [[0, 0]], [[0, 2]]]])
    spo._multiply(kept, policy, rate, path, np.array([[1.0, 0.25, 0.0]]), np.empty(1))
    assert np.allclose(kept.total[0, 0, 0], [-0.25 / 0.55 / 3, 0, 0])
    assert kept.visits[0, 0, 0] == 1
    spo._choose(kept, STILL, 4, policy, rate)
    eta = np.sqrt(2 * np.log(3) / (1.5 * 2))
    weight = np.exp(eta * kept.total[0, 0, 0])
    assert rate[0, 0, 0] == pytest.approx(eta) and np.allclose(policy[0, 0, 0], weight / weight.sum())


def test_the_gradient_is_that_of_the_clipped_objective():
    """Against finite differences of Schulman's equation 7 and the entropy, away from where the clip bends."""
    rng = np.random.default_rng(2)
    old, logits = np.array([0.4, 0.35, 0.25]), rng.normal(size=3)
    actions, reward = np.array([0, 1, 2, 2]), np.array([0.9, 0.1, 0.7, 0.2])

    def objective(logits):
        new = np.exp(logits) / np.exp(logits).sum()
        gain, ratio = reward - reward.mean(), new[actions] / old[actions]
        clipped = np.minimum(ratio * gain, np.clip(ratio, 0.8, 1.2) * gain)
        return clipped.mean() - 0.05 * new @ np.log(new)

    kept = keep((1, 1, 1, 3), 3)
    kept.total[0, 0, 0] = logits
    path = np.stack([np.zeros(4, np.int64), actions], axis=1)[None, :, None]
    work = np.empty((1, 3)), np.empty(1), np.empty(1)
    new, rate = np.empty((1, 1, 1, 3)), np.empty((1, 1, 1))
    spo._climb(kept, STILL, old[None, None, None], new, rate, path, reward[None], *work, (1, 1.0, 0.2, 0.05))
    steps = 1e-6 * np.eye(3)
    numeric = [(objective(logits + step) - objective(logits - step)) / 2e-6 for step in steps]
    assert np.allclose(kept.total[0, 0, 0] - logits, numeric, atol=1e-6)


@pytest.mark.parametrize("arm", ["spo", "dueling", "batch_2", "batch_8", "no_queue"])
def test_average_play_comes_to_the_minimax_winner(arm):
    curve, _, average = spo.learn(BENT, ARMS[arm], np.random.default_rng(0))
    assert np.abs(average - BENT_WINNER).max() < 0.06
    assert curve[-1] < 0.04 < curve[0]
    assert np.allclose(average.sum(axis=1), 1)


def test_coins_teach_nothing_and_a_reward_model_leaves_the_winner():
    curve, _, average = spo.learn(BENT, ARMS["coin"], np.random.default_rng(0))
    assert np.abs(average - 1 / 3).max() < 0.1 and curve[-1] > 0.05
    for arm in ("reward_model", "reward_model_online"):
        assert spo.learn(BENT, ARMS[arm], np.random.default_rng(0))[0][-1] > 0.1


def test_queries_are_bought_by_the_option():
    few = replace(Settings(), queries=400)
    kept = spo.learn(BENT, few, np.random.default_rng(0))
    assert len(kept[0]) == spo.POINTS
    with pytest.raises(ValueError, match="batch"):
        replace(few, batch=1)
    with pytest.raises(ValueError, match="queue"):
        replace(few, players=2)
    with pytest.raises(ValueError, match="sizes"):
        replace(few, sizes=(2,))

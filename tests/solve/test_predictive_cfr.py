"""Predictive CFR+: against the algorithm walked history by history, and stopped and continued."""

from dataclasses import replace

import numpy as np
import pytest
from tests import naive

from ludus.game import OVER
from ludus.games import load
from ludus.measure.nash_conv import nash_conv
from ludus.solve.best_response import values
from ludus.solve.cfr import cfr_plus
from ludus.solve.predictive_cfr import State, predictive_cfr_plus
from ludus.tree import grow


def naive_pcfr(tree, iterations, predict=1.0):
    """Algorithm 5 of Farina et al. (2021) in every infoset: z, and where it is matched, a guess of the next regret.

    predict  0 forgets the guess, and CFR+ with the same average is left.
    """
    children = [naive.children_of(tree, node) for node in range(len(tree.turn))]
    uniform = tree.legal / tree.legal.sum(axis=1, keepdims=True)
    z, total, strategy = np.zeros(tree.legal.shape), np.zeros(tree.legal.shape), uniform
    for t in range(1, iterations + 1):
        for player in range(tree.players):
            gain, own = np.zeros(tree.legal.shape), tree.player == player
            naive._walk_for_regret(tree, children, player, strategy, t**2, gain, total, 0, 1.0, 1.0)
            z[own] = np.maximum(z + gain, 0.0)[own]
            theta = np.maximum(z + predict * gain, 0.0)
            sums = theta.sum(axis=1, keepdims=True)
            matched = np.where(sums > 0, theta / np.where(sums > 0, sums, 1.0), uniform)
            strategy = np.where(own[:, None], matched, strategy)
    sums = total.sum(axis=1, keepdims=True)
    return np.where(sums > 0, total / np.where(sums > 0, sums, 1.0), uniform), strategy


@pytest.mark.parametrize("seed", [None, 0, 1])
@pytest.mark.parametrize("name", ["kuhn_poker", "kuhn_poker(players=3)"])
def test_agrees_with_the_algorithm_walked_history_by_history(name, seed):
    tree = grow(load(name))
    if seed is not None:
        payoff = np.random.default_rng(seed).normal(size=tree.payoff.shape) * (tree.turn == OVER)[:, None]
        tree = replace(tree, payoff=payoff)
    found = predictive_cfr_plus(tree, 7)
    average, strategy = naive_pcfr(tree, 7)
    assert found.average == pytest.approx(average, abs=1e-9)
    assert found.current == pytest.approx(strategy, abs=1e-9)


def test_without_the_prediction_it_would_be_another_algorithm():
    tree = grow(load("kuhn_poker"))
    average = predictive_cfr_plus(tree, 7).average
    assert np.abs(naive_pcfr(tree, 7, predict=0.0)[0] - average).max() > 0.01


def test_kuhn_poker_is_worth_minus_one_eighteenth():
    tree = grow(load("kuhn_poker"))
    solution = predictive_cfr_plus(tree, 5_000)
    gap = nash_conv(tree, solution.average).number
    assert 0 <= gap < 1 / 5_000  # the rate that the authors prove where predictions come true
    assert values(tree, solution.average) == pytest.approx([-1 / 18, 1 / 18], abs=max(gap, 1e-12))


def test_beats_cfr_plus_on_kuhn_poker_as_the_authors_found():
    tree = grow(load("kuhn_poker"))
    ours, plain = (nash_conv(tree, solve(tree, 1000).average).number for solve in (predictive_cfr_plus, cfr_plus))
    assert ours < plain / 10


def test_stopped_and_continued_is_the_same_bit_for_bit(tmp_path):
    whole = predictive_cfr_plus(grow(load("leduc_poker")), 60)
    half = predictive_cfr_plus(grow(load("leduc_poker")), 25)
    np.savez(tmp_path / "state.npz", **half.state._asdict())
    with np.load(tmp_path / "state.npz") as saved:
        rest = predictive_cfr_plus(grow(load("leduc_poker")), 35, state=State(**saved))
    assert rest.iterations == 60 and np.array_equal(rest.average, whole.average)
    assert np.array_equal(rest.current, whole.current)
    assert all(np.array_equal(one, other) for one, other in zip(rest.state, whole.state, strict=True))


def test_errors_name_the_argument():
    tree = grow(load("kuhn_poker"))
    with pytest.raises(ValueError, match=r"iterations: a whole number, at least 1, is needed, not 1\.5"):
        predictive_cfr_plus(tree, 1.5)
    state = predictive_cfr_plus(grow(load("leduc_poker")), 1).state
    with pytest.raises(ValueError, match=r"state: regret of this tree has shape \(12, 2\), not \(936, 3\)"):
        predictive_cfr_plus(tree, 1, state=state)

"""Discounted CFR: against the paper's words walked history by history, against OpenSpiel, stopped and continued."""

from dataclasses import replace

import numpy as np
import pytest
from tests import naive

from ludus.game import OVER
from ludus.games import load
from ludus.measure.nash_conv import nash_conv
from ludus.solve.best_response import values
from ludus.solve.cfr import State
from ludus.solve.discounted_cfr import discounted_cfr
from ludus.tree import grow

# NashConv of the average policy after so many iterations, by OpenSpiel 2.0.2:
#   solver = discounted_cfr.DCFRSolver(game)      (or LCFRSolver, which is alpha = beta = gamma = 1)
#   solver.evaluate_and_update_policy()           (as often)
#   exploitability.nash_conv(game, solver.average_policy())
LINEAR = {"alpha": 1.0, "beta": 1.0, "gamma": 1.0}
OPEN_SPIEL = [
    ("kuhn_poker", {}, {1: 0.9166666666666666, 2: 0.5166666666666666, 3: 0.2663690476190477, 10: 0.0455575678515272}),
    ("kuhn_poker", LINEAR, {2: 0.5277777777777777, 3: 0.2812499999999999, 100: 0.002178054730106682}),
    ("kuhn_poker(players=3)", {}, {2: 1.1199999999999997, 10: 0.10146674918802046, 30: 0.012179173490302259}),
    ("kuhn_poker(players=3)", LINEAR, {2: 1.2245370370370363, 10: 0.12944101299997268, 30: 0.023853084378585354}),
    ("leduc_poker", {}, {1: 4.747222222222222, 2: 4.110388888888888, 10: 1.557604093992403}),
]


@pytest.mark.parametrize(("name", "settings", "wanted"), OPEN_SPIEL)
def test_agrees_with_open_spiel_iteration_for_iteration(name, settings, wanted):
    tree, seen = grow(load(name)), {}
    discounted_cfr(
        tree, max(wanted), checkpoints=tuple(wanted),
        watch=lambda now: seen.update({now.iterations: nash_conv(tree, now.average).number}), **settings,
    )  # fmt: skip
    assert seen == pytest.approx(wanted, abs=1e-9)


def naive_dcfr(tree, iterations, alpha, beta, gamma):
    """The average and the regrets, discounted as the paper words it: everything shrinks every iteration."""
    children = [naive.children_of(tree, node) for node in range(len(tree.turn))]
    uniform = tree.legal / tree.legal.sum(axis=1, keepdims=True)
    regret, total, strategy = np.zeros(tree.legal.shape), np.zeros(tree.legal.shape), uniform
    for t in range(1, iterations + 1):
        for player in range(tree.players):
            gain, own = np.zeros(tree.legal.shape), tree.player == player
            naive._walk_for_regret(tree, children, player, strategy, 1.0, gain, total, 0, 1.0, 1.0)
            regret[own] += gain[own]
            shrink = np.where(regret > 0, t**alpha / (t**alpha + 1), t**beta / (t**beta + 1))
            regret[own] *= shrink[own]
            positive = np.maximum(regret, 0.0)
            sums = positive.sum(axis=1, keepdims=True)
            strategy = np.where(sums > 0, positive / np.where(sums > 0, sums, 1.0), uniform)
        total *= (t / (t + 1)) ** gamma
    sums = total.sum(axis=1, keepdims=True)
    return np.where(sums > 0, total / np.where(sums > 0, sums, 1.0), uniform), regret


@pytest.mark.parametrize("settings", [(1.5, 0.0, 2.0), (1.5, -0.5, 3.0), (0.5, 1.0, 0.0)])
@pytest.mark.parametrize("name", ["kuhn_poker", "kuhn_poker(players=3)"])
def test_agrees_with_the_paper_on_random_payoffs(name, settings):
    tree = grow(load(name))
    payoff = np.random.default_rng(0).normal(size=tree.payoff.shape) * (tree.turn == OVER)[:, None]
    tree = replace(tree, payoff=payoff)
    found = discounted_cfr(tree, 6, alpha=settings[0], beta=settings[1], gamma=settings[2])
    average, regret = naive_dcfr(tree, 6, *settings)
    assert found.average == pytest.approx(average, abs=1e-9)
    assert found.state.regret == pytest.approx(regret, abs=1e-9)


def test_kuhn_poker_is_worth_minus_one_eighteenth():
    tree = grow(load("kuhn_poker"))
    solution = discounted_cfr(tree, 10_000)
    gap = nash_conv(tree, solution.average).number
    assert 0 <= gap < 2 / np.sqrt(10_000)  # the order of the bound; it does far better
    assert values(tree, solution.average) == pytest.approx([-1 / 18, 1 / 18], abs=gap)


def test_stopped_and_continued_is_the_same_bit_for_bit(tmp_path):
    whole = discounted_cfr(grow(load("leduc_poker")), 60)
    half = discounted_cfr(grow(load("leduc_poker")), 25)
    np.savez(tmp_path / "state.npz", **half.state._asdict())
    with np.load(tmp_path / "state.npz") as saved:
        rest = discounted_cfr(grow(load("leduc_poker")), 35, state=State(**saved))
    assert rest.iterations == 60 and np.array_equal(rest.average, whole.average)
    assert np.array_equal(rest.current, whole.current)
    assert all(np.array_equal(one, other) for one, other in zip(rest.state, whole.state, strict=True))


def test_errors_name_the_argument():
    tree = grow(load("kuhn_poker"))
    with pytest.raises(ValueError, match="iterations: a whole number, at least 1, is needed, not 0"):
        discounted_cfr(tree, 0)
    with pytest.raises(ValueError, match="beta: a finite number is needed, not nan; leave it out for the usual one"):
        discounted_cfr(tree, 1, beta=float("nan"))
    state = discounted_cfr(grow(load("leduc_poker")), 1).state
    with pytest.raises(ValueError, match=r"state: regret of this tree has shape \(12, 2\), not \(936, 3\)"):
        discounted_cfr(tree, 1, state=state)

"""NashConv and exploitability: published numbers, recursion, equilibria."""

import numpy as np
import pytest
from tests import naive

from ludus.games import load
from ludus.measure.nash_conv import exploitability, nash_conv, sampled_nash_conv
from ludus.tree import grow


def uniform(tree):
    return tree.legal / tree.legal.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("game", "number"),
    [
        # OpenSpiel, open_spiel/python/algorithms/exploitability_test.py gives 11/12 for Kuhn poker; the others are
        # pyspiel.nash_conv of the uniform policy, OpenSpiel 2.0.2
        (load("kuhn_poker"), 11 / 12),
        (load("leduc_poker"), 4.747222222222222),
        (load("liars_dice(dice=1, faces=5)"), 1.4417417989417993),
        (load("liars_dice(dice=1, faces=6)"), 1.561488646384479),
        (load("kuhn_poker(players=3)"), 2.0625),
    ],
)
def test_uniform_play(game, number):
    tree = grow(game)
    value = nash_conv(tree, uniform(tree))
    assert value.number == pytest.approx(number, abs=1e-9)
    assert value.kind == "exact" and value.interval is None and "best response" in value.method
    assert exploitability(tree, uniform(tree)).number == pytest.approx(number / tree.players, abs=1e-9)


def test_agrees_with_recursion_over_the_rules():
    game = load("kuhn_poker")
    tree = grow(game)
    rng = np.random.default_rng(3)
    table = rng.dirichlet(np.ones(2), size=len(tree.player))
    policy = {
        (int(tree.player[row]), *tree.view[row].tolist()): {0: table[row, 0], 1: table[row, 1]}
        for row in range(len(tree.player))
    }
    assert nash_conv(tree, table).number == pytest.approx(naive.nash_conv(game, policy), abs=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 0.2, 1 / 3])
def test_the_equilibria_of_kuhn_poker_leave_nothing_to_gain(alpha):
    # Kuhn (1950): the first player bets the jack with probability alpha and the king with 3 alpha, checks the queen and
    # then calls with it with alpha + 1/3; the second player bluffs and calls one time in three
    bet = {"J": alpha, "Q": 0.0, "K": 3 * alpha, "J pass bet": 0.0, "Q pass bet": alpha + 1 / 3, "K pass bet": 1.0}
    bet |= {"J pass": 1 / 3, "Q pass": 0.0, "K pass": 1.0, "J bet": 0.0, "Q bet": 1 / 3, "K bet": 1.0}
    tree = grow(load("kuhn_poker"))
    odds = np.array([bet[tree.labels.infoset(row)] for row in range(12)])
    assert nash_conv(tree, np.stack([1 - odds, odds], axis=1)).number == pytest.approx(0.0, abs=1e-12)


def test_a_table_that_is_no_strategy_is_refused():
    tree = grow(load("kuhn_poker"))
    with pytest.raises(ValueError, match="table: row 0"):
        nash_conv(tree, np.zeros((12, 2)))


def test_a_sampled_policy_is_covered_by_its_interval():
    tree = grow(load("kuhn_poker"))
    table = tree.legal * np.array([0.3, 0.7])
    truth, rng, covered, numbers = nash_conv(tree, table).number, np.random.default_rng(0), 0, []
    for _ in range(100):
        value = sampled_nash_conv(tree, rng.multinomial(300, table), rng, resamples=200)
        covered += value.interval[0] <= truth <= value.interval[1]
        numbers.append(value.number)
    assert covered >= 88  # 95 is what is promised; 100 tries have a standard error of two
    assert abs(np.mean(numbers) - truth) < 0.01
    assert value.kind == "sampled" and "300 or more" in value.method


def test_counts_must_cover_every_infoset():
    tree = grow(load("kuhn_poker"))
    counts = np.ones(tree.legal.shape, int)
    counts[3] = 0
    with pytest.raises(ValueError, match="counts: one sampled action or more is needed"):
        sampled_nash_conv(tree, counts, np.random.default_rng(0))

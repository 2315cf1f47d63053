"""Magnetic mirror descent: against the update written out in probabilities, against equilibria solved for otherwise."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import root
from scipy.special import softmax
from tests import naive

from ludus.game import CHANCE, OVER
from ludus.games import load
from ludus.measure.nash_conv import nash_conv
from ludus.normal_form import as_tree, bimatrix
from ludus.solve.best_response import values
from ludus.solve.mirror_descent import State, conditional_values, mirror_descent, quantal_response_gap
from ludus.tree import grow


def naive_values(tree, table):
    """q of every infoset and action: its histories, weighted by what chance and the others do, played to the end."""
    reach = np.ones((len(tree.turn), tree.players))
    for node in range(1, len(tree.turn)):
        up = tree.parent[node]
        reach[node] = reach[up] * tree.chance[node]
        for player in range(tree.players):
            if tree.turn[up] not in (CHANCE, player):
                reach[node, player] *= table[tree.infoset[up], tree.action[node]]
    q = np.zeros(tree.legal.shape)
    for infoset, player in enumerate(tree.player):
        nodes = np.flatnonzero(tree.infoset == infoset)
        for node in nodes:
            for action, child in naive.children_of(tree, node):
                q[infoset, action] += reach[node, player] * naive.values_in_tree(tree, table, child)[player]
        q[infoset] /= reach[nodes, player].sum()
    return q


def naive_mmd(tree, iterations, temperature, step, trail):
    """Equation 12 of Sokota et al. (2023) with the magnet of their appendix H.5, in probabilities."""
    policy = magnet = tree.legal / tree.legal.sum(axis=1, keepdims=True)
    for _ in range(iterations):
        power = 1 / (1 + step * temperature)
        new = (policy * magnet ** (step * temperature) * np.exp(step * naive_values(tree, policy))) ** power
        policy = np.where(tree.legal, new, 0.0) / np.where(tree.legal, new, 0.0).sum(axis=1, keepdims=True)
        magnet = magnet ** (1 - trail) * policy**trail
        magnet = magnet / magnet.sum(axis=1, keepdims=True)
    return policy


@pytest.mark.parametrize("settings", [(1.0, 0.1, 0.05), (0.3, 0.5, 0.0), (2.0, 0.2, 1.0)])
@pytest.mark.parametrize("name", ["kuhn_poker", "kuhn_poker(players=3)"])
def test_agrees_with_the_equation_in_probabilities(name, settings):
    tree = grow(load(name))
    payoff = np.random.default_rng(0).normal(size=tree.payoff.shape) * (tree.turn == OVER)[:, None]
    tree = replace(tree, payoff=payoff)
    temperature, step, trail = settings
    found = mirror_descent(tree, 4, temperature=temperature, step=step, trail=trail)
    assert found.current == pytest.approx(naive_mmd(tree, 4, *settings), abs=1e-9)


def test_values_are_those_of_an_infoset_once_reached():
    tree, rng = grow(load("kuhn_poker")), np.random.default_rng(1)
    table = rng.dirichlet([1, 1], size=12)
    assert conditional_values(tree, table)[0] == pytest.approx(naive_values(tree, table), abs=1e-12)
    table[:] = [1.0, 0.0]  # nobody bets: infosets after a bet are not let come about
    q, reached = conditional_values(tree, table)
    after_bet = np.array(["bet" in tree.labels.infoset(row) for row in range(12)])
    assert (reached == ~after_bet).all() and (q[after_bet] == 0).all()


PENNIES = np.array([[3.0, -1.0], [-2.0, 1.0]])  # an uneven matching of pennies


def logit_equilibrium(rows, columns, temperature):
    """A quantal response equilibrium of a bimatrix game: the root of x = softmax(R y / t), y = softmax(x C / t)."""
    size = len(rows)

    def off(guess):
        x, y = guess[:size], guess[size:]
        return np.r_[softmax(rows @ y / temperature) - x, softmax(x @ columns / temperature) - y]

    found = root(off, np.r_[np.full(size, 1 / size), np.full(columns.shape[1], 1 / columns.shape[1])], tol=1e-12)
    assert np.abs(off(found.x)).max() < 1e-12
    return found.x[:size], found.x[size:]


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_a_magnet_that_stays_leads_to_the_quantal_response_equilibrium(temperature):
    tree = as_tree(bimatrix(PENNIES))
    table = mirror_descent(tree, 6000, temperature=temperature, step=temperature / 9, trail=0.0).current
    assert table == pytest.approx(np.array(logit_equilibrium(PENNIES, -PENNIES, temperature)), abs=1e-9)
    assert quantal_response_gap(tree, table, temperature) < 1e-9


@pytest.mark.parametrize("columns", [-PENNIES, PENNIES.T], ids=["zero_sum", "general_sum"])
def test_the_gap_is_zero_at_the_equilibrium_and_nowhere_near(columns):
    tree = as_tree(bimatrix(PENNIES, columns))
    table = np.array(logit_equilibrium(PENNIES, columns, 1.0))
    assert quantal_response_gap(tree, table, 1.0) < 1e-11
    for other in np.random.default_rng(3).dirichlet([1, 1], size=(5, 2)):
        slow = np.abs(softmax(naive_values(tree, other), axis=1) - other).max()
        assert quantal_response_gap(tree, other, 1.0) == pytest.approx(slow, abs=1e-12) and slow > 0.01


def test_converges_as_fast_as_theorem_3_4_says():
    payoff = np.random.default_rng(2).uniform(-1, 1, (4, 3))
    tree, temperature = as_tree(bimatrix(payoff)), 0.5
    step = temperature / np.abs(payoff).max() ** 2
    goal = logit_equilibrium(payoff, -payoff, temperature)
    legal = [tree.legal[seat] for seat in range(2)]

    def divergence(table):
        rows = [table[seat][legal[seat]] for seat in range(2)]
        return sum(float(g @ np.log(g / row)) for g, row in zip(goal, rows, strict=True))

    seen = {}
    start = divergence(tree.legal / tree.legal.sum(axis=1, keepdims=True))
    stops = (1, 2, 5, 10, 20, 40)
    mirror_descent(
        tree, 40, checkpoints=stops, watch=lambda now: seen.update({now.iterations: divergence(now.current)}),
        temperature=temperature, step=step, trail=0.0,
    )  # fmt: skip
    assert tuple(seen) == stops
    assert all(seen[t] <= start / (1 + step * temperature) ** t + 1e-12 for t in stops)


def test_the_agent_quantal_response_equilibrium_of_kuhn_poker():
    tree, temperature = grow(load("kuhn_poker")), 0.5

    def table_of(bets):
        return np.stack([1 - bets, bets], axis=1)

    def off(bets):
        return softmax(naive_values(tree, table_of(bets)) / temperature, axis=1)[:, 1] - bets

    solved = root(off, np.full(12, 0.5), tol=1e-13)
    assert solved.success
    found = mirror_descent(tree, 3000, temperature=temperature, step=temperature / 10, trail=0.0).current
    assert found == pytest.approx(table_of(solved.x), abs=1e-9)
    assert quantal_response_gap(tree, found, temperature) < 1e-9
    assert quantal_response_gap(tree, found, 0.6) > 1e-3  # it is of this temperature and no other


def test_a_magnet_that_trails_leads_to_nash():
    tree = grow(load("kuhn_poker"))
    gaps = []
    found = mirror_descent(
        tree, 3000, checkpoints=(30, 300, 3000), watch=lambda now: gaps.append(nash_conv(tree, now.current).number)
    )
    assert (np.diff(gaps) < 0).all() and gaps[-1] < gaps[0] / 1000
    assert values(tree, found.current) == pytest.approx([-1 / 18, 1 / 18], abs=gaps[-1])
    stays = mirror_descent(tree, 3000, trail=0.0).current
    assert nash_conv(tree, stays).number > gaps[0] / 10  # a magnet that stays does not get there


def test_stopped_and_continued_is_the_same_bit_for_bit(tmp_path):
    whole = mirror_descent(grow(load("leduc_poker")), 60)
    half = mirror_descent(grow(load("leduc_poker")), 25)
    np.savez(tmp_path / "state.npz", **half.state._asdict())
    with np.load(tmp_path / "state.npz") as saved:
        rest = mirror_descent(grow(load("leduc_poker")), 35, state=State(**saved))
    assert rest.iterations == 60 and np.array_equal(rest.current, whole.current)
    assert all(np.array_equal(one, other) for one, other in zip(rest.state, whole.state, strict=True))


def test_policies_are_strategies_even_where_payoffs_are_huge():
    tree = grow(load("leduc_poker"))
    table = mirror_descent(replace(tree, payoff=tree.payoff * 1e6), 30).current
    assert np.isfinite(table).all() and (table >= 0).all() and (table[~tree.legal] == 0).all()
    assert table.sum(axis=1) == pytest.approx(np.ones(len(table)))


def test_errors_name_the_argument():
    tree = grow(load("kuhn_poker"))
    for name, wrong in (("temperature", 0.0), ("step", float("inf"))):
        with pytest.raises(ValueError, match=f"{name}: a number above zero is needed, not {wrong}"):
            mirror_descent(tree, 1, **{name: wrong})
    with pytest.raises(ValueError, match="trail: a number from 0, a magnet that stays, to 1 is needed, not 2"):
        mirror_descent(tree, 1, trail=2)
    state = mirror_descent(grow(load("leduc_poker")), 1).state
    with pytest.raises(ValueError, match=r"state: policy of this tree has shape \(12, 2\), not \(936, 3\)"):
        mirror_descent(tree, 1, state=state)
    with pytest.raises(ValueError, match="temperature: a number above zero is needed, not -1"):
        quantal_response_gap(tree, np.full((12, 2), 0.5), -1)
    with pytest.raises(ValueError, match="table: row 0"):
        quantal_response_gap(tree, np.zeros((12, 2)), 1.0)

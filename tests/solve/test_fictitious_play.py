"""Fictitious play: against the paper's update of behaviour, against the normal form, against OpenSpiel, continued."""

from dataclasses import replace

import numpy as np
import pytest
from tests import naive

from ludus.game import CHANCE, OVER
from ludus.games import load
from ludus.measure.nash_conv import nash_conv
from ludus.solve.best_response import values
from ludus.solve.fictitious_play import State, fictitious_play
from ludus.tree import grow

# NashConv of the average policy after so many iterations, by OpenSpiel 2.0.2:
#   solver = fictitious_play.XFPSolver(game); solver.iteration() as often
#   exploitability.nash_conv(game, solver.average_policy())
OPEN_SPIEL = {
    "kuhn_poker": {1: 0.625, 2: 0.4166666666666665, 3: 0.35416666666666674, 10: 0.16666666666666685},
    "kuhn_poker(players=3)": {
        1: 1.075520833333333,
        2: 0.7893518518518517,
        3: 0.5983072916666665,
        10: 0.2792699724517905,
    },
}


@pytest.mark.parametrize("name", OPEN_SPIEL)
def test_agrees_with_open_spiel_iteration_for_iteration(name):
    tree, seen, wanted = grow(load(name)), {}, OPEN_SPIEL[name]
    fictitious_play(
        tree, max(wanted), checkpoints=tuple(wanted),
        watch=lambda now: seen.update({now.iterations: nash_conv(tree, now.average).number}),
    )  # fmt: skip
    assert seen == pytest.approx(wanted, abs=1e-9)


def naive_best_reply(tree, table, player):
    """{infoset: action} of a best response, by recursion over the infosets of the player."""
    reach = np.ones(len(tree.turn))
    for node in range(1, len(tree.turn)):
        up = tree.parent[node]
        other = tree.turn[up] >= 0 and tree.turn[up] != player
        reach[node] = reach[up] * (table[tree.infoset[up], tree.action[node]] if other else tree.chance[node])
    chosen = {}

    def worth(node):
        if tree.turn[node] == OVER:
            return tree.payoff[node, player]
        if tree.turn[node] == player:
            return worth(dict(naive.children_of(tree, node))[choose(tree.infoset[node])])
        odds = tree.chance if tree.turn[node] == CHANCE else table[tree.infoset[node]]
        return sum(
            (odds[child] if tree.turn[node] == CHANCE else odds[action]) * worth(child)
            for action, child in naive.children_of(tree, node)
        )

    def choose(infoset):
        if infoset not in chosen:
            gain = {}
            for node in np.flatnonzero(tree.infoset == infoset):
                for action, child in naive.children_of(tree, node):
                    gain[action] = gain.get(action, 0.0) + reach[node] * worth(child)
            chosen[infoset] = max(gain, key=lambda action: gain[action])
        return chosen[infoset]

    return {infoset: choose(infoset) for infoset in np.flatnonzero(tree.player == player)}


def own_reach(tree, table, infoset):
    """What the player itself contributes to reaching an infoset, from one of its histories."""
    node, product = int(np.flatnonzero(tree.infoset == infoset)[0]), 1.0
    while tree.parent[node] >= 0:
        up = tree.parent[node]
        if tree.turn[up] == tree.player[infoset]:
            product *= table[tree.infoset[up], tree.action[node]]
        node = up
    return product


def naive_xfp(tree, iterations):
    """Heinrich, Lanctot and Silver (2015), algorithm 1, each infoset moved on its own by its realisation weights."""
    average = tree.legal / tree.legal.sum(axis=1, keepdims=True)
    for t in range(1, iterations + 1):
        replies = np.zeros(tree.legal.shape)
        for player in range(tree.players):
            for infoset, action in naive_best_reply(tree, average, player).items():
                replies[infoset, action] = 1.0
        share, mixed = 1 / (t + 1), average.copy()
        for infoset in range(len(tree.player)):
            new = share * own_reach(tree, replies, infoset)
            old = (1 - share) * own_reach(tree, average, infoset)
            mixed[infoset] += new * (replies[infoset] - average[infoset]) / (old + new)
        average = mixed
    return average


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", ["kuhn_poker", "kuhn_poker(players=3)"])
def test_agrees_with_the_papers_update_of_behaviour(name, seed):
    tree = grow(load(name))
    payoff = np.random.default_rng(seed).normal(size=tree.payoff.shape) * (tree.turn == OVER)[:, None]
    tree = replace(tree, payoff=payoff)  # no ties, which either side may break in its own way
    assert fictitious_play(tree, 5).average == pytest.approx(naive_xfp(tree, 5), abs=1e-9)


def test_kuhn_poker_approaches_minus_one_eighteenth():
    tree = grow(load("kuhn_poker"))
    gaps = []
    solution = fictitious_play(
        tree, 10_000, checkpoints=(10, 100, 1000, 10_000),
        watch=lambda now: gaps.append(nash_conv(tree, now.average).number),
    )  # fmt: skip
    assert (np.diff(gaps) < 0).all() and gaps[-1] < gaps[0] / 10
    assert values(tree, solution.average) == pytest.approx([-1 / 18, 1 / 18], abs=gaps[-1])


def test_the_current_strategy_is_a_pure_best_response():
    tree = grow(load("leduc_poker"))
    before, after = fictitious_play(tree, 9), fictitious_play(tree, 10)
    assert ((after.current == 1.0).sum(axis=1) == 1).all() and (after.current.sum(axis=1) == 1).all()
    for player in range(2):
        both = np.where((tree.player == player)[:, None], after.current, before.average)
        assert values(tree, both)[player] == pytest.approx(naive.best_response_in_tree(tree, before.average, player))


def test_stopped_and_continued_is_the_same_bit_for_bit(tmp_path):
    whole = fictitious_play(grow(load("leduc_poker")), 60)
    half = fictitious_play(grow(load("leduc_poker")), 25)
    np.savez(tmp_path / "state.npz", **half.state._asdict())
    with np.load(tmp_path / "state.npz") as saved:
        rest = fictitious_play(grow(load("leduc_poker")), 35, state=State(**saved))
    assert rest.iterations == 60 and np.array_equal(rest.average, whole.average)
    assert np.array_equal(rest.current, whole.current) and np.array_equal(rest.state.total, whole.state.total)


def test_errors_name_the_argument():
    tree = grow(load("kuhn_poker"))
    with pytest.raises(ValueError, match="iterations: a whole number, at least 1, is needed, not -1"):
        fictitious_play(tree, -1)
    state = fictitious_play(grow(load("leduc_poker")), 1).state
    with pytest.raises(ValueError, match=r"state: total of this tree has shape \(12, 2\), not \(936, 3\)"):
        fictitious_play(tree, 1, state=state)

"""Monte Carlo CFR: every outcome of a walk enumerated, the compiled walk against the textbook's, Kuhn poker's value."""

from dataclasses import replace

import numpy as np
import pytest
from tests import naive

from ludus.game import CHANCE, OVER
from ludus.games import load
from ludus.measure.nash_conv import nash_conv
from ludus.normal_form import as_tree, bimatrix
from ludus.solve.best_response import values
from ludus.solve.mccfr import State, external_sampling, outcome_sampling
from ludus.tree import grow

SOLVERS = [external_sampling, outcome_sampling]
TREES = {
    "kuhn_poker": lambda: grow(load("kuhn_poker")),
    "three players": lambda: grow(load("kuhn_poker(players=3)")),
    "liars_dice": lambda: grow(load("liars_dice(dice=1, faces=2)")),
    "an unseen move": lambda: as_tree(bimatrix(np.arange(6.0).reshape(2, 3) % 4)),
}


def make(name, seed=0):
    """A tree with random payoffs, which are the same for no two games and sum to nothing."""
    tree = TREES[name]()
    payoff = np.random.default_rng(seed).normal(size=tree.payoff.shape) * (tree.turn == OVER)[:, None]
    return replace(tree, payoff=payoff)


def matched(tree, regret):
    """Regret matching, row by row."""
    strategy = np.zeros(tree.legal.shape)
    for row, legal in enumerate(tree.legal):
        positive = np.maximum(regret[row], 0.0) * legal
        strategy[row] = positive / positive.sum() if positive.sum() > 0 else legal / legal.sum()
    return strategy


def odds_at(tree, strategy, node):
    children = [child for _, child in naive.children_of(tree, node)]
    if tree.turn[node] == CHANCE:
        return children, tree.chance[children]
    return children, strategy[tree.infoset[node], tree.action[children]]


# --- the walks as the papers tell them; `choose(node, odds)` gives the place of the child that is drawn ---------------


def external_walk(tree, strategy, player, choose, gain, total, node=0):
    """What the player earns from here on; adds sampled regrets to gain and the next player's strategy to total."""
    if tree.turn[node] == OVER:
        return tree.payoff[node, player]
    row, (children, odds) = tree.infoset[node], odds_at(tree, strategy, node)
    if tree.turn[node] != player:
        if tree.turn[node] == (player + 1) % tree.players:
            total[row] += strategy[row]
        return external_walk(tree, strategy, player, choose, gain, total, children[choose(node, odds)])
    worth = [external_walk(tree, strategy, player, choose, gain, total, child) for child in children]
    for child, earned in zip(children, worth, strict=True):
        gain[row, tree.action[child]] += earned - odds @ worth
    return odds @ worth


def outcome_walk(tree, strategy, player, choose, gain, total, epsilon, node=0, drawn=1.0, others=1.0):
    """(payoff, probability of the game drawn, probability of its rest by the strategies), of one game.

    Equation 6 as it stands: every reach is carried, nothing is cancelled.
    """
    if tree.turn[node] == OVER:
        return tree.payoff[node, player], drawn, 1.0
    row, (children, odds) = tree.infoset[node], odds_at(tree, strategy, node)
    mine = tree.turn[node] == player
    tried = epsilon / len(odds) + (1 - epsilon) * odds if mine else odds
    picked = choose(node, tried)
    if tree.turn[node] == (player + 1) % tree.players:
        total[row] += others / drawn * strategy[row]
    payoff, game, rest = outcome_walk(
        tree, strategy, player, choose, gain, total, epsilon, children[picked], drawn * tried[picked],
        others if mine else others * odds[picked],
    )  # fmt: skip
    for place, child in enumerate(children if mine else ()):
        chosen = payoff * others * rest / game if place == picked else 0.0
        gain[row, tree.action[child]] += chosen - payoff * others * odds[picked] * rest / game
    return payoff, game, odds[picked] * rest


def walk_of(solve, epsilon):
    return external_walk if solve is external_sampling else lambda *given: outcome_walk(*given, epsilon)


# --- right on average: all that can be drawn, weighted by how likely it is --------------------------------------------


def expectation(tree, strategy, player, walk):
    """The mean of (gain, total) over everything that a walk can draw, each weighted by its probability."""
    mean, pending, weights = np.zeros((2, *tree.legal.shape)), [[]], 0.0
    while pending:
        script, taken, weight = pending.pop(), 0, 1.0

        def choose(node, odds):
            nonlocal taken, weight, script
            able = np.flatnonzero(odds)
            if taken == len(script):
                pending.extend([*script, pick] for pick in able[1:])
                script = [*script, able[0]]
            taken, weight = taken + 1, weight * odds[script[taken]]
            return script[taken - 1]

        sample = np.zeros((2, *tree.legal.shape))
        walk(tree, strategy, player, choose, *sample)
        mean += weight * sample
        weights += weight
    assert weights == pytest.approx(1.0, abs=1e-12)
    return mean


def reaches(tree, strategy):
    """How likely each player, and last chance, lets the game come to each node: float64[N, P + 1]."""
    reach = np.ones((len(tree.turn), tree.players + 1))
    for node in range(1, len(tree.turn)):
        up = tree.parent[node]
        mover = tree.turn[up]
        reach[node] = reach[up]
        reach[node, mover] *= tree.chance[node] if mover == CHANCE else strategy[tree.infoset[up], tree.action[node]]
    return reach


@pytest.mark.parametrize("solve", SOLVERS)
@pytest.mark.parametrize("name", ["kuhn_poker", "liars_dice", "an unseen move"])
def test_every_outcome_enumerated_gives_the_regrets_of_cfr_and_strategies_by_reach(name, solve):
    tree = make(name)
    strategy = matched(tree, np.random.default_rng(1).normal(size=tree.legal.shape))
    assert (strategy[tree.legal] == 0).any()
    reach = reaches(tree, strategy)
    for player in range(2):
        gain, total = expectation(tree, strategy, player, walk_of(solve, 0.3))
        regret, weighted = np.zeros(tree.legal.shape), np.zeros(tree.legal.shape)
        for node in np.flatnonzero(tree.turn >= 0):
            row, mover = tree.infoset[node], tree.turn[node]
            if mover == player:  # Zinkevich et al. (2007), equation 7
                here = naive.values_in_tree(tree, strategy, node)[player]
                for action, child in naive.children_of(tree, node):
                    there = naive.values_in_tree(tree, strategy, child)[player]
                    regret[row, action] += np.delete(reach[node], player).prod() * (there - here)
            else:
                weighted[row] += reach[node, mover] * reach[node, CHANCE] * strategy[row]
        assert gain == pytest.approx(regret, abs=1e-12)
        assert total == pytest.approx(weighted, abs=1e-12)


@pytest.mark.parametrize("solve", SOLVERS)
def test_with_three_players_the_regrets_are_right_on_average(solve):
    tree = make("three players")
    strategy = matched(tree, np.random.default_rng(5).normal(size=tree.legal.shape))
    gain, _ = expectation(tree, strategy, 2, walk_of(solve, 0.6))
    reach = reaches(tree, strategy)
    for row in np.flatnonzero(tree.player == 2)[::5]:
        for action in range(2):
            regret = 0.0
            for node in np.flatnonzero(tree.infoset == row):
                child = dict(naive.children_of(tree, node))[action]
                regret += reach[node, [0, 1, 3]].prod() * (
                    naive.values_in_tree(tree, strategy, child)[2] - naive.values_in_tree(tree, strategy, node)[2]
                )
            assert gain[row, action] == pytest.approx(regret, abs=1e-12)


# --- the compiled walks draw and add what the papers' do --------------------------------------------------------------


def in_order(rng):
    """Draw when asked, as one game does."""
    return lambda node, odds: pick(odds, rng.random())


def pick(odds, uniform):
    return next(place for place, passed in enumerate(np.cumsum(odds)) if uniform < passed)


def branch_by_branch(tree, strategy, player, rng):
    """Draw in the order of the compiled walk, which takes the decisions of the player from a queue."""
    drawn, queue = {}, [0]
    for node in queue:
        while tree.turn[node] not in (player, OVER):
            children, odds = odds_at(tree, strategy, node)
            drawn[node] = pick(odds, rng.random())
            node = children[drawn[node]]
        if tree.turn[node] == player:
            queue += odds_at(tree, strategy, node)[0]
    return lambda node, odds: drawn[node]


@pytest.mark.parametrize("solve", SOLVERS)
@pytest.mark.parametrize("name", TREES)
def test_the_compiled_walk_is_the_one_of_the_papers(name, solve):
    tree = make(name, seed=3)
    iterations, epsilon, rng = 40, 0.6, np.random.default_rng(7)
    regret, total = np.zeros((2, *tree.legal.shape))
    for _ in range(iterations):
        for player in range(tree.players):
            strategy, gain = matched(tree, regret), np.zeros(tree.legal.shape)
            choose = branch_by_branch(tree, strategy, player, rng) if solve is external_sampling else in_order(rng)
            walk_of(solve, epsilon)(tree, strategy, player, choose, gain, total)
            regret += gain
    ours = np.random.default_rng(7)
    solution = solve(tree, iterations, ours)
    assert solution.state.regret == pytest.approx(regret, abs=1e-9)
    assert solution.state.total == pytest.approx(total, abs=1e-9)
    assert solution.current == pytest.approx(matched(tree, regret), abs=1e-9)
    assert ours.random() == rng.random()


@pytest.mark.parametrize("solve", SOLVERS)
def test_the_mean_of_many_compiled_walks_is_the_regret_of_cfr(solve):
    tree, samples = make("kuhn_poker"), 2000
    start = State(np.random.default_rng(2).normal(size=tree.legal.shape), np.zeros(tree.legal.shape), 5)
    strategy, rng = matched(tree, start.regret), np.random.default_rng(11)
    own = tree.player == 0  # player 0 learns first, against what the other played before
    added = np.array([(solve(tree, 1, rng, start).state.regret - start.regret)[own] for _ in range(samples)])
    expected = expectation(tree, strategy, 0, external_walk)[0][own]
    error = added.std(axis=0) / np.sqrt(samples)
    assert (np.abs(added.mean(axis=0) - expected) <= 4.5 * error + 1e-12).all()
    assert (error > 0).any()


# --- solving ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("solve", "iterations"), [(external_sampling, 200_000), (outcome_sampling, 400_000)])
def test_kuhn_poker_is_worth_minus_one_eighteenth(solve, iterations):
    tree, gaps = grow(load("kuhn_poker")), []
    solution = solve(
        tree, iterations, np.random.default_rng(0), checkpoints=(iterations // 100, iterations),
        watch=lambda now: gaps.append(nash_conv(tree, now.average).number),
    )  # fmt: skip
    assert gaps[1] < gaps[0] / 3  # a hundred times the iterations: the error falls with their root, by ten
    assert gaps[1] < 0.02
    # in a zero-sum game no player can be further from the value than the two can gain together
    assert values(tree, solution.average) == pytest.approx([-1 / 18, 1 / 18], abs=gaps[1])


@pytest.mark.parametrize("solve", SOLVERS)
def test_leduc_poker_comes_closer_to_equilibrium(solve):
    tree, gaps = grow(load("leduc_poker")), []
    solve(
        tree, 160_000, np.random.default_rng(1), checkpoints=(10_000, 40_000, 160_000),
        watch=lambda now: gaps.append(nash_conv(tree, now.average).number),
    )  # fmt: skip
    assert gaps[2] < gaps[1] < gaps[0] < 4.747222  # of uniform play


@pytest.mark.parametrize("solve", SOLVERS)
@pytest.mark.parametrize("name", ["leduc_poker", "kuhn_poker(players=3)"])
def test_stopped_and_continued_is_the_same_bit_for_bit(solve, name, tmp_path):
    tree, rng = grow(load(name)), np.random.default_rng(4)
    whole = solve(tree, 1200, np.random.default_rng(4), checkpoints=(100, 700), watch=lambda now: None)
    half = solve(tree, 500, rng)
    np.savez(tmp_path / "state.npz", **half.state._asdict())
    again = np.random.default_rng()
    again.bit_generator.state = rng.bit_generator.state
    with np.load(tmp_path / "state.npz") as saved:
        rest = solve(grow(load(name)), 700, again, State(**saved))
    assert rest.iterations == whole.iterations == 1200
    for name in ("average", "current"):
        assert (getattr(rest, name) == getattr(whole, name)).all()
    for one, other in zip(rest.state, whole.state, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("solve", SOLVERS)
def test_a_state_is_left_as_it_was_and_checkpoints_count_from_the_first_iteration(solve):
    tree, seen, rng = grow(load("kuhn_poker")), [], np.random.default_rng(0)
    state = solve(tree, 10, rng, checkpoints=(5, 15), watch=seen.append).state
    kept = state.regret.copy(), state.total.copy()
    solve(tree, 10, rng, state, checkpoints=(5, 15), watch=seen.append)
    assert (state.regret == kept[0]).all() and (state.total == kept[1]).all()
    assert [now.iterations for now in seen] == [5, 15]
    assert not np.array_equal(seen[0].state.regret, kept[0])  # what a watcher was given does not move on either


@pytest.mark.parametrize("solve", SOLVERS)
def test_tables_are_strategies(solve):
    tree = grow(load("leduc_poker"))
    solution = solve(tree, 300, np.random.default_rng(0))
    for table in (solution.average, solution.current):
        assert table.sum(axis=1) == pytest.approx(np.ones(len(table)))
        assert (table >= 0).all() and (table[~tree.legal] == 0).all()
    for table in solution.state[:2]:
        assert (table[~tree.legal] == 0).all() and (table != 0).any()


def test_errors_name_the_argument():
    tree, rng = grow(load("kuhn_poker")), np.random.default_rng(0)
    for solve in SOLVERS:
        with pytest.raises(ValueError, match="iterations: a whole number, at least 1, is needed, not 0"):
            solve(tree, 0, rng)
        with pytest.raises(ValueError, match="rng: give a numpy Generator"):
            solve(tree, 1, 3)
        state = solve(grow(load("leduc_poker")), 1, rng).state
        with pytest.raises(ValueError, match=r"state: regret of this tree has shape \(12, 2\), not \(936, 3\)"):
            solve(tree, 5, rng, state)
        with pytest.raises(ValueError, match="tree: a player learns while another is drawn"):
            solve(replace(tree, payoff=tree.payoff[:, :1].copy()), 5, rng)
    for epsilon in (0, 1.5, np.nan):
        with pytest.raises(ValueError, match="epsilon: a probability above 0 is needed"):
            outcome_sampling(tree, 5, rng, epsilon=epsilon)

"""Approximate best responses: against the exact one where there is one, and where the tree is too large to grow."""

from functools import cache

import numpy as np
import pytest

from ludus.agents.tabular import tabular
from ludus.agents.uniform import uniform
from ludus.games import load
from ludus.measure.approximate_best_response import (
    _decisions,
    _worth,
    approximate_best_response,
    gain,
    learned_response,
)
from ludus.play import play
from ludus.solve.best_response import best_response, values
from ludus.solve.cfr import cfr, cfr_plus
from ludus.tree import TooLarge, grow, tabulate


def gains(tree, table, response, player):
    """Exactly, over playing the table: what the response gains, and what a best response does."""
    replaced, own = table.copy(), tree.player == player
    replaced[own] = tabulate(tree, response)[own]
    played = values(tree, table)[player]
    return values(tree, replaced)[player] - played, best_response(tree, table, player)[1] - played


@pytest.mark.parametrize("player", [0, 1])
@pytest.mark.parametrize(("name", "training", "share"), [("kuhn_poker", 4000, 0.999), ("leduc_poker", 8000, 0.6)])
def test_against_uniform_play_the_response_comes_near_the_best_one(name, training, share, player):
    game, tree, rng = load(name), grow(load(name)), np.random.default_rng(0)
    policies = [uniform, uniform]
    response = learned_response(game, policies, player, rng, training)
    gained, best = gains(tree, tabulate(tree, uniform), response, player)
    assert share * best < gained <= best + 1e-12
    value = gain(game, policies, player, response, rng, 4000)
    assert value.kind == "lower bound" and "4,000 fresh pairs" in value.method
    assert value.interval[0] < gained < value.interval[1]
    assert 0 < value.number == value.interval[0] < best


def test_learning_and_judging_in_one_call():
    game, policies, rng = load("kuhn_poker"), [uniform, uniform], np.random.default_rng(0)
    whole = approximate_best_response(game, policies, 0, np.random.default_rng(0), 1000, 500)
    value = gain(game, policies, 0, learned_response(game, policies, 0, rng, 1000), rng, 500)
    assert whole[:3] == value[:3] and "1,000 games" in whole.method


def test_the_interval_covers_and_the_bound_is_seldom_above_the_best_response():
    game, tree = load("kuhn_poker"), grow(load("kuhn_poker"))
    table, covered, above = cfr(tree, 5).average, 0, 0
    policies = [tabular(tree, table)] * 2
    for seed in range(20):
        rng = np.random.default_rng(seed)
        response = learned_response(game, policies, 1, rng, 100)
        value = gain(game, policies, 1, response, rng, 300)
        gained, best = gains(tree, table, response, 1)
        covered += value.interval[0] <= gained <= value.interval[1]
        above += value.number > best
    assert covered >= 16  # 95% is promised: 15 or fewer of 20 come about once in 400 tries
    assert above <= 3  # one in forty at most is promised: 4 or more of 20 come about once in 700 tries


def test_at_an_equilibrium_there_is_nothing_to_gain():
    game, tree = load("kuhn_poker"), grow(load("kuhn_poker"))
    policies = [tabular(tree, cfr_plus(tree, 2000).average)] * 2
    for player in (0, 1):
        value = approximate_best_response(game, policies, player, np.random.default_rng(1), 2000, 2000)
        assert value.number == 0.0 and value.interval[0] <= 0.0


def test_a_game_too_large_to_grow():
    game = load("connect_four")
    with pytest.raises(TooLarge):
        grow(game, limit=10_000)
    value = approximate_best_response(game, [uniform, uniform], 0, np.random.default_rng(0), 3000, 1000)
    assert value.number > 0  # so uniform play is beaten, up to one error in forty


@pytest.mark.parametrize("name", ["leduc_poker", "tic_tac_toe"])
def test_what_actions_were_worth_by_recursion(name):
    game, rng = load(name), np.random.default_rng(3)
    parts = [play(game, [uniform, uniform], games, rng) for games in (150, 90)]
    rows, follows = {}, {}
    worth = _worth([_decisions(part, 1, rows) for part in parts], len(rows), game.actions)
    assert len(parts[0].view) > len(rows)
    for part in parts:
        for number in range(len(part.payoff)):
            span = range(part.first[number], part.first[number + 1])
            mine = [(part.view[row].tobytes(), int(part.action[row])) for row in span if part.player[row] == 1]
            for place, pair in enumerate(mine):
                after = mine[place + 1][0] if place + 1 < len(mine) else part.payoff[number, 1]
                follows.setdefault(pair, []).append(after)

    @cache
    def best(view):
        return max(mean(view, action) for action in range(game.actions) if (view, action) in follows)

    @cache
    def mean(view, action):
        return np.mean([best(after) if isinstance(after, bytes) else after for after in follows[view, action]])

    for view, row in rows.items():
        tried = [action for action in range(game.actions) if (view, action) in follows]
        assert worth[row, tried] == pytest.approx([mean(view, action) for action in tried], abs=1e-12)
        assert (np.delete(worth[row], tried) == -np.inf).all()


def never(views, legal):
    """A policy unlike any other: the last legal action."""
    return np.eye(legal.shape[1])[legal.shape[1] - 1 - legal[:, ::-1].argmax(axis=1)]


class Chooses:
    def choose(self, views, legal, uniforms):
        return legal.argmax(axis=1), np.full(len(views), np.nan), {}


def test_where_no_game_came_it_plays_as_the_policy_that_it_replaces():
    game, tree = load("leduc_poker"), grow(load("leduc_poker"))
    own = tree.player == 0
    last, even = tabulate(tree, never), tabulate(tree, uniform)
    for replaced, expected in ((never, last), (Chooses(), even)):
        table = tabulate(tree, learned_response(game, [replaced, Chooses()], 0, np.random.default_rng(0), 3))
        same = (table == expected).all(axis=1)
        assert same[own].sum() > 400  # of 468
    assert not same[own].all()


def test_three_players_and_the_same_generator_gives_the_same_value():
    game, rng = load("kuhn_poker(players=3)"), np.random.default_rng(5)
    one = approximate_best_response(game, [uniform] * 3, 2, rng, 1000, 500)
    assert one == approximate_best_response(game, [uniform] * 3, 2, np.random.default_rng(5), 1000, 500)
    assert one.number > 0
    assert one != approximate_best_response(game, [uniform] * 3, 2, rng, 1000, 500)


def test_errors_name_the_argument():
    game, rng, both = load("kuhn_poker"), np.random.default_rng(0), [uniform, uniform]
    with pytest.raises(ValueError, match="player: kuhn_poker has players 0 to 1, not 2"):
        approximate_best_response(game, both, 2, rng)
    with pytest.raises(ValueError, match="training: a number of games, at least 1, is needed, not 0"):
        approximate_best_response(game, both, 0, rng, training=0)
    with pytest.raises(ValueError, match="evaluation: a number of games, at least 2, is needed, not 1"):
        approximate_best_response(game, both, 0, rng, evaluation=1)
    with pytest.raises(ValueError, match=r"games: a number of games, at least 2, is needed, not 2\.5"):
        gain(game, both, 0, uniform, rng, games=2.5)
    with pytest.raises(ValueError, match="player: kuhn_poker has players 0 to 1, not -1"):
        gain(game, both, -1, uniform, rng)
    with pytest.raises(ValueError, match="policies: kuhn_poker has 2 players, 1 given"):
        approximate_best_response(game, [uniform], 1, rng)
    with pytest.raises(ValueError, match="rng: give a numpy Generator"):
        approximate_best_response(game, both, 0, 3)
    with pytest.raises(ValueError, match="rng: give a numpy Generator"):
        gain(game, both, 0, uniform, 3)

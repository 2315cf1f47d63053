"""The published numbers of tests/known_values.py, one test a row."""

from functools import cache

import numpy as np
import pytest
from tests import naive
from tests.known_values import KNOWN

from ludus import games, tree
from ludus.game import OVER


def rows(*quantities):
    """A test for each row of these quantities."""
    known = [known for known in KNOWN if known.quantity.startswith(quantities)]
    return pytest.mark.parametrize("known", known, ids=[f"{row.game}-{row.quantity}" for row in known])


@cache
def grown(spec):
    return tree.grow(games.load(spec))


def uniform(spec):
    legal = grown(spec).legal
    return legal / legal.sum(axis=1, keepdims=True)


@rows("nodes", "infosets")
def test_sizes(known):
    found = grown(known.game)
    assert (len(found.turn) if known.quantity == "nodes" else len(found.player)) == known.number


@rows("terminal", "won")
def test_endings(known):
    found = grown(known.game)
    over = found.turn == OVER
    if known.quantity == "terminal histories":
        assert over.sum() == known.number
    else:
        assert (found.payoff[over, int(known.quantity[-1])] > 0).sum() == known.number


@rows("positions")
def test_positions(known):
    game = games.load(known.game)
    last = int(known.quantity.split()[2]) if "after" in known.quantity else 1000
    layer, met = {tuple(game.start)}, {tuple(game.start)}
    for _ in range(last):
        following = set()
        for position in layer:
            state = np.array(position)
            if game.kernels.turn(state) != OVER:
                for move in naive.moves_of(game, state):
                    child = state.copy()
                    game.kernels.apply(child, move)
                    following.add(tuple(child))
        layer = following
        met |= layer
        if not layer:
            break
    assert len(layer if "after" in known.quantity else met) == known.number


@rows("uniform")
def test_uniform_play(known):
    from ludus.measure.nash_conv import nash_conv
    from ludus.solve.best_response import values

    found = grown(known.game)
    if known.quantity == "uniform value":
        assert values(found, uniform(known.game)) == pytest.approx([known.number, -known.number], abs=1e-9)
    else:
        assert nash_conv(found, uniform(known.game)).number == pytest.approx(known.number, abs=1e-9)


@rows("uniform NashConv")
def test_uniform_play_by_recursion(known):
    if len(grown(known.game).turn) > 10_000:
        pytest.skip("more than 10,000 nodes take the slow recursion too long")
    game = games.load(known.game)
    assert naive.nash_conv(game, naive.uniform_policy(game)) == pytest.approx(known.number, abs=1e-9)


@rows("value")
def test_values(known):
    """CFR+ encloses the value: what player 0's strategy is sure of, and what player 1's lets it have at most."""
    from ludus.solve.best_response import best_response
    from ludus.solve.cfr import cfr_plus

    found = grown(known.game)
    table = cfr_plus(found, 100 if len(found.turn) > 100_000 else 1000).average
    low, high = -best_response(found, table, 1)[1], best_response(found, table, 0)[1]
    assert low - 1e-9 <= known.number <= high + 1e-9
    assert high - low < 0.02


@rows("value")
def test_values_by_the_linear_program(known):
    """The rows say where they come from; this computes them again, apart from the largest."""
    if len(grown(known.game).turn) > 30_000:
        pytest.skip("more than 30,000 nodes take the slow recursion half a minute")
    assert naive.zero_sum_value(games.load(known.game)) == pytest.approx(known.number, abs=1e-9)


@pytest.mark.parametrize("name", games.names())
def test_every_game_has_a_known_size(name):
    """A view that shows too much or too little changes the number of infosets, so it must be known."""
    rows = {known.quantity.split()[0] for known in KNOWN if known.game.split("(")[0] == name}
    assert {"nodes", "infosets"} <= rows or "positions" in rows

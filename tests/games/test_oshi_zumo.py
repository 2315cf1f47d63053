"""Oshi-Zumo by hand, and against backward induction, one matrix game a position, as Buro (2004) solved it."""

from functools import cache

import numpy as np
import pytest
from tests import naive
from tests.games.test_rules import played
from tests.simultaneous_naive import matrix_game

from ludus import games
from ludus.game import OVER


def told(game, state, player):
    return game.tell(np.array(naive.infoset_of(game, state, player)[1:]))


def test_a_game_by_hand():
    game = games.load("oshi_zumo(coins=5, size=1, min_bid=1, horizon=50)")
    state = played(game, 3)
    assert told(game, state, 0) == "coins 5 5 field #.W.# bid 3"
    assert told(game, state, 1) == "coins 5 5 field #.W.#"
    state = played(game, 3, 1)
    assert told(game, state, 0) == "coins 2 4 field #..W# bid 3 against 1"
    assert told(game, state, 1) == "coins 4 2 field #W..# bid 1 against 3"
    assert set(naive.moves_of(game, state)) == {1, 2}
    assert set(naive.moves_of(game, played(game, 3, 1, 2))) == {1, 2, 3, 4}
    state = played(game, 3, 1, 2, 1)
    assert game.kernels.turn(state) == OVER and naive.payoff_of(game, state) == (1, -1)  # over the edge, coins left
    state = played(game, 3, 1, 1, 3, 1, 1)
    assert game.kernels.turn(state) == OVER and naive.payoff_of(game, state) == (0, 0)  # in the middle, coins gone
    state = played(game, 3, 1, 2, 3, 0, 1)
    assert game.kernels.turn(state) == OVER and naive.payoff_of(game, state) == (-1, 1)  # pushed back twice


def test_who_has_less_than_the_least_bid_bids_what_is_left():
    game = games.load("oshi_zumo(coins=4, size=2, min_bid=3, horizon=50)")
    assert set(naive.moves_of(game, played(game))) == {3, 4}
    assert set(naive.moves_of(game, played(game, 3, 4))) == {1}
    assert set(naive.moves_of(game, played(game, 3, 4, 1))) == {0}
    assert naive.payoff_of(game, played(game, 3, 4, 1, 0)) == (0, 0)


def test_the_horizon_ends_a_game_in_which_nobody_bids():
    game = games.load("oshi_zumo(coins=3, size=1, min_bid=0, horizon=2)")
    state = played(game, 0, 0, 1, 0)
    assert game.kernels.turn(state) == OVER and naive.payoff_of(game, state) == (1, -1)
    assert naive.payoff_of(game, played(game, 0, 0, 0, 0)) == (0, 0)


@cache
def worth(coins, other, place, size):
    """(value, strategy of player 0, of player 1) of a position with a least bid of one."""
    if abs(place) > size or coins + other == 0:
        return np.sign(place), (), ()
    payoff = [
        [worth(coins - bid, other - reply, place + (bid > reply) - (bid < reply), size)[0] for reply in bids(other)]
        for bid in bids(coins)
    ]
    return matrix_game(payoff)


def bids(coins):
    return range(min(1, coins), coins + 1)


def test_backward_induction_is_an_equilibrium():
    game, policy = games.load("oshi_zumo(coins=5, size=1, min_bid=1, horizon=50)"), {}
    for _, state, mover, moves in naive.histories(game):
        if mover >= 0:
            place, coins, other = state[5:8].tolist()
            policy[naive.infoset_of(game, state, mover)] = dict(
                zip(sorted(moves), worth(coins, other, place, 1)[1 + mover], strict=True)
            )
    assert naive.nash_conv(game, policy) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("coins", "other", "place"), [(5, 3, 0), (3, 4, 1), (4, 2, -1)])
def test_uneven_positions_are_worth_the_same_by_two_linear_programs(coins, other, place):
    game = games.load("oshi_zumo(coins=5, size=1, min_bid=1, horizon=50)")
    start = game.start.copy()
    start[5:8] = place, coins, other
    value = worth(coins, other, place, 1)[0]
    assert abs(value) > 0.1
    assert naive.zero_sum_value(game._replace(start=start)) == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize(
    ("numbers", "what"),
    [
        ("coins=0", "coins has to be 1 to 50, not 0"),
        ("size=0", "size has to be 1"),
        ("min_bid=6", "min_bid has to be 0 to 5, not 6"),
        ("horizon=0", "horizon has to be 1"),
    ],
)
def test_impossible_numbers_are_refused(numbers, what):
    with pytest.raises(ValueError, match=f"oshi_zumo: {what}.*write for example oshi_zumo"):
        games.load(f"oshi_zumo({numbers})")

"""The tree against a slow recursion over the same rules."""

import numpy as np
import pytest
from numba import njit
from tests import naive

from ludus import games, tree
from ludus.game import CHANCE, OVER, Game, Kernels

SPECS = [
    "kuhn_poker",
    "leduc_poker",
    "liars_dice(dice=1, faces=3)",
    "liars_dice(dice=2, faces=2)",
    "negotiation(turns=3, bell=15)",
]


def histories_of(grown):
    """The actions that led to each node, read off parents."""
    histories = [()]
    for node in range(1, len(grown.turn)):
        histories.append((*histories[grown.parent[node]], int(grown.action[node])))
    return histories


@pytest.mark.parametrize("spec", SPECS)
def test_the_tree_is_what_a_recursion_finds(spec):
    game = games.load(spec)
    grown = tree.grow(game)
    row = {history: node for node, history in enumerate(histories_of(grown))}
    walked = list(naive.histories(game))
    assert len(row) == len(walked) == len(grown.turn)
    infosets = {}
    for actions, state, mover, moves in walked:
        node = row[actions]
        assert grown.turn[node] == mover
        children = range(grown.first[node], grown.first[node + 1])
        assert [int(grown.action[child]) for child in children] == list(moves)
        assert all(grown.parent[child] == node for child in children)
        odds = moves.values() if mover == CHANCE else [1.0] * len(moves)
        assert [float(grown.chance[child]) for child in children] == list(odds)
        assert tuple(grown.payoff[node]) == (naive.payoff_of(game, state) if mover == OVER else (0,) * game.players)
        if mover < 0:
            assert grown.infoset[node] == -1
            continue
        found = int(grown.infoset[node])
        infoset = naive.infoset_of(game, state, mover)
        assert infosets.setdefault(infoset, found) == found
        assert (grown.player[found], *grown.view[found]) == infoset
        assert set(np.flatnonzero(grown.legal[found])) == set(moves)
    assert sorted(infosets.values()) == list(range(len(grown.player)))


def test_nodes_stand_breadth_first_and_infosets_in_order_of_meeting():
    grown = tree.grow(games.load("leduc_poker"))
    assert (np.diff([len(history) for history in histories_of(grown)]) >= 0).all()
    met = grown.infoset[grown.infoset >= 0]
    first_met = np.unique(met, return_index=True)[1]
    assert (np.diff(first_met) > 0).all()


def test_shapes_and_labels():
    game = games.load("kuhn_poker")
    grown = tree.grow(game)
    assert (grown.parent[0], grown.action[0], grown.chance[0]) == (-1, -1, 1.0)
    assert grown.first.shape == (59,) and grown.payoff.shape == (58, 2)
    assert grown.legal.dtype == bool and grown.legal.shape == (12, 2) and grown.view.shape == (12, 5)
    assert grown.players == 2 and grown.perfect_recall
    assert grown.labels.players == ("player 0", "player 1") and grown.labels.actions == ("pass", "bet")
    assert {grown.labels.infoset(row) for row in range(12)} >= {"J", "J pass", "K pass bet"}


@njit
def count_turn(state):
    """Three players in turn say 0 or 1; each sees how many turns are left and the sum so far, as a large number."""
    return state[1] if state[0] > 0 else OVER


@njit
def count_options(state, weights):
    weights[:] = 1.0


@njit
def count_apply(state, action):
    state[0] -= 1
    state[1] = (state[1] + 1) % 3
    state[2] += action << 40


@njit
def count_payoff(state, out):
    for player in range(3):
        out[player] = state[2] >> 40


@njit
def count_view(state, player, out):
    out[0], out[1] = state[0], -state[2]


def counting(turns):
    return Game(
        "counting", "", "", ("zero", "one"), 3, 2, 0, np.array([turns, 0, 0]),
        Kernels(count_turn, count_options, count_apply, count_payoff, count_view), str, None, False,
    )  # fmt: skip


def test_a_game_that_is_over_is_one_node():
    grown = tree.grow(counting(0))
    assert list(grown.turn) == [OVER] and grown.legal.shape == (0, 2) and list(grown.first) == [1, 1]


def test_three_players_large_numbers_and_shared_infosets():
    grown = tree.grow(counting(11))
    assert len(grown.turn) == 2**12 - 1
    assert len(grown.player) == sum(turn + 1 for turn in range(11))  # turn t has seen a sum of 0 to t
    assert len(np.unique(np.column_stack([grown.player, grown.view]), axis=0)) == len(grown.player)


def test_the_limit_is_exact():
    game = games.load("kuhn_poker")
    assert len(tree.grow(game, limit=58).turn) == 58
    with pytest.raises(tree.TooLarge, match=r"limit: kuhn_poker has more than 57 nodes; raise limit="):
        tree.grow(game, limit=57)
    with pytest.raises(tree.TooLarge):
        tree.grow(games.load("connect_four"), limit=100_000)


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, "many"])
def test_a_limit_that_is_no_number_of_nodes(limit):
    with pytest.raises(ValueError, match="limit: "):
        tree.grow(games.load("kuhn_poker"), limit=limit)


def test_a_name_instead_of_a_game():
    with pytest.raises(ValueError, match=r"game: .*games\.load"):
        tree.grow("kuhn_poker")


def test_tabulate():
    grown = tree.grow(games.load("leduc_poker"))
    table = tree.tabulate(grown, lambda views, legal: legal / legal.sum(axis=1, keepdims=True))
    assert table.shape == (936, 3) and np.allclose(table.sum(axis=1), 1)


@pytest.mark.parametrize(
    "policy",
    [
        lambda views, legal: np.ones(legal.shape) / 3,  # weight on what is not legal
        lambda views, legal: legal * 1.0,  # more than one
        lambda views, legal: np.full(legal.shape, np.nan),
        lambda views, legal: np.array([[-1.0, 1.0, 1.0]] * len(legal)),
        lambda views, legal: np.ones((1, 3)) / 3,
    ],
)
def test_tabulate_refuses_what_is_no_policy(policy):
    with pytest.raises(ValueError, match="policy: "):
        tree.tabulate(tree.grow(games.load("leduc_poker")), policy)

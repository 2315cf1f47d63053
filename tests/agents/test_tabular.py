import dataclasses

import numpy as np
import pytest

from ludus.agents.tabular import tabular
from ludus.games.kuhn_poker import KUHN_POKER
from ludus.games.leduc_poker import LEDUC_POKER
from ludus.play import play
from ludus.tree import grow, tabulate


def random_table(tree, seed=3):
    table = np.random.default_rng(seed).random(tree.legal.shape) * tree.legal
    return table / table.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("game", [KUHN_POKER, LEDUC_POKER])
def test_a_table_comes_back_from_its_policy(game):
    tree = grow(game)
    table = random_table(tree)
    policy = tabular(tree, table)
    assert np.array_equal(tabulate(tree, policy), table)
    mixed = np.random.default_rng(0).permutation(len(table))
    assert np.array_equal(policy(tree.view[mixed], tree.legal[mixed]), table[mixed])


def test_play_records_the_probabilities_of_the_table():
    tree = grow(KUHN_POKER)
    table = random_table(tree)
    policy = tabular(tree, table)
    episodes = play(KUHN_POKER, [policy, policy], 500, np.random.default_rng(1))
    rows = [int(np.flatnonzero((tree.view == view).all(axis=1))[0]) for view in episodes.view]
    assert np.array_equal(episodes.prob, table[rows, episodes.action])


def test_a_view_from_another_game_is_refused():
    tree = grow(KUHN_POKER)
    policy = tabular(tree, random_table(tree))
    with pytest.raises(ValueError, match=r"views: \[9 9 9 9 9\] is no infoset of the tree"):
        policy(np.full((1, 5), 9), np.ones((1, 2), bool))
    with pytest.raises(ValueError, match=r"views: shape \(1, 4\) given; this table reads int64\[B, 5\]"):
        policy(np.zeros((1, 4), np.int64), np.ones((1, 2), bool))


def test_a_table_that_is_no_policy_is_refused():
    tree = grow(KUHN_POKER)
    with pytest.raises(ValueError, match="expected probabilities of shape"):
        tabular(tree, np.ones((3, 2)))
    with pytest.raises(ValueError, match="sum to one"):
        tabular(tree, np.ones(tree.legal.shape))


def test_players_who_share_a_view_must_share_the_row():
    tree = grow(KUHN_POKER)
    one, other = np.flatnonzero(tree.player == 0)[0], np.flatnonzero(tree.player == 1)[0]
    view = tree.view.copy()
    view[other] = view[one]
    blurred, table = dataclasses.replace(tree, view=view), random_table(tree)
    with pytest.raises(ValueError, match="players 0 and 1 share the view"):
        tabular(blurred, table)
    table[other] = table[one]
    assert np.array_equal(tabulate(blurred, tabular(blurred, table)), table)

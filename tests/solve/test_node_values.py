"""Sweeps over nodes, against the sequence form, a recursion and the laws of probability."""

import numpy as np
import pytest

from ludus.game import CHANCE, OVER
from ludus.games import load
from ludus.solve.best_response import values
from ludus.solve.node_values import node_values, own_reach, reaches
from ludus.tree import grow

GAMES = [load("kuhn_poker"), load("leduc_poker"), load("negotiation"), load("kuhn_poker(players=3)")]


def some_table(tree):
    weights = np.random.default_rng(0).random(tree.legal.shape) * tree.legal
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.name)
def test_the_root_is_worth_what_the_sequence_form_says(game):
    tree = grow(game)
    table = some_table(tree)
    np.testing.assert_allclose(node_values(tree, table)[0], values(tree, table), atol=1e-12)


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.name)
def test_endings_share_all_probability_and_pay_the_root_its_value(game):
    tree = grow(game)
    table = some_table(tree)
    reach = reaches(tree, table).prod(axis=1)
    over = tree.turn == OVER
    assert reach[over].sum() == pytest.approx(1)
    np.testing.assert_allclose(reach[over] @ tree.payoff[over], node_values(tree, table)[0], atol=1e-12)


def test_own_reach_is_the_product_of_own_choices():
    tree = grow(load("kuhn_poker"))
    table = some_table(tree)
    told = [tree.labels.infoset(row) for row in range(len(tree.player))]
    reach = own_reach(tree, table)
    for row, words in enumerate(told):
        card, *line = words.split()
        before = 1.0
        for place in range(tree.player[row], len(line), 2):  # the plies at which this player moved
            here = told.index(" ".join([card, *line[:place]]))
            before *= table[here, ("pass", "bet").index(line[place])]
        assert reach[row] == pytest.approx(before)


def test_the_columns_of_reach_belong_to_their_movers():
    tree = grow(load("kuhn_poker"))
    table = some_table(tree)
    reach = reaches(tree, table)
    for node in range(1, len(tree.turn)):
        mover = tree.turn[tree.parent[node]]
        column = tree.players if mover == CHANCE else mover
        same = np.arange(tree.players + 1) != column
        assert (reach[node, same] == reach[tree.parent[node], same]).all()

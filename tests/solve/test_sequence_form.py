"""The sequence form: its counts, that it keeps every payoff, and what it refuses."""

import gc
from dataclasses import replace
from weakref import ref

import numpy as np
import pytest

from ludus.game import CHANCE, OVER
from ludus.games import load
from ludus.solve.sequence_form import ImperfectRecall, fold
from ludus.tree import grow


@pytest.mark.parametrize("name", ["kuhn_poker", "leduc_poker", "liars_dice(dice=1, faces=3)"])
def test_as_many_sequences_as_legal_actions_and_one_empty_sequence_a_player(name):
    tree = grow(load(name))
    form = fold(tree)
    assert form.sequences == tree.legal.sum() + tree.players
    own = form.cell[form.cell >= 0]
    assert sorted(own) == sorted(np.flatnonzero(tree.legal))


@pytest.mark.parametrize(
    "game", [load("leduc_poker"), load("liars_dice(dice=1, faces=3)"), load("kuhn_poker(players=3)")]
)
def test_blocks_hold_every_payoff_once_where_its_sequences_meet(game):
    tree = grow(game)
    form = fold(tree)
    place = {int(cell): number for number, cell in enumerate(form.cell) if cell >= 0}
    wanted: dict = {}
    for node in np.flatnonzero(tree.turn == OVER):
        chance, last, at = 1.0, [int(root) for root in form.root[:-1]], node
        while at:
            up = tree.parent[at]
            if tree.turn[up] == CHANCE:
                chance *= tree.chance[at]
            elif last[tree.turn[up]] == form.root[tree.turn[up]]:
                last[tree.turn[up]] = place[int(tree.infoset[up] * tree.legal.shape[1] + tree.action[at])]
            at = up
        for player in range(tree.players):
            key = (player, last[player], *last[:player], *last[player + 1 :])
            wanted[key] = wanted.get(key, 0.0) + chance * tree.payoff[node, player]
    found: dict = {}
    for player in range(tree.players):
        for row, rows, length, entry in form.block[form.first_block[player] : form.first_block[player + 1]].tolist():
            assert rows % 4 == 0
            for index in range(rows * length):
                at = entry + index
                if form.weight[at]:
                    key = (player, int(form.target[row + index % rows]), *form.other[:, at].tolist())
                    assert key not in found
                    found[key] = form.weight[at]
    assert found == pytest.approx({key: number for key, number in wanted.items() if number})


def test_parents_are_sequences_of_the_same_player_that_come_earlier():
    form = fold(grow(load("leduc_poker")))
    for player in range(2):
        for first, place, size, _ in form.group[form.first_group[player] : form.first_group[player + 1]].tolist():
            parents = form.parent[place : place + size]
            assert (parents >= form.root[player]).all() and (parents < first).all()


def test_a_tree_is_folded_once_and_forgotten_with_the_tree():
    tree = grow(load("kuhn_poker"))
    assert fold(tree) is fold(tree)
    assert fold(replace(tree)) is not fold(tree)
    form = ref(fold(tree))
    del tree
    gc.collect()
    assert form() is None


def test_a_forgetful_player_is_refused_by_name():
    tree = grow(load("kuhn_poker"))
    forgotten = tree.infoset.copy()
    jack, jack_after_pass_bet = [  # player 0 with the jack: before its first action, and after pass and bet
        row for row in range(len(tree.player)) if tree.player[row] == 0 and tree.labels.infoset(row).startswith("J")
    ]
    forgotten[forgotten == jack_after_pass_bet] = jack
    with pytest.raises(ImperfectRecall, match="perfect recall is needed, but at 'J'"):
        fold(replace(tree, infoset=forgotten))

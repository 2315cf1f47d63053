"""Sweeps over the nodes of a tree: how likely each is, and what it is worth, under one policy table.

For any number of players and any game, perfect recall or not; the sequence form is faster where it applies.
"""

import numpy as np
from numba import types

from ludus.game import engine
from ludus.tree import Tree


def reaches(tree: Tree, table: np.ndarray) -> np.ndarray:
    """float64[N, P + 1]: what each player, and in the last column chance, contributes to the probability of a node."""
    return _down(tree.turn, tree.parent, tree.action, tree.chance, tree.infoset, table, tree.players)


def node_values(tree: Tree, table: np.ndarray) -> np.ndarray:
    """float64[N, P]: the expected payoff of each player once the node is reached."""
    return _up(tree.turn, tree.parent, tree.action, tree.chance, tree.infoset, tree.payoff, table)


def own_reach(tree: Tree, table: np.ndarray) -> np.ndarray:
    """float64[K]: what its own player contributes to reaching an infoset; with perfect recall the same at all nodes."""
    reach, out = reaches(tree, table), np.zeros(len(tree.player))
    decides = tree.infoset >= 0
    out[tree.infoset[decides]] = reach[decides, tree.turn[decides]]
    return out


_TABLE, _NODES, _EDGES = types.float64[:, ::1], types.int64[::1], types.float64[::1]


@engine(_TABLE(_NODES, _NODES, _NODES, _EDGES, _NODES, _TABLE, types.int64))
def _down(turn, parent, action, chance, infoset, table, players):
    reach = np.ones((len(turn), players + 1))
    for node in range(1, len(turn)):
        above = parent[node]
        reach[node] = reach[above]
        if turn[above] >= 0:
            reach[node, turn[above]] *= table[infoset[above], action[node]]
        else:
            reach[node, players] *= chance[node]
    return reach


@engine(_TABLE(_NODES, _NODES, _NODES, _EDGES, _NODES, _TABLE, _TABLE))
def _up(turn, parent, action, chance, infoset, payoff, table):
    value = payoff.copy()
    for node in range(len(turn) - 1, 0, -1):
        above = parent[node]
        weight = table[infoset[above], action[node]] if turn[above] >= 0 else chance[node]
        value[above] += weight * value[node]
    return value

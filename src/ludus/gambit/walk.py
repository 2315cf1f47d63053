"""Two walks over the nodes of a file: into breadth-first order, and past what each player has done."""

import numpy as np
from numba import types

from ludus.game import engine

_INTEGERS = types.int64[::1]


@engine(_INTEGERS(*(_INTEGERS,) * 3))
def breadth_first(child, first_child, children):
    """The nodes level by level; node n has children[n] children, from place first_child[n] of `child` on."""
    order, tail = np.zeros(len(children), np.int64), 1
    for head in range(len(order)):
        node = order[head]
        for place in range(first_child[node], first_child[node] + children[node]):
            order[tail] = child[place]
            tail += 1
    return order


@engine(types.boolean(*(_INTEGERS,) * 4, types.int64, types.int64))
def perfect_recall(parent, move, mover, slot, players, moves):
    """Whether all nodes of every infoset follow the same own action, or none.

    The nodes stand each before all that is below it. `slot` tells the actions apart that lead to nodes; mover[n] is the
    player at node n, negative where no player moves.
    """
    nodes = len(parent)
    last = np.arange(nodes)  # the last node below
    for node in range(nodes - 1, 0, -1):
        last[parent[node]] = max(last[parent[node]], last[node])
    # For each player a stack, linked by `under`, of the nodes that its actions have led to. A branch that was left is
    # taken off when the player is next asked.
    top, under, before = np.full(players, -1), np.full(nodes, -1), np.full(moves, -2)
    same = True
    for node in range(nodes):
        if node > 0 and mover[parent[node]] >= 0:
            player = mover[parent[node]]
            under[node], top[player] = top[player], node
        if mover[node] >= 0:
            player = mover[node]
            while top[player] >= 0 and last[top[player]] < node:
                top[player] = under[top[player]]
            led = slot[top[player]] if top[player] >= 0 else -1
            if before[move[node]] == -2:
                before[move[node]] = led
            same = same and before[move[node]] == led
    return same

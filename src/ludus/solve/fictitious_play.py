"""Extensive-form fictitious play: everybody best-responds to the average of what the others have done so far.

Each iteration, every player finds a best response to the others' average strategies and mixes it into its own average.
Whole strategies are mixed, not the choices of an infoset: each is weighted by how likely it would let the game come
there, its realisation weight, and that is the same as adding realisation plans. Then the process is fictitious play of
the normal form (Brown 1951), at a cost linear in the tree; its averages approach equilibrium in two-player zero-sum
and in potential games, slowly.

Heinrich, Lanctot and Silver (2015), "Fictitious self-play in extensive-form games", algorithm 1, full width; the
average counts every iteration, and the uniform strategy at the start, the same. Any number of players.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numba import njit, types

from ludus.game import engine
from ludus.solve.sequence_form import ACTION_VALUES, action_values
from ludus.solve.solution import Solution, averaged, check, run
from ludus.tree import Tree


class State(NamedTuple):
    """All the solver needs to go on, in the tree's numbering; saved as `_asdict()`, `State(**saved)` goes on.

    total       float64[K, A], realisation plans added up: the uniform one and every best response
    iterations  how many went before
    """

    total: np.ndarray
    iterations: int


def fictitious_play(
    tree: Tree,
    iterations: int,
    state: State | None = None,
    checkpoints: Sequence[int] = (),
    watch: Callable[[Solution], None] | None = None,
) -> Solution:
    """Run `iterations` more iterations; `current` is the last best response, the first action among equals.

    Arguments and errors as for `cfr`.
    """
    check(tree, iterations, state)
    if state is None:
        state = State(np.zeros(tree.legal.shape), 0)

    def sweep(form, first, count, total):
        return _iterate(
            first, count, form.root, form.parent, form.group, form.first_group,
            form.block, form.first_block, form.target, form.weight, form.other, total, action_values,
        )  # fmt: skip

    return run(tree, iterations, state, checkpoints, watch, sweep, partial(averaged, tree))


_INTEGERS, _NUMBERS, _SEQUENCES = types.int64[::1], types.float64[::1], types.uint32[::1]
_RECORDS = types.uint64[:, ::1]


@njit(cache=True)
def _respond(player, parent, group, first_group, worth, strategy, scratch):
    """Up one player's tree: a pure best response in strategy, the first action among equals. worth changes in place."""
    half = np.uint64(len(scratch) // 2)
    for number in range(first_group[player + 1] - 1, first_group[player] - 1, -1):
        first, place, size, actions = group[number, 0], group[number, 1], group[number, 2], group[number, 3]
        for i in range(size):
            scratch[i], scratch[half + i] = worth[first + i], 1.0
        for action in range(np.uint64(1), actions):
            at = first + action * size
            for i in range(size):
                scratch[i] = max(scratch[i], worth[at + i])
        for action in range(actions):
            at = first + action * size
            for i in range(size):
                chosen = scratch[half + i] if worth[at + i] == scratch[i] else 0.0
                strategy[at + i] = chosen
                scratch[half + i] -= chosen
        for i in range(size):
            worth[parent[place + i]] += scratch[i]


@njit(cache=True)
def _add(root, parent, group, strategy, plan, total):
    """Down the trees of all players: add the realisation plan of a strategy to total."""
    plan[root[:-1]] = 1.0
    for number in range(len(group)):
        first, place, size, actions = group[number, 0], group[number, 1], group[number, 2], group[number, 3]
        for action in range(actions):
            at = first + action * size
            for i in range(size):
                plan[at + i] = plan[parent[place + i]] * strategy[at + i]
                total[at + i] += plan[at + i]


@engine(
    _NUMBERS(
        *(types.int64,) * 2, _INTEGERS, _SEQUENCES, _RECORDS, _INTEGERS,
        _RECORDS, _INTEGERS, _SEQUENCES, _NUMBERS, types.uint32[:, ::1], _NUMBERS, types.FunctionType(ACTION_VALUES),
    ),
)  # fmt: skip
def _iterate(
    first_iteration, iterations, root, parent, group, first_group, block, first_block, target, weight, other,
    total, action_values,
):  # fmt: skip
    """The iterations: total, float64[S], changes in place; returns the last best responses, float64[S]."""
    strategy, plan, worth = np.zeros(len(total)), np.zeros(len(total)), np.zeros(len(total))
    scratch = np.zeros(2 * len(parent) + 2)
    if first_iteration == 1:
        for number in range(len(group)):
            first, size, actions = group[number, 0], group[number, 2], group[number, 3]
            strategy[first : first + size * actions] = 1.0 / actions
        _add(root, parent, group, strategy, plan, total)
    for iteration in range(first_iteration, first_iteration + iterations):
        for own in range(len(total)):
            plan[own], worth[own] = total[own] / iteration, 0.0
        plan[root[:-1]] = 1.0
        for player in range(len(root) - 1):  # all answer the same averages, so none changes before all have answered
            action_values(player, block, first_block, target, weight, other, plan, worth)
            _respond(player, parent, group, first_group, worth, strategy, scratch)
        _add(root, parent, group, strategy, plan, total)  # the new average is total / (iteration + 1)
    return strategy

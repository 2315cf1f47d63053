"""Counterfactual regret minimisation: CFR and CFR+, as sweeps over the sequence form.

In every infoset a player keeps one regret per action and plays each action in proportion to its positive regret. The
regret of an action is what it would have earned more than the strategy did, weighted by the probability that chance and
the others (not the player) let the game come there. The average of the strategies played approaches equilibrium in
two-player zero-sum games; elsewhere nothing is promised, and NashConv says how far it got.

An iteration updates the players in turn, each against what the others have just become (alternating updates).

Zinkevich, Johanson, Bowling and Piccione (2007), "Regret minimization in games with incomplete information",
equations 7 and 8. CFR+: Tammelin (2014), arXiv:1407.5042.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numba import njit, types

from ludus.solve.regret_matching import MATCH_REGRETS, REGRET_ACTIONS, match_regrets, regret_actions
from ludus.solve.sequence_form import ACTION_VALUES, action_values
from ludus.solve.solution import Solution, averaged, check, run
from ludus.tree import Tree


class State(NamedTuple):
    """All a solver needs to go on, in the tree's numbering. Saved as `_asdict()`, `State(**saved)` goes on bit for bit.

    regret      float64[K, A], cumulated counterfactual regrets
    total       float64[K, A], cumulated realisation plans, weighted as the algorithm weights its iterations
    iterations  how many went before
    """

    regret: np.ndarray
    total: np.ndarray
    iterations: int


def cfr(
    tree: Tree,
    iterations: int,
    state: State | None = None,
    checkpoints: Sequence[int] = (),
    watch: Callable[[Solution], None] | None = None,
) -> Solution:
    """Run CFR for `iterations` more iterations; every iteration counts the same in the average.

    state        where an earlier call ended; None starts from zero regrets, uniform play
    checkpoints  iterations, counted from the very first, after which `watch` is called with the Solution so far:
                 `watch=lambda now: curve.append((now.iterations, nash_conv(tree, now.average)))`

    The same call gives the same numbers, in one piece or continued. Raises ImperfectRecall where the tree has no
    sequence form, and ValueError.
    """
    return _solve(tree, iterations, state, checkpoints, watch, plus=False)


def cfr_plus(
    tree: Tree,
    iterations: int,
    state: State | None = None,
    checkpoints: Sequence[int] = (),
    watch: Callable[[Solution], None] | None = None,
) -> Solution:
    """Run CFR+ for `iterations` more iterations: regrets never fall below zero, iteration t counts t times.

    Arguments and errors as for `cfr`. A state must come from the same algorithm.
    """
    return _solve(tree, iterations, state, checkpoints, watch, plus=True)


def _solve(tree, iterations, state, checkpoints, watch, plus):
    check(tree, iterations, state)
    if state is None:
        state = State(np.zeros(tree.legal.shape), np.zeros(tree.legal.shape), 0)
    if plus and (np.asarray(state.regret) < 0).any():
        raise ValueError(
            "state: CFR+ has no negative regrets, this state has; continue it with cfr, or start without it"
        )

    def sweep(form, first, count, regret, total):
        return _iterate(
            first, count, plus, form.root, form.parent, form.group, form.first_group,
            form.block, form.first_block, form.target, form.weight, form.other, regret, total,
            action_values, regret_actions, match_regrets,
        )  # fmt: skip

    return run(tree, iterations, state, checkpoints, watch, sweep, partial(averaged, tree))


_INTEGERS, _NUMBERS, _SEQUENCES = types.int64[::1], types.float64[::1], types.uint32[::1]
_RECORDS = types.uint64[:, ::1]


@njit(
    _NUMBERS(
        *(types.int64,) * 2, types.boolean, _INTEGERS, _SEQUENCES, _RECORDS, _INTEGERS,
        _RECORDS, _INTEGERS, _SEQUENCES, _NUMBERS, types.uint32[:, ::1],
        *(_NUMBERS,) * 2, types.FunctionType(ACTION_VALUES), types.FunctionType(REGRET_ACTIONS),
        types.FunctionType(MATCH_REGRETS),
    ),
    cache=True,
)  # fmt: skip
def _iterate(
    first_iteration, iterations, plus, root, parent, group, first_group, block, first_block, target, weight, other,
    regret, total, action_values, regret_actions, match_regrets,
):  # fmt: skip
    """The iterations themselves: regret and total, float64[S], change in place; returns the strategy, float64[S]."""
    floor = 0.0 if plus else -np.inf
    strategy, plan, worth = np.zeros(len(regret)), np.zeros(len(regret)), np.zeros(len(regret))
    scratch = np.zeros(2 * len(parent) + 2)
    for player in range(len(root) - 1):
        match_regrets(player, root, parent, group, first_group, regret, strategy, plan, scratch)
    for iteration in range(first_iteration, first_iteration + iterations):
        share = float(iteration) if plus else 1.0
        for player in range(len(root) - 1):
            for own in range(np.uint64(root[player]), np.uint64(root[player + 1])):
                total[own] += share * plan[own]
                worth[own] = 0.0
            action_values(player, block, first_block, target, weight, other, plan, worth)
            regret_actions(player, parent, group, first_group, strategy, worth, scratch)
            for own in range(np.uint64(root[player] + 1), np.uint64(root[player + 1])):
                # equation 7; Tammelin's floor keeps a bad past from being remembered
                regret[own] = max(regret[own] + worth[own], floor)
            match_regrets(player, root, parent, group, first_group, regret, strategy, plan, scratch)
    return strategy

"""Counterfactual regret minimisation: CFR and CFR+, as sweeps over the sequence form.

In every infoset a player keeps one regret per action and plays each action in proportion to its positive regret. The
regret of an action is what it would have earned more than the strategy did, weighted by the probability that chance and
the others (not the player) let the game come there. The average of the strategies played approaches equilibrium in
two-player zero-sum games; elsewhere nothing is promised, and NashConv says how far it got.

An iteration updates the players in turn, each against what the others have just become (alternating updates).

Zinkevich, Johanson, Bowling and Piccione (2007), "Regret minimization in games with incomplete information",
equations 7 and 8. CFR+: Tammelin (2014), arXiv:1407.5042.
"""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numba import njit, types

from ludus.solve.sequence_form import ACTION_VALUES, SequenceForm, action_values, fold
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


class Solution(NamedTuple):
    """Where a solver has come to.

    average     float64[K, A], the average strategy: this is what approaches equilibrium
    current     float64[K, A], the strategy that the regrets stand for now
    iterations  since the very first, earlier calls included
    seconds     wall time of the sweeps of this call; folding the tree and making tables are left out
    state       hand it back as `state` to go on
    """

    average: np.ndarray
    current: np.ndarray
    iterations: int
    seconds: float
    state: State


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
    form = fold(tree)
    done, regret, total = _start(tree, form, iterations, state, plus)
    last, seconds = done + iterations, 0.0
    stops = sorted({stop for stop in checkpoints if done < stop < last} | {last})
    piece = max(1, 20_000_000 // (len(form.weight) + form.sequences))  # keeps the keyboard's interrupt alive
    for stop in stops:
        start = time.perf_counter()
        while done < stop:
            count = min(piece, stop - done)
            strategy = _iterate(
                done + 1, count, plus, form.root, form.parent, form.group, form.first_group,
                form.block, form.first_block, form.target, form.weight, form.other, regret, total, action_values,
            )  # fmt: skip
            done += count
        seconds += time.perf_counter() - start
        solution = _solution(tree, form, regret, total, strategy, done, seconds)
        if watch is not None and stop in checkpoints:
            watch(solution)
    return solution


def _start(tree, form, iterations, state, plus):
    if not isinstance(iterations, int | np.integer) or iterations < 1:
        raise ValueError(f"iterations: a whole number, at least 1, is needed, not {iterations!r}")
    if state is None:
        return 0, np.zeros(form.sequences), np.zeros(form.sequences)
    for name in ("regret", "total"):
        shape = np.shape(getattr(state, name))
        if shape != tree.legal.shape:
            raise ValueError(
                f"state: {name} of this tree has shape {tree.legal.shape}, not {shape}; pass the state of the same tree"
            )
    if plus and (np.asarray(state.regret) < 0).any():
        raise ValueError(
            "state: CFR+ has no negative regrets, this state has; continue it with cfr, or start without it"
        )
    return int(state.iterations), *(_flat(form, table) for table in (state.regret, state.total))


def _solution(tree, form, regret, total, strategy, done, seconds):
    weights = _table(tree, form, total)
    sums = weights.sum(axis=1, keepdims=True)
    uniform = tree.legal / tree.legal.sum(axis=1, keepdims=True)
    average = np.where(sums > 0, weights / np.where(sums > 0, sums, 1.0), uniform)
    state = State(_table(tree, form, regret), weights, done)
    return Solution(average, _table(tree, form, strategy), done, seconds, state)


def _table(tree: Tree, form: SequenceForm, numbers: np.ndarray) -> np.ndarray:
    """Numbers of sequences, float64[S], as a table float64[K, A]."""
    table = np.zeros(tree.legal.shape)
    own = form.cell >= 0
    table.ravel()[form.cell[own]] = numbers[own]
    return table


def _flat(form: SequenceForm, table: np.ndarray) -> np.ndarray:
    """A table float64[K, A] as numbers of sequences, float64[S], zero at the empty sequences."""
    return np.where(form.cell >= 0, np.asarray(table, np.float64).ravel()[form.cell], 0.0)


_INTEGERS, _NUMBERS, _SEQUENCES = types.int64[::1], types.float64[::1], types.uint32[::1]
_RECORDS = types.uint64[:, ::1]


@njit(types.void(types.int64, _INTEGERS, _SEQUENCES, _RECORDS, _INTEGERS, *(_NUMBERS,) * 4), cache=True)
def _match(player, root, parent, group, first_group, regret, strategy, plan, scratch):
    """Regret matching (Zinkevich et al. 2007, equation 8) and, from the root down, the realisation plan it gives."""
    plan[root[player]] = 1.0
    half = np.uint64(len(scratch) // 2)
    for number in range(first_group[player], first_group[player + 1]):
        first, place, size, actions = group[number, 0], group[number, 1], group[number, 2], group[number, 3]
        for i in range(size):
            scratch[i] = 0.0
            scratch[half + i] = plan[parent[place + i]]
        for action in range(actions):
            at = first + action * size
            for i in range(size):
                scratch[i] += max(regret[at + i], 0.0)
        for action in range(actions):
            at = first + action * size
            for i in range(size):
                chosen = max(regret[at + i], 0.0) / scratch[i] if scratch[i] > 0.0 else 1.0 / actions
                strategy[at + i] = chosen
                plan[at + i] = scratch[half + i] * chosen


@njit(
    _NUMBERS(
        *(types.int64,) * 2, types.boolean, _INTEGERS, _SEQUENCES, _RECORDS, _INTEGERS,
        _RECORDS, _INTEGERS, _SEQUENCES, _NUMBERS, types.uint32[:, ::1],
        *(_NUMBERS,) * 2, types.FunctionType(ACTION_VALUES),
    ),
    cache=True,
)  # fmt: skip
def _iterate(
    first_iteration, iterations, plus, root, parent, group, first_group, block, first_block, target, weight, other,
    regret, total, action_values,
):  # fmt: skip
    """The iterations themselves: regret and total, float64[S], change in place; returns the strategy, float64[S]."""
    floor = 0.0 if plus else -np.inf
    strategy, plan, worth = np.zeros(len(regret)), np.zeros(len(regret)), np.zeros(len(regret))
    scratch = np.zeros(2 * len(parent) + 2)
    for player in range(len(root) - 1):
        _match(player, root, parent, group, first_group, regret, strategy, plan, scratch)
    for iteration in range(first_iteration, first_iteration + iterations):
        share = float(iteration) if plus else 1.0
        for player in range(len(root) - 1):
            for own in range(np.uint64(root[player]), np.uint64(root[player + 1])):
                total[own] += share * plan[own]
                worth[own] = 0.0
            action_values(player, block, first_block, target, weight, other, plan, worth)
            for number in range(first_group[player + 1] - 1, first_group[player] - 1, -1):
                first, place, size, actions = group[number, 0], group[number, 1], group[number, 2], group[number, 3]
                for i in range(size):
                    scratch[i] = 0.0
                for action in range(actions):
                    at = first + action * size
                    for i in range(size):
                        scratch[i] += strategy[at + i] * worth[at + i]
                for action in range(actions):
                    at = first + action * size
                    for i in range(size):  # equation 7; Tammelin's floor keeps a bad past from being remembered
                        regret[at + i] = max(regret[at + i] + (worth[at + i] - scratch[i]), floor)
                for i in range(size):
                    worth[parent[place + i]] += scratch[i]
            _match(player, root, parent, group, first_group, regret, strategy, plan, scratch)
    return strategy

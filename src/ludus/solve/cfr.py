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
from typing import NamedTuple

import numpy as np
from numba import njit

from ludus.solve.regret_matching import minimise_regret
from ludus.solve.solution import Solution, check
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
    return minimise_regret(tree, iterations, state, checkpoints, watch, _add_above_zero if plus else _add, int(plus))


@njit(cache=True)
def _add(iteration, first, last, settings, worth, regret, expected):
    for own in range(np.uint64(first), np.uint64(last)):
        regret[own] += worth[own]  # equation 7


@njit(cache=True)
def _add_above_zero(iteration, first, last, settings, worth, regret, expected):
    for own in range(np.uint64(first), np.uint64(last)):
        regret[own] = max(regret[own] + worth[own], 0.0)  # Tammelin's floor keeps a bad past from being remembered

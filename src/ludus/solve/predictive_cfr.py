"""Predictive CFR+: play as if the last regret came once more.

As CFR+, but the strategy matches the regrets with a guess of the next ones added: those just seen. The more play
settles, the truer the guess, and the average, which counts iteration t as t squared, approaches equilibrium much faster
than that of CFR+ in most two-player zero-sum games that the authors tried, two kinds of poker excepted.

Farina, Kroer and Sandholm (2021), "Faster game solving via predictive Blackwell approachability: connecting regret
matching and mirror descent", arXiv:2007.14358, algorithm 5 (predictive regret matching+) in every infoset, with
alternating updates and quadratic averaging as in their experiments. Its prediction of a loss is the loss last seen;
then the predicted regret is the counterfactual regret last seen, below an infoset with the strategies it was seen with.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from ludus.solve.regret_matching import minimise_regret
from ludus.solve.solution import Solution, check
from ludus.tree import Tree


class State(NamedTuple):
    """All the solver needs to go on, in the tree's numbering; saved as `_asdict()`, `State(**saved)` goes on.

    regret      float64[K, A], cumulated counterfactual regrets, none below zero
    expected    float64[K, A], the last regrets, the prediction, added once more: what the strategy matches
    total       float64[K, A], cumulated realisation plans, iteration t counted t^2 times
    iterations  how many went before
    """

    regret: np.ndarray
    expected: np.ndarray
    total: np.ndarray
    iterations: int


def predictive_cfr_plus(
    tree: Tree,
    iterations: int,
    state: State | None = None,
    checkpoints: Sequence[int] = (),
    watch: Callable[[Solution], None] | None = None,
) -> Solution:
    """Run predictive CFR+ for `iterations` more iterations; arguments and errors as for `cfr`."""
    check(tree, iterations, state)
    if state is None:
        zeros = np.zeros(tree.legal.shape)
        state = State(zeros, zeros, zeros, 0)
    return minimise_regret(tree, iterations, state, checkpoints, watch, _predict, power=2)


@njit(cache=True)
def _predict(iteration, first, last, settings, worth, regret, expected):
    for own in range(np.uint64(first), np.uint64(last)):
        regret[own] = max(regret[own] + worth[own], 0.0)  # ObserveLoss of algorithm 5
        expected[own] = regret[own] + worth[own]  # NextStrategy of algorithm 5 matches the positive part

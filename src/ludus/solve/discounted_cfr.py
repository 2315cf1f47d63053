"""Discounted CFR: what was long ago counts less, in the regrets and in the average.

As CFR, but after each iteration regrets shrink, positive ones a little and negative ones by half, so that the bad
strategies of the first iterations are soon forgotten and an action that looked bad can come back. The average counts
iteration t as t squared. In two-player zero-sum games it approaches equilibrium, usually in fewer iterations than CFR+.

Brown and Sandholm (2019), "Solving imperfect-information games via discounted regret minimization", arXiv:1809.04040:
DCFR with alpha, beta, gamma; 3/2, 0 and 2 are what they recommend, and 1, 1, 1 is linear CFR.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numba import njit

from ludus.solve.cfr import State
from ludus.solve.regret_matching import minimise_regret
from ludus.solve.solution import Solution, check
from ludus.tree import Tree


def discounted_cfr(
    tree: Tree,
    iterations: int,
    state: State | None = None,
    checkpoints: Sequence[int] = (),
    watch: Callable[[Solution], None] | None = None,
    alpha: float = 1.5,
    beta: float = 0.0,
    gamma: float = 2.0,
) -> Solution:
    """Run discounted CFR for `iterations` more iterations.

    alpha  iteration t multiplies positive regrets by t^alpha / (t^alpha + 1)
    beta   and negative ones by t^beta / (t^beta + 1): 0 halves them
    gamma  and its share of the average by (t / (t + 1))^gamma, so that iteration t counts t^gamma times
    The other arguments and the errors as for `cfr`. A state must come from the same algorithm, alpha, beta and gamma.
    """
    check(tree, iterations, state)
    for name, power in (("alpha", alpha), ("beta", beta), ("gamma", gamma)):
        if not math.isfinite(power):
            raise ValueError(f"{name}: a finite number is needed, not {power}; leave it out for the usual one")
    if state is None:
        state = State(np.zeros(tree.legal.shape), np.zeros(tree.legal.shape), 0)
    return minimise_regret(tree, iterations, state, checkpoints, watch, _discount, gamma, (alpha, beta))


@njit(cache=True)
def _discount(iteration, first, last, settings, worth, regret, expected):
    alpha, beta = settings[0], settings[1]
    positive = 1.0 / (1.0 + float(iteration) ** -alpha)  # t^alpha / (t^alpha + 1)
    negative = 1.0 / (1.0 + float(iteration) ** -beta)
    for own in range(np.uint64(first), np.uint64(last)):
        now = regret[own] + worth[own]
        regret[own] = now * (positive if now > 0.0 else negative)

"""One front for every iterative solver: approach equilibrium until a count, a target or a time limit says stop.

A solver runs in growing pieces. After each piece every player's best response says how far the strategies are from
equilibrium, and the best strategies met so far are kept: they are the answer whenever it stops.
"""

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ludus.solve.answer import Answer
from ludus.solve.best_response import evaluate
from ludus.solve.cfr import cfr, cfr_plus
from ludus.solve.discounted_cfr import discounted_cfr
from ludus.solve.fictitious_play import fictitious_play
from ludus.solve.mirror_descent import mirror_descent
from ludus.solve.predictive_cfr import predictive_cfr_plus
from ludus.solve.sequence_form import fold
from ludus.solve.solution import check
from ludus.tree import Tree

METHODS: dict[str, Callable[..., Any]] = {
    "dcfr": discounted_cfr,
    "cfr+": cfr_plus,
    "pcfr+": predictive_cfr_plus,
    "cfr": cfr,
    "mmd": mirror_descent,
    "xfp": fictitious_play,
}
WORDS = {
    "dcfr": "discounted CFR",
    "cfr+": "CFR+",
    "pcfr+": "predictive CFR+",
    "cfr": "CFR",
    "mmd": "magnetic mirror descent with a moving magnet",
    "xfp": "extensive-form fictitious play",
}
NOTE = "iteration comes near one equilibrium and looks for no others"
ITERATIONS, SECONDS = 10_000, 60.0  # where nothing says when to stop, and where only a target does


def approach(
    tree: Tree,
    method: str = "dcfr",
    iterations: int | None = None,
    target: float | None = None,
    seconds: float | None = None,
    watch: Callable[[tuple[int, float, float]], Any] | None = None,
) -> Answer:
    """Iterate until `iterations`, until NashConv `target` or for `seconds`, whichever comes first.

    method      a key of METHODS; each runs with its paper's settings
    iterations  10,000 where none of the three is given
    target      NashConv to come down to, in payoff units
    seconds     wall time from this call on, folding the tree included; 60 where only a target is given. One iteration
                is made in any case, then as many as the time left allows, by the speed measured
    watch       called after every piece with (iterations, seconds, NashConv): `watch=curve.append`

    The answer holds the strategies of the lowest NashConv met, one table float64[K, A]. `regret` is the most that one
    player gains by a best response to them; `iterations` and `seconds` are those of the whole run. In two-player
    zero-sum games all but "mmd" are known to come near equilibrium in time; what "mmd" does there, and any of them in
    other games, `regret` alone says. Raises ImperfectRecall where the tree has no sequence form, and ValueError.
    """
    start = time.perf_counter()
    _check(method, target, seconds)
    if iterations is not None:
        check(tree, iterations, None)
    elif seconds is None:
        iterations, seconds = (ITERATIONS, None) if target is None else (None, SECONDS)
    form = fold(tree)
    shortest = max(1, min(16, 200_000 // (len(form.weight) + form.sequences)))  # in small games a check costs as much
    first = time.perf_counter()
    step, state, least = 1, None, math.inf
    while True:
        now = METHODS[method](tree, step, state)
        state, done = now.state, now.iterations
        payoffs, best = evaluate(tree, now.profile)
        gap = float((best - payoffs).sum())
        if gap < least:
            least, profile, earned, gains = gap, now.profile, payoffs, best - payoffs
        end = time.perf_counter()
        if watch is not None:
            watch((done, end - start, gap))
        bounds = [max(shortest, done // 4)]
        if iterations is not None:
            bounds.append(iterations - done)
        if seconds is not None:
            bounds.append(int((start + seconds - end) * done / (end - first)))  # what fits, at the speed so far
        step = min(bounds)
        if step < 1 or (target is not None and gap <= target):
            break
    regret = np.array([max(float(gains.max()), 0.0)])  # rounding can leave a gain below zero
    return Answer([profile], regret, earned[None, :], False, NOTE, WORDS[method], done, end - start)


def _check(method, target, seconds):
    if method not in METHODS:
        raise ValueError(f"method: {method!r} is none; write one of {', '.join(METHODS)}")
    for name, number in (("target", target), ("seconds", seconds)):
        if number is not None and not (number > 0 and math.isfinite(number)):
            raise ValueError(f"{name}: a number above zero is needed, not {number!r}; leave it out for no {name}")

"""What an average over problems leaves open: problems are drawn again, each with all of its samples.

Replies to one problem hang together, problems do not, so that a thousand replies to ten problems are ten observations.
This is the bootstrap with clusters (Davison and Hinkley 1997, "Bootstrap methods and their application", section 3.8;
Miller 2024, "Adding error bars to evals", arXiv:2411.00640, asks the same of language models). A few problems drawn
from themselves vary too little, and the percentiles are moved out by Student's t: the expanded percentile interval of
Hesterberg (2015), "What teachers should know about the bootstrap", The American Statistician 69. Where no drawing comes
out unlike the others that would be no interval at all; then at most a part q of such problems is otherwise (the upper
end of Clopper and Pearson's interval for none in Q), and may be so in any way.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import ndtr, stdtrit

from ludus.records import Value

RESAMPLES = 1000

Statistic = Callable[[np.ndarray], np.ndarray]
"""float64[..., Q], how often each problem counts -> float64[...]; NaN where it is not defined."""


def over_problems(
    statistic: Statistic,
    problems: int,
    rng: np.random.Generator,
    bounds: tuple[float, float],
    method: str,
    astray: Statistic | None = None,
) -> Value:
    """The Value of a statistic of Q problems, with its 95% interval.

    problems   Q
    bounds     the least and the most that the statistic can be
    method     what it is, in words
    astray     for a statistic that noise makes larger, so that its drawings lie too high: how far a drawing lies from
               what is seen, at least as far as its statistic does; the interval is as wide as 95% of that, both ways
    """
    seen, (least, most) = float(statistic(np.ones(problems))), bounds
    if np.isnan(seen):
        return Value(np.nan, "sampled", bounds, f"{method}: it never came to that")
    drawn = rng.integers(problems, size=(RESAMPLES, problems)) + problems * np.arange(RESAMPLES)[:, None]
    draws = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(np.float64)
    again = statistic(draws)
    again = again[~np.isnan(again)]
    method = f"{method}; {problems:,} problems"
    if not np.ptp(again) > 1e-12 * max(1.0, abs(seen)):
        other = 1 - 0.025 ** (1 / problems)
        interval = (seen - other * (seen - least), seen + other * (most - seen))
        return Value(seen, "sampled", interval, f"{method}, none unlike the others; Clopper-Pearson")
    tail = float(ndtr(np.sqrt(problems / (problems - 1)) * stdtrit(problems - 1, 0.025)))
    method = f"{method} drawn again {RESAMPLES:,} times"
    if astray is not None:
        off = float(np.quantile(astray(draws), 1 - 2 * tail))
        return Value(seen, "sampled", (max(least, seen - off), min(most, seen + off)), method)
    low, high = map(float, np.quantile(again, [tail, 1 - tail]))
    return Value(seen, "sampled", (low, high), method)


def ratio(part: np.ndarray, whole: np.ndarray) -> Statistic:
    """The statistic sum(part) / sum(whole) over problems; part and whole are float64[Q], and whole is not negative."""

    def over(weight: np.ndarray) -> np.ndarray:
        total = np.asarray(weight @ whole)
        return np.divide(weight @ part, total, out=np.full(total.shape, np.nan), where=total > 0)

    return over


def mean_over_problems(each: np.ndarray, rng: np.random.Generator, bounds: tuple[float, float], method: str) -> Value:
    """The Value of the mean of one number per problem, float64[Q]."""
    return over_problems(ratio(each, np.ones(len(each))), len(each), rng, bounds, method)


def table(argument: str, array: np.ndarray, like: np.ndarray | None = None, truth: bool = False) -> np.ndarray:
    """The argument as float64[Q, S] (truth: bool[Q, S]), of the shape of `like` where given. Raises ValueError."""
    array = np.asarray(array)
    if array.ndim != 2 or not array.size:
        raise ValueError(f"{argument}: give an array[Q, S], S samples of each of Q problems; shape {array.shape} seen")
    if like is not None and array.shape != like.shape:
        raise ValueError(f"{argument}: give one number per sample, shape {like.shape}; shape {array.shape} seen")
    if truth:
        if not np.isin(array, (0, 1)).all():
            odd = array[~np.isin(array, (0, 1))].flat[0]
            raise ValueError(f"{argument}: give booleans, or 0 and 1; {array.dtype} {odd} seen")
        return array.astype(bool)
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise ValueError(f"{argument}: give finite numbers; {array.dtype} with one that is not is seen")
    return array.astype(np.float64)

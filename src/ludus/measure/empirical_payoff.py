"""A payoff table that was sampled, and other tables that could as well have been.

What is computed from a table of means inherits their error. Here a table carries its variances and numbers of games,
and is drawn again many times from what is then known of the true means; whatever is computed of all these tables shows
how sure it is. With normal errors and no other knowledge a true mean is distributed like its sample mean plus the
standard error times Student's t with games - 1 degrees of freedom (Gelman et al. 2013, "Bayesian data analysis",
section 3.2).
"""

from typing import NamedTuple

import numpy as np


class EmpiricalPayoff(NamedTuple):
    """Means of sampled payoffs.

    mean      float64[M, M], the row's payoff against the column, or float64[A_0, ..., A_(P-1), P] as in NormalForm
    variance  of a single game's payoff, of the same shape
    games     of the same shape, at least two wherever the variance is above zero
    """

    mean: np.ndarray
    variance: np.ndarray
    games: np.ndarray


def from_results(wins: np.ndarray, ties: np.ndarray | None = None) -> EmpiricalPayoff:
    """The table of a tournament in which a win is worth 1/2, a draw 0 and a loss -1/2; any units of yours multiply it.

    wins  [M, M], wins[i, j] games that i won against j
    ties  [M, M], symmetric, or None

    To be sure of the variance of a pair of which one has won all games would be rash: the variances are those after
    half a win more for each side. Raises ValueError where a pair met less than twice.
    """
    wins = np.asarray(wins, np.float64)
    if wins.ndim != 2 or wins.shape[0] != wins.shape[1]:
        raise ValueError(f"wins: give a square table, wins[i, j] games that i won against j; shape {wins.shape} seen")
    decided = wins + wins.T
    games = decided + (0.0 if ties is None else np.asarray(ties, np.float64))
    others = ~np.eye(len(wins), dtype=bool)
    if (games[others] < 2).any():
        i, j = np.argwhere(others & (games < 2))[0]
        raise ValueError(f"wins: every pair must meet twice or more; players {i} and {j} met {games[i, j]:g} times")
    np.fill_diagonal(games, 2)
    ahead = (wins - wins.T) / 2
    variance = (decided + 1) / 4 / (games + 1) - (ahead / (games + 1)) ** 2
    np.fill_diagonal(variance, 0)
    return EmpiricalPayoff(ahead / games, variance, games)


def redrawn(table: EmpiricalPayoff, rng: np.random.Generator, samples: int) -> np.ndarray:
    """Tables float64[samples, ...] of means as they may truly be.

    Payoffs of both sides that add up to the same number everywhere, the diagonal with itself too, were counted in the
    same games and go on adding up to it; others are drawn each by itself. A mean without variance stays as it is.
    Raises ValueError where the parts of the table do not fit together.
    """
    mean, variance, games = (np.asarray(part, np.float64) for part in table)
    if mean.ndim < 2 or not mean.size or (mean.ndim == 2 and mean.shape[0] != mean.shape[1]):
        raise ValueError(f"mean: give float64[M, M], or [A_0, ..., A_(P-1), P]; shape {mean.shape} seen")
    for argument, part in (("variance", variance), ("games", games)):
        if part.shape != mean.shape:
            raise ValueError(f"{argument}: give the shape of mean, {mean.shape}; {part.shape} seen")
    if not np.isfinite(mean).all():
        raise ValueError(f"mean: give a finite mean everywhere; {np.argwhere(~np.isfinite(mean))[0]} has none")
    if not ((variance >= 0) & (variance < np.inf)).all():
        raise ValueError(f"variance: give numbers of zero or more; {variance.min()} is the least seen")
    if not (games[variance > 0] >= 2).all():
        raise ValueError(f"games: two or more wherever there is variance; {games[variance > 0].min():g} seen")
    if samples < 100:
        raise ValueError(f"samples: 100 or more are needed for the ends of a 95% interval, {samples} seen")
    error = np.sqrt(variance / np.maximum(games, 2))
    off = error * rng.standard_t(np.maximum(games, 2) - 1, (samples, *mean.shape))
    if mean.ndim == 2:
        if np.ptp(mean + mean.T) <= 1e-12 * np.abs(mean).max():
            off = np.triu(off, 1)
            off = off - off.transpose(0, 2, 1)
    elif mean.shape[-1] == 2 and np.ptp(mean.sum(axis=-1)) <= 1e-12 * np.abs(mean).max():
        off[..., 1] = -off[..., 0]
    return mean + off

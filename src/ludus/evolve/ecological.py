"""Axelrod's ecological tournament: who earns more than the average has more offspring.

Axelrod (1980), "More effective choice in the prisoner's dilemma", asks how a tournament would go on if strategies were
submitted again in proportion to their success. That is the discrete replicator equation of Maynard Smith (1982),
"Evolution and the theory of games": with shares x and payoffs A,

    x_i' = x_i (A x)_i / (x A x).

Shares of nobody stay nobody: nothing new appears.
"""

from typing import NamedTuple

import numpy as np

from ludus.records import Population


class Ecology(NamedTuple):
    """Generations G of M types.

    shares  float64[G + 1, M], what part of the population each type is, from the start on; rows sum to one
    earned  float64[G + 1], the mean payoff of each generation
    """

    shares: np.ndarray
    earned: np.ndarray


def ecological(members: Population | np.ndarray, generations: int, shares: np.ndarray | None = None) -> Ecology:
    """Follow the shares of the types of a population, by its payoffs or a matrix float64[M, M] of row against column.

    `shares` float64[M] are those at the start, equal ones if not given. A population is infinitely large, so each type
    meets itself too. Raises ValueError where payoffs are missing or negative, where all of a generation earn nothing,
    and where shares are none.
    """
    payoff = matrix(members)
    if generations < 0:
        raise ValueError(f"generations: give a whole number of at least 0; {generations!r} seen")
    now = np.full(len(payoff), 1 / len(payoff)) if shares is None else np.asarray(shares, np.float64)
    if now.shape != (len(payoff),) or not (now >= 0).all() or not abs(now.sum() - 1) <= 1e-9:
        raise ValueError(f"shares: give {len(payoff)} numbers of at least 0 that sum to one; {shares!r} seen")
    path, earned = np.empty((generations + 1, len(payoff))), np.empty(generations + 1)
    for generation in range(generations + 1):
        worth = payoff @ now
        path[generation], earned[generation] = now, now @ worth
        if earned[generation] <= 0:
            raise ValueError(
                f"members: generation {generation} earns {earned[generation]:g} in all, and shares grow in proportion "
                "to what is earned; add a constant to all payoffs"
            )
        now = now * worth / earned[generation]
        now /= now.sum()  # rounding must not add up over the generations
    return Ecology(path, earned)


def matrix(members: Population | np.ndarray) -> np.ndarray:
    """The payoffs as a matrix. Raises ValueError where it is not square, a number is missing, or one is negative."""
    payoff = np.asarray(members.payoff if isinstance(members, Population) else members, np.float64)
    if payoff.ndim != 2 or payoff.shape[0] != payoff.shape[1] or not payoff.size:
        raise ValueError(f"members: payoffs of every type against every type are needed, not shape {payoff.shape}")
    if not (payoff >= 0).all() or not np.isfinite(payoff).all():
        row, column = np.argwhere(~(payoff >= 0) | ~np.isfinite(payoff))[0]
        raise ValueError(
            f"members: payoff[{row}, {column}] is {payoff[row, column]}; offspring grow with payoffs, so all must be "
            "known and at least 0: play the missing pairs, or add a constant to all"
        )
    return payoff

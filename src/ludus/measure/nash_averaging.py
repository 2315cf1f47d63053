"""Nash averaging: players judged against the strongest mixture there is, so that copies of a player change nothing.

Balduzzi, Tuyls, Perolat and Graepel (2018), "Re-evaluating evaluation", arXiv:1806.02643. In the game
where two meta-players each send a player and are paid A[i, j] = -A[j, i], the Nash equilibria are the mixtures p with
A p <= 0. The one of greatest entropy is unique; a player's rating is what it earns against it,

    rating = A p,

zero for whoever the mixture may hold and below zero for the rest. A may be any antisymmetric payoff: points won less
points lost, or log odds of winning, which the paper takes.

How it is found. A linear program tells at once which players some equilibrium holds, and which all leave out, with
every margin between kept open (the strictly complementary solution of Goldman and Tucker 1956, "Theory of linear
programming"). From there, inside the set of equilibria, entropy is climbed by Newton's method, with a logarithmic
barrier where those who are left out must not gain (Boyd and Vandenberghe 2004, "Convex optimization", chapter 11).
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import null_space

from ludus.measure.empirical_payoff import EmpiricalPayoff, redrawn
from ludus.records import Kind
from ludus.solve.linear_program import SOLVED, solve

BARRIERS = 10.0 ** -np.arange(2, 14)  # weights of the barrier against that of the entropy
STEPS = 100  # Newton steps per barrier; about five are needed


class NashAverage(NamedTuple):
    """Ratings of M players.

    rating         float64[M], payoff against the mixture: zero or less
    mass           float64[M], the mixture of greatest entropy among the Nash equilibria
    interval       float64[M, 2], the 95% interval of each rating; None where the table was taken as exact
    mass_interval  float64[M, 2], of each mass, or None
    kind           "exact" or "sampled"
    method         how it was made, in words
    """

    rating: np.ndarray
    mass: np.ndarray
    interval: np.ndarray | None
    mass_interval: np.ndarray | None
    kind: Kind
    method: str


METHOD = "Nash averaging: payoff against the Nash equilibrium of greatest entropy"


def nash_average(payoff: np.ndarray) -> NashAverage:
    """The ratings of an antisymmetric payoff float64[M, M] that is taken as exact.

    Raises ValueError where it is not antisymmetric or not finite, and RuntimeError where HiGHS breaks down on it.
    """
    payoff = _checked(payoff)
    mass = _mixture(payoff)
    return NashAverage(payoff @ mass, mass, None, None, "exact", METHOD)


def sampled_nash_average(table: EmpiricalPayoff, rng: np.random.Generator, samples: int = 400) -> NashAverage:
    """`nash_average` of sampled means, its intervals the middle 95% over `samples` tables drawn again.

    Which players the mixture holds may change with an undecided comparison; intervals of the masses are then wide. The
    ratings of the means are too low for those outside, as the mixture fits itself to the errors, and an interval may
    lie to one side of its rating. Errors as for `nash_average`, and for the parts of the table.
    """
    mean = _checked(table.mean)
    mass = _mixture(mean)
    tables = redrawn(table, rng, samples)
    again = np.array([_mixture(drawn) for drawn in tables])
    ratings = np.einsum("sij,sj->si", tables, again)
    interval, mass_interval = (np.quantile(values, [0.025, 0.975], axis=0).T for values in (ratings, again))
    method = f"{METHOD}; percentiles of {samples} redrawn payoff tables"
    return NashAverage(mean @ mass, mass, interval, mass_interval, "sampled", method)


def _checked(payoff) -> np.ndarray:
    payoff = np.asarray(payoff, np.float64)
    if payoff.ndim != 2 or payoff.shape[0] != payoff.shape[1] or not payoff.size:
        raise ValueError(f"payoff: give a square table of row against column; shape {payoff.shape} seen")
    if not np.isfinite(payoff).all():
        raise ValueError(f"payoff: give a finite number everywhere; {np.argwhere(~np.isfinite(payoff))[0]} has none")
    uneven = np.abs(payoff + payoff.T)
    if uneven.max() > 1e-12 * np.abs(payoff).max():
        i, j = np.unravel_index(uneven.argmax(), uneven.shape)
        raise ValueError(
            f"payoff: what one wins the other loses, so payoff[i, j] = -payoff[j, i]; {payoff[i, j]:g} and "
            f"{payoff[j, i]:g} seen at ({i}, {j}). Of win rates take off 1/2, or give their log odds"
        )
    return payoff


def _mixture(payoff: np.ndarray) -> np.ndarray:
    """float64[M], the equilibrium of greatest entropy."""
    unit = np.abs(payoff).max()
    if unit == 0:
        return np.full(len(payoff), 1 / len(payoff))
    payoff = payoff / unit
    start = _inside(payoff)
    held = start > 0
    mass = np.zeros(len(payoff))
    mass[held] = _most_even(payoff[np.ix_(held, held)], payoff[np.ix_(~held, held)], start[held])
    return mass


def _inside(payoff: np.ndarray) -> np.ndarray:
    """An equilibrium that holds every player that any equilibrium holds, and leaves the others with open margins.

    Maximise the sum of s + w over p >= s, -A p >= w and 0 <= s, w <= 1: for each player one of the two becomes 1 and
    the other 0, p being an equilibrium but for its scale.
    """
    players = len(payoff)
    eye, nil = np.eye(players), np.zeros((players, players))

    def program(largest):
        return (
            np.r_[np.zeros(players), -np.ones(2 * players)],
            np.block([[-eye, eye, nil], [payoff * largest, nil, eye * largest]]),
            np.zeros(2 * players),
            None,
            None,
            [(0, None)] * players + [(0, 1)] * 2 * players,
        )

    result = solve(program)
    if result.status != SOLVED:
        raise RuntimeError(f"HiGHS broke down on this table of {players} players: {result.message}")
    held = result.x[players : 2 * players] > result.x[2 * players :]
    mass = np.where(held, result.x[:players], 0.0)
    return mass / mass.sum()


def _most_even(inner: np.ndarray, outer: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """The mixture of greatest entropy with inner @ p = 0 and outer @ p <= 0, from one where both hold with room."""
    ways = null_space(np.vstack([inner, np.ones(len(mass))]), rcond=1e-9)
    if not ways.shape[1]:
        return mass
    for barrier in BARRIERS if len(outer) else BARRIERS[-1:]:
        for _ in range(STEPS):
            room = -(outer @ mass)
            slope = ways.T @ (np.log(mass) + barrier * (outer.T @ (1 / room)))
            sway = outer @ ways / room[:, None]
            bend = ways.T @ (ways / mass[:, None]) + barrier * sway.T @ sway
            step = ways @ np.linalg.solve(bend, -slope)
            fall = -slope @ (ways.T @ step)  # twice what Newton's model promises
            if fall < 1e-20:
                break
            level, length = _level(outer, mass, barrier), 1.0
            while length > 1e-12 and _level(outer, mass + length * step, barrier) > level - 1e-4 * length * fall:
                length /= 2
            mass = mass + length * step
    return mass / mass.sum()


def _level(outer: np.ndarray, mass: np.ndarray, barrier: float) -> float:
    """Minus the entropy, and the barrier: infinite outside."""
    room = -(outer @ mass)
    if mass.min() <= 0 or (len(room) and room.min() <= 0):
        return np.inf
    return float(mass @ np.log(mass) - barrier * np.log(room).sum())

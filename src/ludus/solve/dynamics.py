"""Dynamics of games in normal form: how play changes when what earns more is done more.

Replicator: the share of a strategy grows at the rate by which it earns more than the average. x_i' = x_i (u_i - x.u):
Taylor and Jonker (1978), "Evolutionarily stable strategies and game dynamics", for one population; Taylor
(1979) for one population per seat. Multiplicative weights are its steps in discrete time.
Logit: everybody now and then answers by the logit response. x' = softmax(rationality * u) - x: Fudenberg and Levine
(1998), "The theory of learning in games", chapter 4; Hofbauer and Sandholm (2002). Where it rests are the logit
equilibria of `ludus.solve.logit`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import softmax

from ludus.normal_form import NormalForm, Profile, checked, worths


class Trajectory(NamedTuple):
    """Play over time. T moments; one entry per population.

    times     float64[T]; for steps, how many have been made
    profiles  float64[T, A_p] for each population, probabilities
    """

    times: np.ndarray
    profiles: tuple[np.ndarray, ...]


def replicator(form: NormalForm, start: Profile | np.ndarray, times: Sequence[float] | np.ndarray) -> Trajectory:
    """Replicator dynamics from `start` at times[0], seen at all `times`.

    start  one strategy per player, each the shares in a population of its own; or a single strategy float64[A]: one
           population that meets itself, for which the game must be symmetric
    Strategies that nobody plays stay out. Logarithms of the shares are integrated (DOP853, relative error 1e-10 a
    step), in which the average in the equation drops out; so shares stay positive and sum to one. Raises ValueError.
    """
    populations, worth = _populations(form, start)
    used = [np.flatnonzero(shares) for shares in populations]

    def shares(logs):
        found = [np.zeros(len(each)) for each in populations]
        for own, place, part in zip(found, used, _split(logs, used), strict=True):
            own[place] = softmax(part)
        return tuple(found)

    def slope(_, logs):
        rates = [earned[place] for earned, place in zip(worth(shares(logs)), used, strict=True)]
        return np.concatenate([rate - rate.mean() for rate in rates])  # any common rate gives the same shares

    logs = np.concatenate([np.log(each[place]) for each, place in zip(populations, used, strict=True)])
    return _integrated(slope, logs, times, shares)


def logit_dynamics(
    form: NormalForm, start: Profile | np.ndarray, rationality: float, times: Sequence[float] | np.ndarray
) -> Trajectory:
    """Logit dynamics from `start` at times[0], seen at all `times`; `rationality` per unit of payoff.

    `start` as for `replicator`. The shares themselves are integrated (DOP853): their sum is a linear invariant, which
    Runge-Kutta steps keep, and what falls below zero by the error of a step is set to zero. Raises ValueError.
    """
    if not 0 <= rationality < np.inf:
        raise ValueError(f"rationality: a number of at least 0 is needed, not {rationality}; 0 is even play")
    populations, worth = _populations(form, start)

    def shares(flat):
        found = [np.maximum(part, 0.0) for part in _split(flat, populations)]
        return tuple(part / part.sum() for part in found)

    def slope(_, flat):
        return np.concatenate([softmax(rationality * earned) for earned in worth(shares(flat))]) - flat

    return _integrated(slope, np.concatenate(populations), times, shares)


def multiplicative_weights(form: NormalForm, start: Profile | np.ndarray, rate: float, steps: int) -> Trajectory:
    """All at once multiply each share by exp(rate * what it earns) and divide by the sum, `steps` times.

    Freund and Schapire (1999), "Adaptive game playing using multiplicative weights". `start` as for `replicator`, which
    this follows where the rate is small. Raises ValueError.
    """
    if not 0 < rate < np.inf or steps < 1:
        raise ValueError(f"rate, steps: a number above 0 and at least 1 step are needed, not {rate} and {steps}")
    shares, worth = _populations(form, start)
    visited = [shares]
    for _ in range(steps):
        weights = [each * np.exp(rate * (u - u.max())) for each, u in zip(shares, worth(shares), strict=True)]
        shares = tuple(each / each.sum() for each in weights)
        visited.append(shares)
    return Trajectory(np.arange(steps + 1.0), tuple(map(np.array, zip(*visited, strict=True))))


def _populations(form, start):
    """The shares of each population, and the function from shares to what every strategy earns."""
    if len(start) and np.ndim(start[0]) > 0:
        return checked(form, start), lambda shares: worths(form.payoff, shares)
    players = len(form.players)
    for player in range(players):
        for other in range(players):
            swapped = np.swapaxes(form.payoff, player, other)
            seats = [other if seat == player else player if seat == other else seat for seat in range(players)]
            if swapped.shape != form.payoff.shape or not np.array_equal(swapped[..., seats], form.payoff):
                raise ValueError(
                    f"start: one population needs a game that is the same from every seat, {form.title or 'this one'} "
                    "is not; give one strategy per player"
                )
    own = checked(form, (start,) * players)[0]
    return (own,), lambda shares: worths(form.payoff, shares * players)[:1]


def _split(flat, parts):
    return np.split(flat, np.cumsum([len(part) for part in parts])[:-1])


def _integrated(slope, start, times, shares):
    times = np.asarray(times, np.float64)
    if times.ndim != 1 or not len(times) or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        raise ValueError(f"times: rising moments are needed, the first that of the start, not {times}")
    if len(times) == 1:
        return Trajectory(times, tuple(each[None] for each in shares(start)))
    found = solve_ivp(slope, times[[0, -1]], start, "DOP853", times, rtol=1e-10, atol=1e-12)
    if not found.success:
        raise ValueError(f"times: the integration stopped before {times[-1]} ({found.message}); ask for less time")
    visited = [shares(state) for state in found.y.T]
    return Trajectory(times, tuple(map(np.array, zip(*visited, strict=True))))

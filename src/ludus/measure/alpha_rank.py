"""Alpha-rank: how much of the time evolution spends at each strategy, or combination of strategies.

Omidshafiei, Papadimitriou, Piliouras, Tuyls, Rowland et al. (2019), "alpha-Rank: multi-agent evaluation by evolution",
Scientific Reports 9, arXiv:1903.01373. Each of some populations plays one strategy. Now and then a mutant appears in
one of them, and takes over or dies out before the next one does. It takes over with probability

    rho = (1 - exp(-u)) / (1 - exp(-m u)),   u = alpha times what the mutant gains,   1 / m where it gains nothing,

m being the size of the population. The jumps from combination to combination are a Markov chain, and its stationary
masses are the ranking. With alpha without bounds only gains count: a better reply takes over, a worse one never does.
Combinations that better replies do not leave then hold all the mass, the sink components (Markov-Conley chains).

Masses of such chains differ by hundreds of orders of magnitude. They are found by the elimination of Grassmann, Taksar
and Heyman (1985), "Regenerative analysis and steady state distributions for Markov chains", Operations Research 33,
which never subtracts, so that each mass is exact to many digits however small; where chances are too small for a number
of the computer, by the same elimination in logarithms.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from ludus.measure.empirical_payoff import EmpiricalPayoff, redrawn
from ludus.records import Kind

MOST = 5000  # combinations of strategies: the elimination takes time as their cube
SMALL = 1e-250  # a chance of leaving below this may have lost digits


class AlphaRank(NamedTuple):
    """The masses of M strategies (one population), or of all combinations.

    mass      float64[M] or float64[A_0, ..., A_(P-1)], the part of the time spent there; sums to one
    interval  float64[..., 2], the 95% interval of each mass; None where the table was taken as exact
    kind      "exact" or "sampled"
    sinks     how many sink components better replies have: with more than one, the mass that each holds when alpha
              grows depends on how errors are made, here on alpha or epsilon
    method    how it was made, in words
    """

    mass: np.ndarray
    interval: np.ndarray | None
    kind: Kind
    sinks: int
    method: str


def alpha_rank(payoff: np.ndarray, alpha: float = np.inf, size: int = 50, epsilon: float = 1e-6) -> AlphaRank:
    """The masses of a payoff table that is taken as exact.

    payoff   float64[M, M], row against column: one population that plays against itself, in pairs of which a mutant
             gains payoff[new, old] - payoff[old, new]; or float64[A_0, ..., A_(P-1), P] as in NormalForm: P populations
    alpha    the intensity of selection, per unit of payoff; infinite for the limit
    size     m, members of a population; 50 in the paper's experiments
    epsilon  with infinite alpha only: a better reply takes over with probability 1 - epsilon and a worse one with
             epsilon, which keeps the chain in one piece. An equal one does with 1 / m, the limit of rho, or with
             epsilon where that is more. (OpenSpiel takes 1/2 there, and 0.01 for epsilon.)

    Raises ValueError where an argument is wrong, or there are more than 5,000 combinations.
    """
    payoff = _checked(payoff, alpha, size, epsilon)
    mass, logarithms = _masses(payoff, alpha, size, epsilon)
    return AlphaRank(mass, None, "exact", _sinks(payoff), _method(payoff, alpha, size, epsilon, logarithms))


def sampled_alpha_rank(
    table: EmpiricalPayoff,
    rng: np.random.Generator,
    alpha: float = np.inf,
    size: int = 50,
    epsilon: float = 1e-6,
    samples: int = 400,
) -> AlphaRank:
    """`alpha_rank` of sampled means, with the middle 95% of the masses of `samples` tables drawn again as `interval`.

    With large alpha a mass jumps where two payoffs change places, and the intervals of strategies that so depend on an
    undecided comparison are wide, up to (0, 1); that is what the games leave open (Rowland et al. 2019, "Multiagent
    evaluation under incomplete information", arXiv:1909.09849), not a defect. Errors as for `alpha_rank`, and for the
    parts of the table.
    """
    tables = redrawn(table, rng, samples)
    mean = _checked(table.mean, alpha, size, epsilon)
    mass, logarithms = _masses(mean, alpha, size, epsilon)
    again = np.array([_masses(drawn, alpha, size, epsilon)[0] for drawn in tables])
    interval = np.moveaxis(np.quantile(again, [0.025, 0.975], axis=0), 0, -1)
    method = f"{_method(mean, alpha, size, epsilon, logarithms)}; percentiles of {samples} redrawn payoff tables"
    return AlphaRank(mass, interval, "sampled", _sinks(mean), method)


def _checked(payoff, alpha, size, epsilon) -> np.ndarray:
    payoff = np.asarray(payoff, np.float64)
    if payoff.ndim < 2 or (payoff.ndim == 2 and payoff.shape[0] != payoff.shape[1]) or not payoff.size:
        raise ValueError(f"payoff: give float64[M, M], or [A_0, ..., A_(P-1), P]; shape {payoff.shape} seen")
    if payoff.ndim > 2 and payoff.shape[-1] != payoff.ndim - 1:
        raise ValueError(
            f"payoff: {payoff.ndim - 1} populations choose, so the last axis has as many; shape {payoff.shape} seen"
        )
    if not np.isfinite(payoff).all():
        raise ValueError(f"payoff: give a finite number everywhere; {np.argwhere(~np.isfinite(payoff))[0]} has none")
    states = len(payoff) if payoff.ndim == 2 else int(np.prod(payoff.shape[:-1]))
    if states > MOST:
        raise ValueError(f"payoff: {states} combinations are more than the {MOST} that can be ranked; leave some out")
    if not alpha > 0:
        raise ValueError(f"alpha: give a number above zero, or np.inf; {alpha} seen")
    if not (isinstance(size, int | np.integer) and size >= 2):
        raise ValueError(f"size: give a population of 2 or more; {size} seen")
    if not 0 < epsilon < 0.5:
        raise ValueError(f"epsilon: give a number between 0 and 1/2, such as 1e-6; {epsilon} seen")
    return payoff


def _gains(payoff):
    """For each population: numbers int64[rest, A] of the combinations that differ in its strategy only, and its gain
    float64[rest, A, A] from the second strategy to the third."""
    if payoff.ndim == 2:
        yield np.arange(len(payoff))[None], (payoff.T - payoff)[None]
        return
    shape = payoff.shape[:-1]
    numbers = np.arange(np.prod(shape)).reshape(shape)
    for player in range(len(shape)):
        own = np.moveaxis(payoff[..., player], player, -1).reshape(-1, shape[player])
        number = np.moveaxis(numbers, player, -1).reshape(-1, shape[player])
        yield number, own[:, None, :] - own[:, :, None]


def _nothing(payoff) -> float:
    """A gain no larger than this is none, but rounding."""
    return 1e-14 * float(np.abs(payoff).max())


def _masses(payoff, alpha, size, epsilon) -> tuple[np.ndarray, bool]:
    """The stationary masses, and whether logarithms were needed."""
    shape = payoff.shape[:1] if payoff.ndim == 2 else payoff.shape[:-1]
    states = int(np.prod(shape))
    if states == 1:
        return np.ones(shape), False
    rate = np.full((states, states), -np.inf)  # logarithms; a factor common to all jumps, eta of the paper, drops out
    for number, gain in _gains(payoff):
        if np.isinf(alpha):
            chance = np.where(gain > 0, 1 - epsilon, epsilon)
            chance[np.abs(gain) <= _nothing(payoff)] = max(epsilon, 1 / size)
            rate[number[:, :, None], number[:, None, :]] = np.log(chance)
        else:
            rate[number[:, :, None], number[:, None, :]] = _log_fixation(alpha * gain, size)
    np.fill_diagonal(rate, -np.inf)
    mass = np.zeros(states)
    if _eliminate(np.exp(rate), mass):
        return mass.reshape(shape), False
    _eliminate_logarithms(rate, mass)
    return mass.reshape(shape), True


def _log_fixation(u: np.ndarray, size: int) -> np.ndarray:
    """The logarithm of rho; for u < 0, rho(u) = exp((m - 1) u) rho(-u)."""
    gain = np.maximum(np.abs(u), 1e-12)  # below that, 1 / m to twelve digits
    return np.log(-np.expm1(-gain)) - np.log(-np.expm1(-size * gain)) + np.minimum((size - 1) * u, 0.0)


def _sinks(payoff) -> int:
    """Components that better or equal replies do not leave."""
    states = len(payoff) if payoff.ndim == 2 else int(np.prod(payoff.shape[:-1]))
    old, new = [], []
    for number, gain in _gains(payoff):
        row, before, after = np.nonzero(gain >= -_nothing(payoff))
        old.append(number[row, before])
        new.append(number[row, after])
    before, after = np.concatenate(old), np.concatenate(new)
    graph = csr_matrix((np.ones(len(before), np.int8), (before, after)), (states, states))
    number, label = connected_components(graph, directed=True, connection="strong")
    left = label[before[label[before] != label[after]]]
    return int(number - len(np.unique(left)))


def _method(payoff, alpha, size, epsilon, logarithms) -> str:
    populations = 1 if payoff.ndim == 2 else payoff.ndim - 1
    how = f"infinite alpha, epsilon = {epsilon:g}" if np.isinf(alpha) else f"alpha = {alpha:g}"
    told = f"alpha-rank of {populations} population{'s' * (populations > 1)} of {size}, {how}"
    if logarithms:
        told += "; the chain falls apart in floating point, so its masses were found in logarithms"
    return told


@njit(cache=True)
def _eliminate(rate, mass):
    """The stationary masses of a chain with these rates of jumping, float64[N, N], set in place; rate is used up.

    The states are taken out one after the other, from the last, each jump to one passed on to where it goes next. False
    where a state can be left so rarely that digits may have been lost.
    """
    states = len(rate)
    for last in range(states - 1, 0, -1):
        leaving = rate[last, :last].sum()
        if not leaving > SMALL:
            return False
        for i in range(last):
            through = rate[i, last] / leaving
            rate[i, last] = through
            if through > 0.0:
                for j in range(last):
                    rate[i, j] += through * rate[last, j]
    mass[0] = 1.0
    for state in range(1, states):
        total = 0.0
        for i in range(state):
            total += mass[i] * rate[i, state]
        mass[state] = total
        if total > 1e30:
            mass[: state + 1] /= total
    mass /= mass.sum()
    return True


@njit(cache=True)
def _eliminate_logarithms(rate, mass):
    """As _eliminate, of the logarithms of the rates; rounding then costs as many digits as the logarithms are long."""
    states = len(rate)
    for last in range(states - 1, 0, -1):
        most = rate[last, :last].max()
        leaving = most + np.log(np.exp(rate[last, :last] - most).sum())
        for i in range(last):
            through = rate[i, last] - leaving
            rate[i, last] = through
            for j in range(last):
                if j != i:
                    high = max(rate[i, j], through + rate[last, j])
                    if high > -np.inf:
                        low = min(rate[i, j], through + rate[last, j])
                        rate[i, j] = high + np.log1p(np.exp(low - high))
    mass[0] = 0.0
    for state in range(1, states):
        most = (mass[:state] + rate[:state, state]).max()
        mass[state] = most + np.log(np.exp(mass[:state] + rate[:state, state] - most).sum())
    mass[:] = np.exp(mass - mass.max())
    mass /= mass.sum()

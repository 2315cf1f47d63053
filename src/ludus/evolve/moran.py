"""The Moran process: in a finite population one member is born, in proportion to what it earns, and one dies by chance.

Moran (1958), "Random processes in genetics"; with payoffs from a game, Nowak, Sasaki, Taylor and Fudenberg (2004),
"Emergence of cooperation and evolutionary stability in finite populations", doi:10.1038/nature02414. Members meet
everybody but themselves. Sooner or later one type takes over; the probability that it does is exact for two types,
simulated for more, or where matches are played anew in every step.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit, types

from ludus.evolve.ecological import matrix
from ludus.game import engine
from ludus.iterated.machine import PRISONERS_DILEMMA, payoffs
from ludus.iterated.match import Entry, Lanes
from ludus.iterated.strategies import resolved
from ludus.normal_form import NormalForm
from ludus.records import Population, Value


class Moran(NamedTuple):
    """Runs R of a process with M types.

    winner  int64[R], the type that took over; -1 where none had within the steps allowed
    steps   int64[R], how many births it took
    counts  int64[R, M], the population at the end
    """

    winner: np.ndarray
    steps: np.ndarray
    counts: np.ndarray


def fixation(payoff: np.ndarray, size: int, start: int = 1, intensity: float = 1.0) -> Value:
    """The probability that type 0 takes over from `start` members among `size`, exact.

    Nowak et al. (2004): with f_i and g_i what members of type 0 and 1 earn when type 0 has i,

        f_i = 1 - w + w (a (i - 1) + b (n - i)) / (n - 1),    g_i = 1 - w + w (c i + d (n - i - 1)) / (n - 1),
        rho_s = sum_{k < s} prod_{i <= k} g_i / f_i  /  sum_{k < n} prod_{i <= k} g_i / f_i .

    payoff float64[2, 2] is ((a, b), (c, d)), intensity is w in [0, 1]. Raises ValueError where an argument is out of
    range, and where nobody earns anything, so that nobody is born.
    """
    payoff = matrix(payoff)
    if payoff.shape != (2, 2):
        raise ValueError(f"payoff: two types are needed, {len(payoff)} seen; simulate more with moran")
    if size < 2 or not 1 <= start < size or not 0 <= intensity <= 1:
        raise ValueError(
            f"size, start, intensity: {size}, {start}, {intensity} seen; give a size of at least 2, a start from 1 to "
            "size - 1, an intensity from 0 to 1"
        )
    mine = np.arange(1, size)
    others = size - mine
    fitness = 1 - intensity + intensity * (payoff[0, 0] * (mine - 1) + payoff[0, 1] * others) / (size - 1)
    rival = 1 - intensity + intensity * (payoff[1, 0] * mine + payoff[1, 1] * (others - 1)) / (size - 1)
    if ((fitness == 0) & (rival == 0)).any():
        raise ValueError(
            "payoff: nobody earns anything at some stage, so nobody is born; add a constant to all payoffs"
        )
    how = f"Moran process, {size} members, {start} at first"
    sealed = mine[fitness == 0]  # from here type 0 can only lose members
    lowest = int(sealed.max()) if len(sealed) else 0
    if start <= lowest:
        return Value(0.0, "exact", None, how)
    with np.errstate(divide="ignore"):
        logs = np.log(rival[lowest:]) - np.log(fitness[lowest:])
    terms = np.concatenate([[0.0], np.cumsum(logs)])  # of the products, in logarithms, since they may be very large
    terms = np.exp(terms - terms.max())
    return Value(float(terms[: start - lowest].sum() / terms.sum()), "exact", None, how)


def moran(
    members: Population | np.ndarray,
    counts: Sequence[int],
    rng: np.random.Generator,
    runs: int = 1000,
    steps: int = 1_000_000,
    intensity: float = 1.0,
) -> Moran:
    """Simulate the process of fixed payoffs, of a Population or a matrix float64[M, M], until one type has taken over.

    counts int64[M] is the population at the start. Where types coexist a run may take a time that is exponential in the
    size of the population: it is given up after `steps` births. Run r has its own random numbers. Raises ValueError
    where payoffs are missing or negative, or an argument is out of range.
    """
    payoff, start = matrix(members), _counts(counts, len(matrix(members)))
    _check(runs, steps)
    if not 0 <= intensity <= 1:
        raise ValueError(f"intensity: give a number from 0 to 1; {intensity!r} seen")
    with np.errstate(over="ignore"):
        return Moran(*_simulate(payoff, start, intensity, _numbers(rng, runs), steps))


def moran_matches(
    strategies: Sequence[Entry],
    counts: Sequence[int],
    rng: np.random.Generator,
    turns: int = 200,
    noise: float = 0.0,
    runs: int = 1,
    steps: int = 10_000,
    game: NormalForm = PRISONERS_DILEMMA,
) -> Moran:
    """The process in which all pairs of members play a match in every step, as in Axelrod-Python.

    A member is born in proportion to what it has earned in its matches of this step. Pairs whose matches leave nothing
    to chance are played once, and where no pair does, this is `moran` with the payoffs of those matches. Raises
    ValueError where an argument is out of range or a payoff of the game is negative.
    """
    players = [resolved(entry, number) for number, entry in enumerate(strategies, 1)]
    start = _counts(counts, len(players))
    _check(runs, steps)
    matrix(game.payoff[..., 0]), matrix(game.payoff[..., 1])
    rows, columns = np.triu_indices(len(players))
    lanes = Lanes(players, turns, noise)
    once, drew = lanes.play(rows, columns, _numbers(rng, len(rows)))
    if not drew.any():  # the payoffs are fixed, and two members of one type share what their match pays
        paid, worth = payoffs(once / turns, game), np.empty((len(players), len(players)))
        worth[rows, columns], worth[columns, rows] = paid[:, 0], paid[:, 1]
        np.fill_diagonal(worth, paid[rows == columns].mean(axis=1))
        return moran(worth, start, rng, runs, steps)
    winner, taken, ends = np.full(runs, -1), np.empty(runs, np.int64), np.empty((runs, len(players)), np.int64)
    for run in range(runs):
        now, step = start.copy(), 0
        while now.max() < now.sum() and step < steps:
            matches = np.where(rows == columns, now[rows] * (now[rows] - 1) // 2, now[rows] * now[columns])
            again = np.repeat(np.flatnonzero(drew), matches[drew])
            ended = once * np.where(drew, 0, matches)[:, None]
            np.add.at(ended, again, lanes.play(rows[again], columns[again], _numbers(rng, len(again)))[0])
            paid = payoffs(ended, game)
            earned = np.bincount(rows, paid[:, 0], len(players)) + np.bincount(columns, paid[:, 1], len(players))
            if earned.sum() <= 0:
                raise ValueError("game: nobody earns anything, so nobody is born; add a constant to all payoffs")
            share, place = rng.random() * earned.sum(), rng.integers(now.sum())
            born = int(np.searchsorted(np.cumsum(earned), share, side="right"))
            dead = int(np.searchsorted(np.cumsum(now), place, side="right"))
            now[born] += 1
            now[dead] -= 1
            step += 1
        taken[run], ends[run] = step, now
        if now.max() == now.sum():
            winner[run] = int(np.argmax(now))
    return Moran(winner, taken, ends)


def takeover(result: Moran, kind: int) -> Value:
    """The probability that type `kind` takes over, sampled, with Wilson's 95% interval (Wilson 1927).

    Runs that were given up might have gone either way: they count as lost at the interval's lower end and as won at its
    upper end.
    """
    runs, won = len(result.winner), int((result.winner == kind).sum())
    open_ = int((result.winner < 0).sum())
    how = f"{runs} runs of a Moran process" + (f", {open_} of them not decided" if open_ else "")
    return Value(won / runs, "sampled", (_wilson(won, runs)[0], _wilson(won + open_, runs)[1]), how)


def _wilson(won, runs, z=1.959963984540054):
    middle = (won + z * z / 2) / (runs + z * z)
    half = z / (runs + z * z) * math.sqrt(won * (runs - won) / runs + z * z / 4)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def _counts(counts, types_):
    start = np.asarray(counts)
    if start.shape != (types_,) or start.dtype.kind not in "iu" or (start < 0).any() or start.sum() < 2:
        raise ValueError(
            f"counts: give how many members each of the {types_} types has, at least two in all; {counts!r} seen"
        )
    return start.astype(np.int64)


def _check(runs, steps):
    for name, count in (("runs", runs), ("steps", steps)):
        if not isinstance(count, int | np.integer) or count < 1:
            raise ValueError(f"{name}: give a whole number of at least 1; {count!r} seen")


# Random numbers: SplitMix64 of Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators".

GAMMA = np.uint64(0x9E3779B97F4A7C15)


def _numbers(rng, count):
    """Where the streams of `count` runs or matches begin: uint64[count]."""
    return rng.integers(2**64, size=count, dtype=np.uint64)


@njit(cache=True)
def _unit(counter):
    """The number of a counter, a float64 in [0, 1)."""
    counter = (counter ^ (counter >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    counter = (counter ^ (counter >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.float64((counter ^ (counter >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53


@engine(
    types.Tuple((types.int64[::1], types.int64[::1], types.int64[:, ::1]))(
        types.float64[:, ::1], types.int64[::1], types.float64, types.uint64[::1], types.int64
    ),
)
def _simulate(payoff, start, intensity, streams, steps):
    """One birth and one death a step. What all members of a type earn in sum is kept up to date, not added up anew."""
    kinds, size = len(start), start.sum()
    winner, taken = np.full(len(streams), -1), np.empty(len(streams), np.int64)
    ends, worth = np.empty((len(streams), kinds), np.int64), np.empty(kinds)
    for run in range(len(streams)):
        counter, now = streams[run], ends[run]
        now[:] = start
        for kind in range(kinds):  # what a member earns, with its match against itself, which is taken off below
            worth[kind] = 0.0
            for other in range(kinds):
                worth[kind] += payoff[kind, other] * now[other]
        step = 0
        while step < steps and now.max() < size:
            total = 0.0
            for kind in range(kinds):
                total += now[kind] * (1 - intensity + intensity * (worth[kind] - payoff[kind, kind]) / (size - 1))
            counter += GAMMA
            share = _unit(counter) * total
            counter += GAMMA
            place = np.int64(_unit(counter) * size)
            born, dead = -1, -1
            total, members = 0.0, 0
            for kind in range(kinds):
                if now[kind] > 0:
                    fitness = now[kind] * (1 - intensity + intensity * (worth[kind] - payoff[kind, kind]) / (size - 1))
                    if fitness > 0 and (born < 0 or total <= share):
                        born = kind
                    if members <= place:
                        dead = kind
                    total += fitness
                    members += now[kind]
            if born < 0:
                break  # nobody earns anything
            now[born] += 1
            now[dead] -= 1
            for kind in range(kinds):
                worth[kind] += payoff[kind, born] - payoff[kind, dead]
            step += 1
        taken[run] = step
        for kind in range(kinds):
            if now[kind] == size:
                winner[run] = kind
    return winner, taken, ends

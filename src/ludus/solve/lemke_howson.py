"""Lemke-Howson: one equilibrium of a two-player game, by walking along the edges of its best-response polytopes.

Give every strategy of either player a label; a pair of points carries the labels of the strategies that are not played
and of those that are best responses, and one that carries all labels is an equilibrium. Start at the pair of origins,
which carries all of them though nobody plays. Drop one label: that leaves one vertex along an edge, and the vertex at
its end picks up another label. If that is the one dropped, all are there again: an equilibrium. If not, some label is
there twice; drop it in the other polytope, and so on. The way never comes to a pair twice, so it ends.

In a degenerate game several labels may be picked up at once. Which one then counts is settled as if the right-hand
sides were a little different, by comparing whole rows instead of their first numbers (the lexicographic rule), and the
way still never comes to a pair twice. Rounding can break that promise, so the compiled walk is cut off after many steps
and its end is certified; where either goes wrong, the walk is taken again in fractions.

Lemke and Howson (1964), "Equilibrium points of bimatrix games"; von Stengel (2002), "Computing equilibria for
two-person games", sections 2.3 to 2.6.
"""

import time
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numba import njit, types

from ludus.game import engine
from ludus.normal_form import NormalForm
from ludus.solve.answer import Answer
from ludus.solve.bimatrix import TOLERANCE, certify, checked, exact, stacked, two_players


class Ends(NamedTuple):
    """Where the walks of many games of one size ended. G games, m rows, n columns.

    rows     float64[G, m], the mixed strategy of the player who chooses the row; columns float64[G, n], of the other
    regret   float64[G], the certificates, as in Answer
    pivots   int64[G], the steps of each walk
    """

    rows: np.ndarray
    columns: np.ndarray
    regret: np.ndarray
    pivots: np.ndarray


def lemke_howson(form: NormalForm, label: int | None = None) -> Answer:
    """The equilibrium where the walk from `label` ends; None: from every label, the distinct ones.

    label  0 to m - 1 drops a row at first, m to m + n - 1 a column

    `iterations` counts pivots, of all walks together. Raises UnfitGame and ValueError.
    """
    start = time.perf_counter()
    payoff = two_players(form)[None]
    rows, columns, regret, expects, pivots = _ends(payoff, label)
    if label is None:
        same = np.abs(rows[:, None] - rows).max(axis=2) + np.abs(columns[:, None] - columns).max(axis=2) < TOLERANCE
        kept = same.argmax(axis=1) == np.arange(len(rows))  # the first of those that are the same
        rows, columns, regret, expects = rows[kept], columns[kept], regret[kept], expects[kept]
    return Answer(
        [(rows[k], columns[k]) for k in range(len(rows))], regret, expects, False,
        "a walk finds one equilibrium; support_enumeration(form) finds all",
        "Lemke-Howson", sum(pivots.tolist()), time.perf_counter() - start,
    )  # fmt: skip


def lemke_howson_many(payoff: np.ndarray, label: int = 0) -> Ends:
    """The ends of the walks from one label in many games of one size, float64[G, m, n, 2]; see `lemke_howson`."""
    rows, columns, regret, _, pivots = _ends(stacked(payoff), label)
    return Ends(rows, columns, regret, pivots)


def _ends(payoff, label):
    """The walks from a label, or from every one where it is None, in each game: profiles, certificates and pivots.

    One compiled call does it, checks included, and writes into arrays that NumPy makes: in a small game what Python
    does around the walk takes longer than the walk.
    """
    games, m, n, _ = payoff.shape
    if label is not None and (not isinstance(label, int | np.integer) or not 0 <= label < m + n):
        raise ValueError(f"label: rows and columns of this game are labels 0 to {m + n - 1}, not {label!r}")
    first, labels = (0, m + n) if label is None else (label, 1)
    walks = games * labels
    rows, columns, pivots = np.empty((walks, m)), np.empty((walks, n)), np.empty(walks, np.int64)
    regret, expects = np.empty(walks), np.empty((walks, 2))
    if not _walk_and_certify(payoff, first, labels, rows, columns, pivots, regret, expects):
        checked(payoff)
        astray = np.flatnonzero(pivots == 0)
        for k in astray:
            rows[k], columns[k], pivots[k] = exact_walk(exact(payoff[k // labels]), int(first + k % labels))
        regret[astray], expects[astray], _ = certify(payoff, astray // labels, rows[astray], columns[astray])
    return rows, columns, regret, expects, pivots


def exact_walk(payoff: list[list[list[int]]], label: int) -> tuple[list[float], list[float], int]:
    """The walk from `label` in fractions: the row player's strategy, the column player's, pivots. Nothing is rounded.

    payoff  whole numbers, at least 1, as `bimatrix.exact` gives
    """
    m, n = len(payoff[0]), len(payoff[1])
    # one tableau a polytope, of all its variables by label and the right-hand side: 1 - A y = r, and 1 - B x = s.
    # Label i is r_i in the first and x_i in the second, label m + j is y_j in the first and s_j in the second
    slacks = [range(m), range(m, m + n)]
    unit = [[[Fraction(i == k) for k in range(size)] for i in range(size)] for size in (m, n)]
    tables = [
        [[*own, *map(Fraction, line), Fraction(1)] for own, line in zip(unit[0], payoff[0], strict=True)],
        [[*map(Fraction, line), *own, Fraction(1)] for own, line in zip(unit[1], payoff[1], strict=True)],
    ]
    basis = [list(slacks[0]), list(slacks[1])]
    entering, side, pivots = label, int(label < m), 0
    while True:
        table = tables[side]
        able = [r for r, line in enumerate(table) if line[entering] > 0]
        # the lexicographic rule: the least row, right-hand side first and then the columns of the slacks
        leave = min(able, key=lambda r: [table[r][k] / table[r][entering] for k in (-1, *slacks[side])])
        pivot = [number / table[leave][entering] for number in table[leave]]
        for r, line in enumerate(table):
            if r != leave and line[entering]:
                table[r] = [a - line[entering] * b for a, b in zip(line, pivot, strict=True)]
        table[leave] = pivot
        basis[side][leave], entering = entering, basis[side][leave]
        pivots += 1
        side = 1 - side
        if entering == label:
            break
    ends = []
    for side, played in ((1, range(m)), (0, range(m, m + n))):
        value = {name: line[-1] for name, line in zip(basis[side], tables[side], strict=True)}
        weights = [value.get(name, Fraction(0)) for name in played]
        ends.append([float(weight / sum(weights)) for weight in weights])
    return ends[0], ends[1], pivots


_GAMES, _TABLE = types.float64[:, :, :, ::1], types.float64[:, ::1]
_NUMBERS, _INDICES = types.float64[::1], types.int64[::1]
_MOST_PIVOTS = 100_000  # a way of random games of size 12 takes some twenty; the longest known ones grow exponentially
_SMALL = 1e-10  # below this an entry is no pivot, and two ratios are a tie; wrong guesses show in the certificate


@njit(cache=True, error_model="numpy")
def _pivot(table, basis, others, entering, first_slack, ratio):
    """Let a variable into the basis: the label of the one that leaves, -1 where none can. All arrays change in place.

    table   float64[p, q + 1], basic variable + table @ the others = last column
    basis   int64[p], labels of the basic variables; others int64[q], of the rest
    """
    size, width = len(basis), len(others)
    column = 0
    while others[column] != entering:
        column += 1
    leave, ties, key = -1, 0, 0
    for row in range(size):
        ratio[row] = np.inf
        if table[row, column] > _SMALL:
            leave, ratio[row] = row, 0.0
            ties += 1
    while ties > 1 and key <= size:  # the lexicographic rule: the least right-hand side, then the least in each slack
        slack, place = first_slack + key - 1, width if key == 0 else -1
        for other in range(width):
            if key > 0 and others[other] == slack:
                place = other
        lowest = np.inf
        for row in range(size):
            if ratio[row] < np.inf:
                entry = table[row, place] if place >= 0 else 1.0 if basis[row] == slack else 0.0  # basic: a unit vector
                ratio[row] = entry / table[row, column]
                lowest = min(lowest, ratio[row])
        ties = 0
        for row in range(size):
            if ratio[row] <= lowest + _SMALL:
                leave = row
                ties += 1
            else:
                ratio[row] = np.inf
        key += 1
    leaving = -1
    if leave >= 0:
        scale, table[leave, column] = 1.0 / table[leave, column], 1.0
        for k in range(width + 1):
            table[leave, k] *= scale
        for row in range(size):
            factor = table[row, column]
            if row != leave and factor != 0.0:
                table[row, column] = 0.0
                for k in range(width + 1):
                    table[row, k] -= factor * table[leave, k]
        leaving, basis[leave], others[column] = basis[leave], entering, basis[leave]
    return leaving


@njit(cache=True, error_model="numpy")
def _walk_all(payoff, labels):
    """From each label in each game, games first: rows float64[k, m], columns float64[k, n], pivots int64[k].

    A walk that rounding has led astray has 0 pivots, and what it leaves is no profile.
    """
    games, m, n, _ = payoff.shape
    walks = games * len(labels)
    rows, columns, pivots = np.zeros((walks, m)), np.zeros((walks, n)), np.zeros(walks, np.int64)
    of_rows, of_columns = np.empty((m, n + 1)), np.empty((n, m + 1))
    row_basis, row_others = np.empty(m, np.int64), np.empty(n, np.int64)
    column_basis, column_others = np.empty(n, np.int64), np.empty(m, np.int64)
    ratio = np.empty(max(m, n))
    for walk in range(walks):
        table, label = payoff[walk // len(labels)], labels[walk % len(labels)]
        low_row, high_row, low_column, high_column = table[0, 0, 0], table[0, 0, 0], table[0, 0, 1], table[0, 0, 1]
        for i in range(m):
            for j in range(n):
                low_row, high_row = min(low_row, table[i, j, 0]), max(high_row, table[i, j, 0])
                low_column, high_column = min(low_column, table[i, j, 1]), max(high_column, table[i, j, 1])
        row_spread = high_row - low_row if high_row > low_row else 1.0
        column_spread = high_column - low_column if high_column > low_column else 1.0
        for i in range(m):  # payoffs from 1 to 2: both polytopes are then bounded
            row_basis[i], column_others[i], of_rows[i, n] = i, i, 1.0
            for j in range(n):
                of_rows[i, j] = 1.0 + (table[i, j, 0] - low_row) / row_spread
                of_columns[j, i] = 1.0 + (table[i, j, 1] - low_column) / column_spread
        for j in range(n):
            row_others[j], column_basis[j], of_columns[j, m] = m + j, m + j, 1.0
        entering, side, going = label, label < m, True
        while going:
            if side:
                entering = _pivot(of_columns, column_basis, column_others, entering, m, ratio)
            else:
                entering = _pivot(of_rows, row_basis, row_others, entering, 0, ratio)
            side = not side
            pivots[walk] += 1
            going = entering >= 0 and entering != label and pivots[walk] < _MOST_PIVOTS
        total_row, total_column = 0.0, 0.0
        for j in range(n):
            if column_basis[j] < m:
                rows[walk, column_basis[j]] = max(of_columns[j, m], 0.0)
                total_row += rows[walk, column_basis[j]]
        for i in range(m):
            if row_basis[i] >= m:
                columns[walk, row_basis[i] - m] = max(of_rows[i, n], 0.0)
                total_column += columns[walk, row_basis[i] - m]
        if entering == label and 0.0 < total_row < np.inf and 0.0 < total_column < np.inf:
            rows[walk] /= total_row
            columns[walk] /= total_column
        else:
            pivots[walk] = 0
    return rows, columns, pivots


@njit(cache=True, error_model="numpy")
def _certificate(payoff, own, other):
    """Of one player, from its payoffs [own, other]: what it expects, its regret, and that as a share of their range."""
    base = payoff[0, 0]  # taken out, so that what is added to all payoffs costs no digits
    expects, best, low, high = 0.0, -np.inf, base, base
    for i in range(len(own)):
        worth = 0.0
        for j in range(len(other)):
            worth += (payoff[i, j] - base) * other[j]
            low, high = min(low, payoff[i, j]), max(high, payoff[i, j])
        best = max(best, worth)
        expects += worth * own[i]
    regret = best - expects
    return base + expects, regret, regret / (high - low) if high > low else 0.0


@engine(
    types.boolean(_GAMES, types.int64, types.int64, _TABLE, _TABLE, _INDICES, _NUMBERS, _TABLE),
    error_model="numpy",
)
def _walk_and_certify(payoff, first, labels, rows, columns, pivots, regret, expects):
    """Walk from `labels` labels, `first` on, in each game, games first, and certify the ends afresh from the payoffs.

    Writes rows float64[k, m], columns float64[k, n], pivots int64[k], regret float64[k], expects float64[k, 2]. False
    where some walks went astray, which have 0 pivots; also, with nothing written, where `bimatrix.checked` has to
    say what is wrong with the payoffs.
    """
    fine = True
    for number in payoff.ravel():
        fine &= abs(number) < 1e307
    if not fine:
        return False
    rows[:], columns[:], pivots[:] = _walk_all(payoff, np.arange(first, first + labels))
    for k in range(len(pivots)):
        table, row, column = payoff[k // labels], rows[k], columns[k]
        expects[k, 0], row_regret, row_share = _certificate(table[:, :, 0], row, column)
        expects[k, 1], column_regret, column_share = _certificate(table[:, :, 1].T, column, row)
        regret[k] = max(row_regret, column_regret, 0.0)
        if max(row_share, column_share) > TOLERANCE:
            pivots[k] = 0
        fine &= pivots[k] > 0
    return fine

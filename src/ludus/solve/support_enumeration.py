"""Support enumeration: all equilibria of a two-player game, one pair of supports after the other.

A mixed strategy is played on a support, and in equilibrium it keeps every strategy of the other's support equally good
and none better. For each pair of supports of one size that is a pair of small linear systems: solve them, and keep the
solutions that are positive and leave the other nothing better to do. Supports go from small to large, and those with a
strategy that a third one beats everywhere on the other's support are left out (Porter, Nudelman and Shoham 2008).

Why equal sizes are enough. Let (x, y) be an extreme equilibrium of any game, with supports I, J and best responses I'
to y and J' to x. An extreme point has at least as many best responses as its support is large, so |I| <= |J'| and
|J| <= |I'|, and there are two sets of one size between I and I' and between J and J'. On these x and y solve both
systems: alone, positive and without a tie, or else with a zero, with a tie or among many. So nothing is missed while no
pair of systems shows one of the latter. Where one does, or comes so close that rounding could have done it, the game
goes to `extreme_equilibria`, which rounds nothing.

Dickhaut and Kaplan (1991), "A program for finding Nash equilibria"; Porter, Nudelman and Shoham (2008), "Simple search
methods for finding a Nash equilibrium", section 3.1; von Stengel (2002), "Computing equilibria for two-person games",
sections 2.6 and 2.7; the bound on rounding: Higham (2002), "Accuracy and stability of numerical algorithms", 9.4.
"""

import time
from typing import NamedTuple

import numpy as np
from numba import njit, types

from ludus.game import engine
from ludus.normal_form import NormalForm
from ludus.solve.answer import Answer
from ludus.solve.bimatrix import TOLERANCE, certify, exact, matrices, stacked
from ludus.solve.extreme_equilibria import NOTE, OutOfTime, extreme_profiles


class Equilibria(NamedTuple):
    """The equilibria of many games of one size. G games, at most M equilibria in one, m rows, n columns.

    number    int64[G], how many were found
    rows      float64[G, M, m], mixed strategies of the player who chooses the row; zero past the number
    columns   float64[G, M, n], of the player who chooses the column
    regret    float64[G, M], the certificates, as in Answer; zero past the number
    complete  bool[G], whether these are all; of a game with infinitely many, all extreme ones
    """

    number: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    regret: np.ndarray
    complete: np.ndarray


def support_enumeration(form: NormalForm, seconds: float | None = None) -> Answer:
    """All equilibria of a two-player game; where they are infinitely many, all extreme ones, and the note says so.

    seconds  stop after so long with what was found; complete is then False

    The game is what its floats are, exactly: a tie that rounding has broken is no tie. `iterations` counts pairs of
    supports. Raises UnfitGame, a ValueError.
    """
    start = time.perf_counter()
    found = _enumerate(matrices(form)[None], start, seconds)
    note, method = "", "support enumeration"
    if found.unfinished:
        note = f"the time limit of {seconds} seconds came first; lemke_howson(form) finds one equilibrium"
    elif found.doubtful:
        method += ", then vertices of the best-response polytopes"
        note = NOTE if found.infinite else ""
    profiles = list(zip(found.rows, found.columns, strict=True))
    spent = time.perf_counter() - start
    return Answer(profiles, found.regret, found.expects, not found.unfinished, note, method, found.pairs, spent)


def support_enumeration_many(payoff: np.ndarray, seconds: float | None = None) -> Equilibria:
    """All equilibria of many games of one size, float64[G, m, n, 2], as `support_enumeration` finds them.

    seconds  stop after so long, for all games together; complete is False for those not finished

    Raises UnfitGame, a ValueError.
    """
    payoff = stacked(payoff)
    found = _enumerate(payoff, time.perf_counter(), seconds)
    games, game = len(payoff), found.game
    number = np.bincount(game, minlength=games)
    place = game, np.arange(len(game)) - (np.cumsum(number) - number)[game]

    def spread(values):
        out = np.zeros((games, number.max(initial=0), *values.shape[1:]))
        out[place] = values
        return out

    complete = np.ones(games, bool)
    complete[found.unfinished] = False
    return Equilibria(number, spread(found.rows), spread(found.columns), spread(found.regret), complete)


class _Found(NamedTuple):
    """Profiles of many games with the number of each one's game, sorted by it, and certificates as `certify` gives.

    doubtful    the games that went to the polytopes; infinite  those of them with infinitely many equilibria
    unfinished  the games whose list may not be whole
    pairs       of supports, that were looked at
    """

    game: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    regret: np.ndarray
    expects: np.ndarray
    doubtful: list[int]
    infinite: list[int]
    unfinished: list[int]
    pairs: int


_FINISHED, _PAUSED = -1, -2  # why the search came back; else the number of a game in doubt
_GAME, _SIZE, _BEGUN, _PAIRS = range(4)  # where it stands: see `_search`
_PIECE = 1 << 22  # payoffs to look at between two looks at the clock: some ten milliseconds


def _enumerate(payoff: np.ndarray, start: float, seconds: float | None) -> _Found:
    deadline = None if seconds is None else start + seconds
    at, support = np.zeros(4, np.int64), np.empty((2, min(payoff.shape[1:3])), np.int64)
    doubtful: list[int] = []
    infinite: list[int] = []
    unfinished: list[int] = []
    parts, why = [], _PAUSED
    while why != _FINISHED:
        why, *part = _search(payoff, at, support, _PIECE)
        parts.append(part)
        if why >= 0:
            doubtful.append(why)
            at[:_PAIRS] = why + 1, 0, 0
        if deadline is not None and why != _FINISHED and time.perf_counter() > deadline:
            unfinished, why = list(range(at[_GAME], len(payoff))), _FINISHED
    game, rows, columns = parts[0] if len(parts) == 1 else map(np.concatenate, zip(*parts, strict=True))
    regret, expects, share = certify(payoff, game, rows, columns)
    if max(share.tolist(), default=0.0) > TOLERANCE:  # the system was too badly conditioned
        doubtful = sorted({*doubtful, *game[share > TOLERANCE].tolist()})
    exact_parts = []
    for number in doubtful:
        try:
            exact_rows, exact_columns, many, _ = extreme_profiles(exact(payoff[number]), deadline)
        except OutOfTime:
            unfinished.append(number)
            continue
        infinite += [number] * many
        exact_parts.append((np.full(len(exact_rows), number), exact_rows, exact_columns))
    if exact_parts:
        kept = ~np.isin(game, [part[0][0] for part in exact_parts])
        parts = [(game[kept], rows[kept], columns[kept]), *exact_parts]
        game, rows, columns = map(np.concatenate, zip(*parts, strict=True))
        order = np.argsort(game, kind="stable")
        game, rows, columns = game[order], rows[order], columns[order]
        regret, expects, _ = certify(payoff, game, rows, columns)
    return _Found(game, rows, columns, regret, expects, doubtful, infinite, unfinished, int(at[_PAIRS]))


_TABLE, _INDICES = types.float64[:, ::1], types.int64[::1]
_NO, _YES, _PERHAPS = range(3)
_ROUNDING = 2.0**-53  # the relative error of one operation on floats


@njit(cache=True)
def _scale(payoff, of_rows, of_columns):
    """Both players' payoffs from 0 to 1: of_rows float64[m, n], of_columns float64[n, m], in place."""
    m, n, _ = payoff.shape
    for player in range(2):
        low, high = payoff[0, 0, player], payoff[0, 0, player]
        for i in range(m):
            for j in range(n):
                low, high = min(low, payoff[i, j, player]), max(high, payoff[i, j, player])
        spread = high - low if high > low else 1.0
        for i in range(m):
            for j in range(n):
                if player == 0:
                    of_rows[i, j] = (payoff[i, j, 0] - low) / spread
                else:
                    of_columns[j, i] = (payoff[i, j, 1] - low) / spread


@njit(cache=True)
def _advance(chosen, size, count):
    """The next of the subsets of `size` numbers below `count`, ascending, in place; False after the last."""
    place = size - 1
    while place >= 0 and chosen[place] == count - size + place:
        place -= 1
    if place >= 0:
        chosen[place] += 1
        for later in range(place + 1, size):
            chosen[later] = chosen[later - 1] + 1
    return place >= 0


@njit(cache=True)
def _beaten(payoff, strategy, support, size):
    """Whether some strategy pays more than this one against every strategy of the other's support."""
    rival, beaten = 0, False
    while rival < len(payoff) and not beaten:
        beaten = True
        for place in range(size):
            if payoff[rival, support[place]] <= payoff[strategy, support[place]]:
                beaten = False
                break
        rival += 1
    return beaten


@njit(cache=True)
def _unbeaten(payoff, support, size, left):
    """The strategies that no other beats against all of the other's support: how many; `left` int64[p], in place."""
    count = 0
    for strategy in range(len(payoff)):
        if not _beaten(payoff, strategy, support, size):
            left[count] = strategy
            count += 1
    return count


@njit(cache=True, error_model="numpy")  # fmt: skip
def _mix(payoff, own, other, size, weights, work, order):
    """The mix of the strategies `other` that makes all of `own` equally good and nothing better: is there one?

    payoff   float64[p, q] from 0 to 1, by own strategy and the other's
    own      int64[size or more], a support, ascending; other the same, of the other player
    weights  float64[size or more], the mix, in place; its order is that of `other`
    Returns _NO, _YES, or _PERHAPS where rounding leaves it open: a weight near 0, a near tie, a near singular system.
    """
    # size - 1 differences that must be 0, as rows; eliminated with the largest of each row as its pivot
    determinant, largest = 1.0, 1.0
    for place in range(size):
        order[place] = other[place]
    for row in range(size - 1):
        for column in range(size):
            work[row, column] = payoff[own[row + 1], order[column]] - payoff[own[0], order[column]]
        for above in range(row):
            factor = work[row, above]
            largest = max(largest, abs(factor))
            for column in range(above + 1, size):
                work[row, column] -= factor * work[above, column]
        best = row
        for column in range(row + 1, size):
            if abs(work[row, column]) > abs(work[row, best]):
                best = column
        pivot = work[row, best]
        if best != row:
            order[row], order[best] = order[best], order[row]
            for above in range(row + 1):
                work[above, row], work[above, best] = work[above, best], work[above, row]
        determinant *= abs(pivot)
        largest = max(largest, abs(pivot))
        for column in range(row + 1, size):
            work[row, column] /= pivot
    # L U = D + E with |E| <= 3 n u |L| |U| (Higham, theorem 9.4), n = size - 1, |U| <= 1, and the scaling adds 5 u;
    # the inverse is minors over the determinant, and no minor is above (n - 1) ** ((n - 1) / 2) (Hadamard)
    n = size - 1
    error = 0.0
    if n > 0:
        error = n * max(n - 1, 1) ** (0.5 * (n - 1)) * (3 * n * n * largest + 5) * _ROUNDING / determinant
    verdict = _YES if error * size < 0.1 else _PERHAPS  # past this, the bound itself is worth nothing
    if verdict == _YES:
        total = 0.0
        for row in range(size - 1, -1, -1):
            weights[row] = 1.0 if row == size - 1 else 0.0
            for column in range(row + 1, size):
                weights[row] -= work[row, column] * weights[column]
            total += abs(weights[row])
        for place in range(size):
            weights[place] /= total
            if weights[place] < -error:
                verdict = _NO
            elif weights[place] <= error and verdict == _YES:
                verdict = _PERHAPS
        margin = 2 * size * error + 8 * size * _ROUNDING
        strategy, member = 0, 0
        while strategy < len(payoff) and verdict != _NO:
            if member < size and own[member] == strategy:
                member += 1
            else:
                gain = 0.0
                for place in range(size):
                    gain += (payoff[strategy, order[place]] - payoff[own[0], order[place]]) * weights[place]
                if gain > margin:
                    verdict = _NO
                elif gain >= -margin:
                    verdict = _PERHAPS
            strategy += 1
    if verdict == _YES:  # back into the order of `other`
        for place in range(size):
            work[0, place] = weights[place]
        for place in range(size):
            at = 0
            while other[at] != order[place]:
                at += 1
            weights[at] = work[0, place]
    return verdict


@engine(
    types.Tuple((types.int64, _INDICES, _TABLE, _TABLE))(
        types.float64[:, :, :, ::1], _INDICES, types.int64[:, ::1], types.int64
    ),
)  # fmt: skip
def _search(payoff, at, support, budget):
    """Go on from `at` until some `budget` payoffs were looked at, or to the end, or to a pair that is in doubt.

    at       int64[4], where the search stands: game, size, whether the rows' support has begun, pairs; in place
    support  int64[2, size or more], row 0 places among the rows that are left, row 1 columns; in place
    Returns why it came back, and game int64[k], rows float64[k, m], columns float64[k, n] of the equilibria found.
    """
    games, m, n, _ = payoff.shape
    small = min(m, n)
    of_rows, of_columns = np.empty((m, n)), np.empty((n, m))
    left, chosen, columns = np.empty(m, np.int64), support[0], support[1]
    own, x, y = np.empty(small, np.int64), np.empty(small), np.empty(small)
    work, order = np.empty((small, small)), np.empty(small, np.int64)
    game, profile_rows, profile_columns = np.empty(4, np.int64), np.empty((4, m)), np.empty((4, n))
    why, found = _FINISHED, 0
    while at[_GAME] < games and why == _FINISHED:
        _scale(payoff[at[_GAME]], of_rows, of_columns)
        if at[_SIZE] == 0:
            at[_SIZE], at[_BEGUN] = 1, 0
            columns[0] = 0
        size, count = at[_SIZE], 0
        if at[_BEGUN]:
            count = _unbeaten(of_rows, columns, size, left)
        while size <= small:
            if budget <= 0:
                why = _PAUSED
                break
            if at[_BEGUN]:
                more = _advance(chosen, size, count)
            else:
                budget -= m * m
                count = _unbeaten(of_rows, columns, size, left)
                more = size <= count
                at[_BEGUN] = 1
                for place in range(size):
                    chosen[place] = place
            if not more:
                at[_BEGUN] = 0
                if not _advance(columns, size, n):
                    size += 1
                    for place in range(min(size, small)):
                        columns[place] = place
                continue
            at[_PAIRS] += 1
            budget -= size * (m + n)
            for place in range(size):
                own[place] = left[chosen[place]]
            beaten = False
            for place in range(size):
                beaten = beaten or _beaten(of_columns, columns[place], own, size)
            verdict = _NO if beaten else _mix(of_rows, own, columns, size, y, work, order)
            if verdict != _NO:
                other = _mix(of_columns, columns, own, size, x, work, order)
                verdict = _NO if other == _NO else max(verdict, other)
            if verdict == _YES:
                if found == len(game):
                    game = np.append(game, np.empty(found, np.int64))
                    profile_rows = np.concatenate((profile_rows, np.empty((found, m))))
                    profile_columns = np.concatenate((profile_columns, np.empty((found, n))))
                game[found] = at[_GAME]
                profile_rows[found], profile_columns[found] = 0.0, 0.0
                for place in range(size):
                    profile_rows[found, own[place]] = x[place]
                    profile_columns[found, columns[place]] = y[place]
                found += 1
            elif verdict == _PERHAPS:
                why = at[_GAME]
                break
        at[_SIZE] = size
        if why == _FINISHED:
            at[_GAME] += 1
            at[_SIZE] = 0
    return why, game[:found].copy(), profile_rows[:found].copy(), profile_columns[:found].copy()

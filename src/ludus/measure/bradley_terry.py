"""Bradley-Terry-Davidson ratings: one strength per player, so that differences of strength tell who beats whom.

    P(i beats j) = x_i / (x_i + x_j + nu sqrt(x_i x_j)),   P(i and j draw) = nu sqrt(x_i x_j) / (the same)

with x = exp(strength). Bradley and Terry (1952), "Rank analysis of incomplete block designs: I", Biometrika 39; with
draws Davidson (1970), "On extending the Bradley-Terry model to accommodate ties in paired comparison experiments",
JASA 65. nu is the propensity to draw: between equals a draw comes with probability nu / (2 + nu).
Only three things of the results count: who met whom how often, each player's score (a win 1, a draw 1/2), and how many
draws there were. The likelihood is concave in the strengths and log nu, and is climbed by Newton's method.

Who never lost is infinitely strong by this model, and groups that never met cannot be compared. So players are rated
only within a strongly connected component of "beat or drew with", where the maximum exists (Ford 1957, "Solution of a
ranking problem from binary comparisons"), each component apart. How far a component stands above another, all of whose
players it beat, is a question of its own: `lead`.
"""

from heapq import heapify, heappop, heappush
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.optimize import brentq
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from ludus.records import Value

CLOSE = 1e-9  # strengths are about this near to the maximum of the likelihood
FEW = 64  # so many games of a pair are drawn one by one, more as one multinomial number
STEPS = 200  # Newton steps; a handful is enough unless the maximum is far away


class Ratings(NamedTuple):
    """Strengths of M players, comparable only within a component.

    strength   float64[M], natural logarithm, mean zero within the component; 400 / ln 10 times that is the Elo scale
    draw       nu of Davidson (1970): zero without draws, infinite where all games were draws; of several components,
               the one that fits all of them at their strengths, while each was rated with its own
    component  int64[M]: who is connected by wins and draws both ways. A component has a smaller number than those it
               beat; between components that no chain of wins connects, the one with the first player comes first
    interval   float64[M, 2], the 95% interval of the strength; NaN where none was asked for, unbounded for a player
               that is alone in its component
    method     how it was made, in words
    games      float64[M], how many games each player played, those with other components among them
    """

    strength: np.ndarray
    draw: float
    component: np.ndarray
    interval: np.ndarray
    method: str
    games: np.ndarray


def bradley_terry(wins: np.ndarray, ties: np.ndarray | None = None) -> Ratings:
    """The strengths that make the results most likely, without intervals (`rate` has them).

    wins  float64[M, M], wins[i, j] games that i won against j, zero on the diagonal
    ties  float64[M, M], symmetric, games that i and j drew; None where there are none, or where half a win was counted
          for each side

    In a component whose players never lost without a draw to make up for it, Davidson's likelihood may have its maximum
    at infinity although the players are connected: won twice, drawn once, never lost. There a draw counts as half a win
    for each side, and nu is fitted to the strengths; `method` says so. Raises ValueError where a table is wrong.
    """
    return _rated(*_tables(wins, ties))[0]


def rate(wins: np.ndarray, ties: np.ndarray | None, rng: np.random.Generator, samples: int = 1000) -> Ratings:
    """`bradley_terry` with 95% intervals from a parametric bootstrap: `samples` tournaments of the same meetings.

    The games of each pair are drawn afresh, multinomially, from the probabilities that the ratings give, every such
    tournament is rated again, and the interval holds the middle 95% of the strengths (Davison and Hinkley 1997,
    "Bootstrap methods and their application", section 5.3.1). To draw among the games that were seen would not do: a
    pair that met once would always end alike. In a redrawn tournament somebody may win all games. So here, for the data
    as for what is redrawn, one game is added for each free strength, half won and half lost, spread over the meetings
    of the component like the games themselves. That keeps all finite, links no groups, and takes off most of the bias
    (Firth 1993, "Bias reduction of maximum likelihood estimates", does the same in a round robin of equals without
    draws). The intervals thus lie about estimates slightly nearer to zero than `strength`, which stays the maximum of
    the likelihood, and are as wide as those vary. benchmarks/rating_coverage.py counts how often they hold the truth:
    in 94 to 97% of cases in each of eight designs.

    Raises ValueError where a table is wrong or holds parts of games, or samples is less than 100.
    """
    wins, ties = _tables(wins, ties)
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng: give a numpy Generator, np.random.default_rng(seed); {type(rng).__name__} seen")
    if samples < 100:
        raise ValueError(f"samples: 100 or more are needed for the ends of a 95% interval, {samples} seen; try 1000")
    ratings, groups = _rated(wins, ties)
    for argument, table in (("wins", wins), ("ties", ties)):
        if (table % 1).any():
            raise ValueError(
                f"{argument}: games are drawn afresh, so whole games are needed; {table[table % 1 > 0][0]:g} seen. "
                "Give draws as ties, not as half wins"
            )
    interval = np.tile([-np.inf, np.inf], (len(wins), 1))
    for players, group in groups:
        interval[players] = _interval(group, rng, samples)
    method = f"{ratings.method}; percentiles of {samples:,} redrawn tournaments"
    return ratings._replace(interval=interval, method=method)


def lead(wins: np.ndarray, ties: np.ndarray | None, ratings: Ratings, above: int, below: int) -> Value:
    """How far the component `above` stands over the component `below`, from mean strength to mean strength.

    It won every game between them, so the likelihood rises for ever as they move apart, and only a lower end can be
    told. The interval is (low, inf), where at low such a clean sweep still has probability 2.5%; number is the gap
    where it has 1/2, so that it is too high as often as too low. For a single pair that is the exact interval of
    Clopper and Pearson (1934), "The use of confidence or fiducial limits illustrated in the case of the binomial",
    Biometrika 26; for more, strengths within a component are taken as rated. In natural-log strength. Raises ValueError
    where a table is wrong, or where `above` won no game against `below`.
    """
    wins, _ = _tables(wins, ties)
    if len(wins) != len(ratings.strength):
        raise ValueError(f"ratings: give those of this table of {len(wins)} players; {len(ratings.strength)} rated")
    upper, lower = np.flatnonzero(ratings.component == above), np.flatnonzero(ratings.component == below)
    swept = wins[np.ix_(upper, lower)]
    if not swept.sum() > 0 or above == below:
        raise ValueError(
            f"above, below: component {above} won no game against component {below}; their gap is unknown. Components "
            f"are numbered 0 to {ratings.component.max()}, those that beat others first"
        )
    difference = ratings.strength[upper][:, None] - ratings.strength[lower]
    draw = ratings.draw if np.isfinite(ratings.draw) else 0.0

    def sweep(gap: float) -> float:
        """The logarithm of the probability that all those games are won."""
        down = -(difference + gap)
        odds = np.logaddexp(down, np.log(draw) + down / 2) if draw else down
        return float(-(swept * np.logaddexp(0.0, odds)).sum())

    def gap_at(probability: float) -> float:
        reach = 1.0
        while sweep(reach) < np.log(probability) or sweep(-reach) > np.log(probability):
            reach *= 2
        return float(brentq(lambda gap: sweep(gap) - np.log(probability), -reach, reach))

    method = f"the gap at which {swept.sum():.0f} wins of {swept.sum():.0f} games have probability 1/2 (low end: 2.5%)"
    return Value(gap_at(0.5), "sampled", (gap_at(0.025), np.inf), method)


def counted(games: np.ndarray, score: np.ndarray, players: int) -> tuple[np.ndarray, np.ndarray]:
    """Wins and ties, both float64[players, players], of a list of games in any order.

    games  int64[E, 2], who met whom
    score  float64[E], what the first of the two got: 1 for a win, 1/2 for a draw, 0 for a loss

    Raises ValueError where an argument is wrong.
    """
    games, score = np.ascontiguousarray(games), np.ascontiguousarray(score, np.float64)
    if games.ndim != 2 or games.shape[1] != 2 or not np.issubdtype(games.dtype, np.integer):
        raise ValueError(f"games: give whole numbers, shape (E, 2); {games.dtype} of shape {games.shape} seen")
    if score.shape != games.shape[:1]:
        raise ValueError(f"score: give one number for each of the {len(games)} games; shape {score.shape} seen")
    wins, ties = np.zeros((players, players)), np.zeros((players, players))
    wrong = _add_up(games, score, wins, ties)
    if wrong >= 0:
        first, second = games[wrong]
        raise ValueError(
            f"games, score: players are numbered 0 to {players - 1}, nobody plays itself, and scores are 1, 0.5 or 0; "
            f"game {wrong} is {first} against {second} with {score[wrong]:g}"
        )
    return wins, ties


@njit(cache=True)
def _add_up(games, score, wins, ties):
    """Fill the last two in place: -1, or the first game that cannot be."""
    players = len(wins)
    for e in range(len(games)):
        i, j = games[e]
        if not (0 <= i < players and 0 <= j < players and i != j):
            return e
        if score[e] == 1.0:
            wins[i, j] += 1.0
        elif score[e] == 0.0:
            wins[j, i] += 1.0
        elif score[e] == 0.5:
            ties[i, j] += 1.0
            ties[j, i] += 1.0
        else:
            return e
    return -1


# --- who met whom, and who can be compared ----------------------------------------------------------------------------

WON, LOST, TIED = 1, 2, 4  # what came about between a pair, by the first of it


class _Meetings(NamedTuple):
    """What counts of the results, by the K pairs that met among M players.

    start   int64[M + 1]: player i is the first of the pairs start[i] to start[i + 1]
    second  int32[K], the other player, whose number is larger
    games   float64[K]
    seen    int8[K]: WON, LOST and TIED, added up
    score   float64[M], wins and half the draws
    played  float64[M]
    tied    draws in all
    """

    start: np.ndarray
    second: np.ndarray
    games: np.ndarray
    seen: np.ndarray
    score: np.ndarray
    played: np.ndarray
    tied: float

    @property
    def first(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.score)), np.diff(self.start))


def _tables(wins, ties) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64; ties is float64[0, 0] where there are none. Raises ValueError for a wrong shape."""
    wins = np.ascontiguousarray(wins, np.float64)
    ties = np.empty((0, 0)) if ties is None else np.ascontiguousarray(ties, np.float64)
    if wins.ndim != 2 or wins.shape[0] != wins.shape[1] or not wins.size:
        raise ValueError(f"wins: give a square table, wins[i, j] games that i won against j; shape {wins.shape} seen")
    if ties.size and ties.shape != wins.shape:
        raise ValueError(f"ties: give a table of the shape of wins, {wins.shape}, or None; {ties.shape} seen")
    return wins, ties


def _meetings(wins: np.ndarray, ties: np.ndarray) -> _Meetings:
    """Raises ValueError where a number cannot be one of games."""
    players = len(wins)
    most = players * (players - 1) // 2
    start, second = np.zeros(players + 1, np.int64), np.empty(most, np.int32)
    games, seen = np.empty(most), np.empty(most, np.int8)
    score, played = np.zeros(players), np.zeros(players)
    wrong, row, column, tied = _list(wins, ties, start, second, games, seen, score, played)
    if wrong:
        argument, table = ("wins", wins) if wrong == WON else ("ties", ties)
        told = f"{argument}[{row}, {column}] = {table[row, column]:g} seen"
        if row == column and table[row, column] > 0:
            raise ValueError(f"{argument}: nobody plays itself, give zeros on the diagonal; {told}")
        if table[row, column] >= 0 and np.isfinite(table[row, column]):
            raise ValueError(
                f"ties: a draw belongs to both, give a symmetric table; {told}, {table[column, row]:g} back"
            )
        raise ValueError(f"{argument}: give numbers of games, finite and not negative; {told}")
    pairs = start[-1]
    return _Meetings(start, second[:pairs], games[:pairs], seen[:pairs], score, played, tied)


@njit(cache=True)
def _list(wins, ties, start, second, games, seen, score, played):
    """Fill the last six in place: (0, or in which table something is wrong, at which row and column; draws in all)."""
    k, draws = 0, 0.0
    for i in range(len(wins)):
        for j in range(i, len(wins)):
            won, lost = wins[i, j], wins[j, i]
            if not (won >= 0.0 and won < np.inf) or (i == j and won > 0.0):
                return WON, i, j, 0.0
            if not (lost >= 0.0 and lost < np.inf):
                return WON, j, i, 0.0
            tied = 0.0
            if len(ties):
                tied = ties[i, j]
                if not (tied >= 0.0 and tied < np.inf) or (i == j and tied > 0.0) or tied != ties[j, i]:
                    return TIED, i, j, 0.0
            met = won + lost + tied
            if met > 0.0:
                second[k], games[k] = j, met
                seen[k] = WON * (won > 0.0) + LOST * (lost > 0.0) + TIED * (tied > 0.0)
                score[i] += won + tied / 2
                score[j] += lost + tied / 2
                played[i] += met
                played[j] += met
                draws += tied
                k += 1
        start[i + 1] = k
    return 0, 0, 0, draws


@njit(cache=True)
def _all_connected(start, second, seen):
    """Whether player 0 reaches everybody and is reached by everybody, found in a few sweeps; False also if unsure."""
    players = len(start) - 1
    below, above = np.zeros(players, np.bool_), np.zeros(players, np.bool_)
    below[0] = above[0] = True
    missing = 2 * (players - 1)
    for _ in range(8):
        for i in range(players):
            if missing == 0:
                return True
            for k in range(start[i], start[i + 1]):
                j, forth, back = second[k], seen[k] & (WON | TIED) != 0, seen[k] & (LOST | TIED) != 0
                down, up = (below[i] & forth) > below[j], (above[i] & back) > above[j]
                below[j] |= down
                above[j] |= up
                missing -= down + up
                down, up = (below[j] & back) > below[i], (above[j] & forth) > above[i]
                below[i] |= down
                above[i] |= up
                missing -= down + up
    return missing == 0


def _components(table: _Meetings) -> np.ndarray:
    """int64[M]: strongly connected by "beat or drew with", winners first."""
    players = len(table.score)
    if _all_connected(table.start, table.second, table.seen):
        return np.zeros(players, np.int64)
    forth, back = table.seen & (WON | TIED) != 0, table.seen & (LOST | TIED) != 0
    winner = np.concatenate([table.first[forth], table.second[back]])
    loser = np.concatenate([table.second[forth], table.first[back]])
    graph = csr_matrix((np.ones(len(winner), np.int8), (winner, loser)), (players, players))
    number, label = connected_components(graph, directed=True, connection="strong")
    first = np.full(number, players)
    np.minimum.at(first, label, np.arange(players))  # the first player of each
    arrows = np.unique(np.stack([label[winner], label[loser]]), axis=1)
    arrows = arrows[:, arrows[0] != arrows[1]]
    beaten = np.bincount(arrows[1], minlength=number)
    beats = np.split(arrows[1], np.searchsorted(arrows[0], np.arange(1, number)))
    ready = [(first[group], group) for group in np.flatnonzero(beaten == 0)]
    heapify(ready)
    rank = np.empty(number, np.int64)
    for place in range(number):
        _, group = heappop(ready)
        rank[group] = place
        for other in beats[group]:
            beaten[other] -= 1
            if beaten[other] == 0:
                heappush(ready, (first[other], other))
    return rank[label]


# --- the likelihood and its maximum -----------------------------------------------------------------------------------


def _rated(wins: np.ndarray, ties: np.ndarray) -> tuple[Ratings, list[tuple[np.ndarray, _Meetings]]]:
    """The ratings without intervals, and the components that have something to rate: players, and what they played."""
    whole = _meetings(wins, ties)
    component = _components(whole)
    groups = [(np.arange(len(wins)), whole)]
    if component.any() or len(wins) == 1:
        members = np.split(np.argsort(component, kind="stable"), np.cumsum(np.bincount(component))[:-1])
        inside = [(players, np.ix_(players, players)) for players in members if len(players) > 1]
        groups = [(players, _meetings(wins[own], ties[own] if len(ties) else ties)) for players, own in inside]
    strength, draw, halved = np.zeros(len(wins)), 0.0, 0
    for players, group in groups:
        if group.tied and not _bounded(group):
            halved += 1
            strength[players], _ = _maximum(group._replace(tied=0.0))
        else:
            strength[players], draw = _maximum(group)
    if halved or len(groups) != 1:
        draw = _draw(groups, strength)
    method = "Bradley-Terry-Davidson, maximum likelihood" if draw else "Bradley-Terry, maximum likelihood"
    if halved:
        method += f"; in {halved} of {len(groups)} components draws count as half wins, as there is no maximum"
    return Ratings(strength, float(draw), component, np.full((len(wins), 2), np.nan), method, whole.played), groups


def _bounded(group: _Meetings) -> bool:
    """Whether the likelihood of strengths and nu has a maximum, in a component with draws.

    It rises for ever along a direction of strengths u and log nu = 1/2 where every win was by 1 or more and every draw
    within 1 of each other, as wins and draws then stay the likeliest results of their pairs. There is no such u if and
    only if some round of players holds more wins than draws, all won in its sense.
    """
    both_ways = (group.seen & (WON | LOST) == WON | LOST).any()
    return bool(both_ways or _endless(group.start, group.second, group.seen))


@njit(cache=True)
def _endless(start, second, seen):
    """Raise heights until a winner stands 1 higher and a drawer at most 1 lower: True where that never ends."""
    height = np.zeros(len(start) - 1)
    for _ in range(len(height) + 1):
        still = True
        for i in range(len(height)):
            for k in range(start[i], start[i + 1]):
                j = second[k]
                least = height[j] + (1.0 if seen[k] & WON else -1.0)
                if seen[k] & (WON | TIED) and height[i] < least:
                    height[i], still = least, False
                least = height[i] + (1.0 if seen[k] & LOST else -1.0)
                if seen[k] & (LOST | TIED) and height[j] < least:
                    height[j], still = least, False
        if still:
            return False
    return True


def _draw(groups: list[tuple[np.ndarray, _Meetings]], strength: np.ndarray) -> float:
    """The nu that makes as many draws as there were, at the given strengths."""
    tied = sum(group.tied for _, group in groups)
    games = np.concatenate([np.zeros(0), *(group.games for _, group in groups)])
    if tied == 0:
        return 0.0
    if tied == games.sum():
        return np.inf
    apart = np.concatenate([strength[own[group.first]] - strength[own[group.second]] for own, group in groups])
    even = np.logaddexp(apart / 2, -apart / 2)  # nu draws where the exponential of this wins or loses

    def excess(log_draw: float) -> float:
        return float((games * expit(log_draw - even)).sum() - tied)

    reach = 1.0
    while excess(reach) < 0 or excess(-reach) > 0:
        reach *= 2
    return float(np.exp(brentq(excess, -reach, reach, xtol=1e-13)))


def _maximum(group: _Meetings) -> tuple[np.ndarray, float]:
    """Strengths float64[M] with mean zero, and nu."""
    strength: np.ndarray = np.log((group.score + 0.5) / (group.played - group.score + 0.5))
    free = group.games.sum() - group.tied
    draw = 2 * group.tied / free if free > 0 else 0.0  # right among equals
    draw = _climb(group.start, group.second, group.games, group.score, group.tied, strength, draw)
    return strength, draw


@njit(cache=True)
def _climb(start, second, games, score, tied, strength, draw):
    """Newton's method from `strength` (changed in place) and `draw`: nu.

    Let r bound how much a step changes any log odds. Up to 1 it is taken whole, for it leaves at most (e^r - 1 - r) / r
    of the way; a longer one is cut to log(1 + r) / r of it, which always climbs (Sun and Tran-Dinh 2019, "Generalized
    self-concordant functions", Mathematical Programming 178, where their nu is 2).
    Each step solves its equations by conjugate gradients, scaled by the diagonal, as exactly as the step deserves.
    """
    players, pairs = len(strength), len(second)
    root, diagonal, weight = np.empty(players), np.empty(players), np.empty(pairs)
    rest, border, step = np.empty(players), np.empty(players), np.empty(players)
    search, image = np.empty(players), np.empty(players)
    exact = 0.05
    for _ in range(STEPS):
        rest_draw, corner = tied, 0.0
        for i in range(players):
            root[i], rest[i], diagonal[i], border[i] = np.exp(strength[i] / 2), score[i], 0.0, 0.0
        for i in range(players):
            scored, information, own = 0.0, 0.0, root[i]
            for k in range(start[i], start[i + 1]):  # a loop of its own, so that it is vectorised
                other = root[second[k]]
                weight[k] = own * own / (own * own + draw * own * other + other * other)
            for k in range(start[i], start[i + 1]):
                j, n, win = second[k], games[k], weight[k]
                tie = win * draw * root[j] / own
                ahead = 2 * win + tie - 1  # win minus loss
                scored += n * (win + tie / 2)
                rest[j] -= n - n * (win + tie / 2)
                weight[k] = n * (1 - tie - ahead * ahead) / 4
                information += weight[k]
                diagonal[j] += weight[k]
                if draw > 0.0:
                    rest_draw -= n * tie
                    corner += n * tie * (1 - tie)
                    border[i] -= n * tie * ahead / 2
                    border[j] += n * tie * ahead / 2
            rest[i] -= scored
            diagonal[i] += information
        _centre(rest)  # but for rounding it is, and no step could answer what is left
        step_draw = _solve(start, second, weight, diagonal, border, corner, rest, rest_draw, step, search, image, exact)
        low, high = step[0], step[0]
        for i in range(players):
            low, high = min(low, step[i]), max(high, step[i])
        reach = high - low + abs(step_draw)
        length = np.log1p(reach) / reach if reach > 1.0 else 1.0
        for i in range(players):
            strength[i] += length * step[i]
        _centre(strength)
        draw *= np.exp(length * step_draw)
        if reach * max(reach, exact) < CLOSE:
            return draw
        exact = max(1e-4, min(0.05, 0.1 * reach))
    raise RuntimeError("no maximum of the likelihood was found in 200 Newton steps; please report these tables")


@njit(cache=True)
def _solve(start, second, weight, diagonal, border, corner, rest, rest_draw, step, search, image, exact):
    """Conjugate gradients for the Newton step: `step` is set in place, that of log nu returned.

    The rest is reduced to `exact` of its length, in the norm of the scaling. rest, search and image are changed.
    """
    players, step_draw, scale_draw = len(rest), 0.0, 1.0 / corner if corner > 0.0 else 0.0
    search_draw = rest_draw * scale_draw
    size = rest_draw * search_draw
    for i in range(players):
        step[i], search[i] = 0.0, rest[i] / diagonal[i]
        size += rest[i] * search[i]
    goal = exact * exact * size
    for _ in range(4 * players + 20):
        if not size > goal or size < 1e-280:
            break
        image_draw = corner * search_draw
        for i in range(players):
            image[i] = border[i] * search_draw
            image_draw += border[i] * search[i]
        for i in range(players):
            out, own = 0.0, search[i]
            for k in range(start[i], start[i + 1]):
                flow = weight[k] * (own - search[second[k]])
                out += flow
                image[second[k]] -= flow
            image[i] += out
        bend = search_draw * image_draw
        for i in range(players):
            bend += search[i] * image[i]
        far = size / bend
        step_draw += far * search_draw
        rest_draw -= far * image_draw
        again = rest_draw * rest_draw * scale_draw
        for i in range(players):
            step[i] += far * search[i]
            rest[i] -= far * image[i]
            again += rest[i] * rest[i] / diagonal[i]
        search_draw = rest_draw * scale_draw + again / size * search_draw
        for i in range(players):
            search[i] = rest[i] / diagonal[i] + again / size * search[i]
        size = again
    return step_draw


@njit(cache=True)
def _centre(values):
    """Take the mean off, in place. (Loops where numpy has a word: kernels of loops compile in a tenth of the time.)"""
    total = 0.0
    for i in range(len(values)):
        total += values[i]
    for i in range(len(values)):
        values[i] -= total / len(values)


# --- intervals --------------------------------------------------------------------------------------------------------


def _interval(group: _Meetings, rng: np.random.Generator, samples: int) -> np.ndarray:
    """The middle 95% of a component's strengths, redrawn: float64[M, 2]."""
    steady, games = _steadied(group), group.games.astype(np.int64)
    strength, draw = _maximum(steady)
    again, extra = np.empty((samples, len(strength))), steady.score - group.score
    often = np.flatnonzero(games > FEW)
    first, second = group.first[often], group.second[often]
    root = np.exp(strength / 2)
    weights = np.stack([root[first] ** 2, root[second] ** 2, draw * root[first] * root[second]], axis=1)
    weights /= weights.sum(axis=1, keepdims=True)
    for sample in range(samples):
        score = extra.copy()
        tied = _redraw(group.start, group.second, games, root, draw, rng, score)
        if len(often):
            won, lost, drawn = rng.multinomial(games[often], weights).T
            np.add.at(score, first, won + drawn / 2)
            np.add.at(score, second, lost + drawn / 2)
            tied += float(drawn.sum())
        again[sample] = strength
        _climb(group.start, group.second, steady.games, score, tied, again[sample], draw if tied else 0.0)
    return np.quantile(again, [0.025, 0.975], axis=0).T


def _steadied(group: _Meetings) -> _Meetings:
    """A game more for each free strength, half won and half lost, spread over the pairs as the games of both are."""
    first, size = group.first, len(group.score)
    more = group.games * (1 / group.played[first] + 1 / group.played[group.second]) / 2 * (size - 1) / size
    extra = np.bincount(first, more, size) + np.bincount(group.second, more, size)
    return group._replace(games=group.games + 2 * more, score=group.score + extra, played=group.played + 2 * extra)


@njit(cache=True)
def _redraw(start, second, games, root, draw, rng, score):
    """Play the games of pairs that met at most FEW times and add to score, in place; how many draws there were."""
    tied = 0.0
    for i in range(len(score)):
        for k in range(start[i], start[i + 1]):
            j, n = second[k], games[k]
            if n > FEW:
                continue
            odds = root[i] / root[j]
            whole = odds + 1 / odds + draw
            win, loss = odds / whole, 1 / (odds * whole)
            wins, losses = 0, 0
            for _ in range(n):
                lot = rng.random()
                wins += lot < win
                losses += lot >= 1 - loss
            draws = n - wins - losses
            score[i] += wins + draws / 2
            score[j] += losses + draws / 2
            tied += draws
    return tied

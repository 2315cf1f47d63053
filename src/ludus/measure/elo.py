"""Elo ratings: numbers that people know. They depend on the order of the games; `bradley_terry` does not.

Elo (1978), "The rating of chessplayers, past and present": after each game a player's rating moves by K
times what it scored (a win 1, a draw 1/2) above what it was expected to score,

    expected = 1 / (1 + 10^((other - own) / 400)).

That follows players who change, and forgets old games; of players who do not change, as programs mostly are, it throws
information away, and the same games in another order give other ratings. So it is here for display and for following a
learner. To show strengths on the same scale without that, use `elo_scale`.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

SCALE = 400.0 / np.log(10.0)  # points per unit of natural-log strength: ten times stronger is 400 points


class Elo(NamedTuple):
    """Ratings of M players who played E games one after the other.

    rating   float64[M] after the last game
    history  float64[E + 1, M], before the first game and after each
    method   says that they depend on the order, and on which K; they have no interval, as their error is no sample's
    """

    rating: np.ndarray
    history: np.ndarray
    method: str


def elo(games: np.ndarray, score: np.ndarray, players: int, k: float = 32.0, start: float | np.ndarray = 1500.0) -> Elo:
    """Ratings that move after every game, in the order in which the games are given.

    games  int64[E, 2], who met whom, earliest first
    score  float64[E], what the first of the two got: 1 for a win, 1/2 for a draw, 0 for a loss
    k      points at stake in a game; 32 and 16 are usual, 40 to 10 in chess (FIDE)
    start  the ratings before the first game, one for all or float64[players]

    Points are only passed on, none come in or get lost. Raises ValueError where an argument is wrong.
    """
    games, score = np.asarray(games), np.ascontiguousarray(score, np.float64)
    if games.ndim != 2 or games.shape[1:] != (2,) or not np.issubdtype(games.dtype, np.integer):
        raise ValueError(f"games: give whole numbers, shape (E, 2); {games.dtype} of shape {games.shape} seen")
    if games.size and not 0 <= games.min() <= games.max() < players:
        raise ValueError(f"games: players are numbered 0 to {players - 1}; {games.min()} to {games.max()} seen")
    if (games[:, 0] == games[:, 1]).any():
        raise ValueError(f"games: nobody plays itself; game {np.flatnonzero(games[:, 0] == games[:, 1])[0]} does")
    if score.shape != (len(games),) or not ((score >= 0) & (score <= 1)).all():
        raise ValueError(f"score: give {len(games)} numbers from 0 to 1, one a game; shape {score.shape} seen")
    if not (np.isfinite(k) and k > 0):
        raise ValueError(f"k: give the points at stake, above zero, such as 32; {k} seen")
    history = np.empty((len(games) + 1, players))
    history[0] = start
    _follow(np.ascontiguousarray(games, np.int64), score, float(k), history)
    return Elo(history[-1], history, f"sequential Elo, K = {k:g}; depends on the order of the games")


@njit(cache=True)
def _follow(games, score, k, rating):
    """Fill all rows of rating but the first, in place."""
    for e in range(len(games)):
        own, other = games[e]
        rating[e + 1] = rating[e]
        expected = 1.0 / (1.0 + 10.0 ** ((rating[e, other] - rating[e, own]) / 400.0))
        rating[e + 1, own] += k * (score[e] - expected)
        rating[e + 1, other] -= k * (score[e] - expected)


def elo_scale(strength: np.ndarray, middle: float = 1500.0) -> np.ndarray:
    """Natural-log strengths, or the ends of their intervals, on the Elo scale: zero becomes `middle`.

    `elo_scale(ratings.strength)` and `elo_scale(ratings.interval)` show `Ratings` of any order of games. As for
    strengths, only those of one component compare.
    """
    return middle + SCALE * np.asarray(strength, np.float64)

"""What the solvers of two-player games share: the payoffs as they read them, and the certificate of what they find."""

import numpy as np
from numba import types

from ludus.game import engine
from ludus.normal_form import NormalForm

TOLERANCE = 1e-9
"""The regret that a certified profile may have at most, as a share of the player's payoff range."""


class UnfitGame(ValueError):
    """A game that a solver does not take: not of two players, or with a payoff that is no number; the message says."""


def matrices(form: NormalForm) -> np.ndarray:
    """The payoffs of a two-player game, float64[m, n, 2]. Raises UnfitGame where it is none, or has unfit numbers."""
    return checked(two_players(form))


def two_players(form: NormalForm) -> np.ndarray:
    """The same, its numbers not yet looked at. Raises UnfitGame where the game has more players or fewer."""
    if form.payoff.ndim != 3 or form.payoff.shape[-1] != 2:
        raise UnfitGame(
            f"form: a game of two players is needed, this one has {form.payoff.ndim - 1}; "
            "pure_equilibria(form) takes any number"
        )
    return np.ascontiguousarray(form.payoff, np.float64)


def stacked(payoff: np.ndarray) -> np.ndarray:
    """Many games of one size, float64[G, m, n, 2]. Raises UnfitGame where the shape is another."""
    payoff = np.asarray(payoff)
    if payoff.ndim != 4 or payoff.shape[-1] != 2 or 0 in payoff.shape[1:]:
        raise UnfitGame(
            f"payoff: games of two players are needed as an array [games, rows, columns, 2], not of shape "
            f"{payoff.shape}; np.stack([rows, columns], axis=-1) makes one of matrices"
        )
    return checked(payoff)


def checked(payoff: np.ndarray) -> np.ndarray:
    """The same numbers as contiguous float64. Raises UnfitGame where one is not finite or their range is not."""
    payoff = np.ascontiguousarray(payoff, np.float64)
    if not _finite(payoff.ravel()):
        raise UnfitGame("payoff: every number must be finite and below 1e307 in size; take out what is not")
    return payoff


def exact(payoff: np.ndarray) -> list[list[list[int]]]:
    """Both players' payoffs float64[m, n, 2] as whole numbers, [player][own strategy][other's strategy].

    Each player's are scaled by a power of two and shifted so that the least is 1: equilibria do not change, and as
    every float is a whole number over a power of two, nothing is rounded.
    """
    found = []
    for player in range(2):
        ratios = [[number.as_integer_ratio() for number in line] for line in payoff[..., player].tolist()]
        scale = max(below for line in ratios for _, below in line)  # all powers of two
        whole = [[above * (scale // below) for above, below in line] for line in ratios]
        least = min(map(min, whole)) - 1
        whole = [[number - least for number in line] for line in whole]
        found.append(whole if player == 0 else [list(column) for column in zip(*whole, strict=True)])
    return found


@engine(types.boolean(types.float64[::1]))
def _finite(numbers):
    fine = True
    for number in numbers:
        fine &= abs(number) < 1e307  # twice this, a range, is finite still
    return fine


@engine(
    types.Tuple((types.float64[::1], types.float64[:, ::1], types.float64[::1]))(
        types.float64[:, :, :, ::1], types.int64[::1], types.float64[:, ::1], types.float64[:, ::1]
    ),
)  # fmt: skip
def certify(payoff, game, rows, columns):
    """The regret of profiles, afresh from the payoffs; what `normal_form.regret` gives, for many at once.

    payoff   float64[G, m, n, 2], the games
    game     int64[k], the game of each profile
    rows     float64[k, m], the mixed strategy of the player who chooses the row; columns float64[k, n], of the other
    Returns regret float64[k], what each player expects float64[k, 2], and float64[k] the larger of the two players'
    regrets as a share of that player's payoff range in that game.
    """
    _, m, n, _ = payoff.shape
    regret, expects, share = np.empty(len(game)), np.empty((len(game), 2)), np.empty(len(game))
    spread, by_row, by_column = np.zeros(2), np.empty(m), np.empty(n)
    for k in range(len(game)):
        table = payoff[game[k]]
        # taken out, so that what is added to all payoffs costs no digits
        base_row, base_column = table[0, 0, 0], table[0, 0, 1]
        if k == 0 or game[k] != game[k - 1]:
            low_row, low_column, high_row, high_column = base_row, base_column, base_row, base_column
            for i in range(m):
                for j in range(n):
                    low_row, high_row = min(low_row, table[i, j, 0]), max(high_row, table[i, j, 0])
                    low_column, high_column = min(low_column, table[i, j, 1]), max(high_column, table[i, j, 1])
            spread[0], spread[1] = high_row - low_row, high_column - low_column
        by_column[:] = 0.0
        for i in range(m):
            worth, chance = 0.0, rows[k, i]
            for j in range(n):
                worth += (table[i, j, 0] - base_row) * columns[k, j]
                by_column[j] += (table[i, j, 1] - base_column) * chance
            by_row[i] = worth
        expects[k, 0], expects[k, 1] = base_row, base_column
        regret[k], share[k] = 0.0, 0.0
        for player in range(2):
            earns, strategy = (by_row, rows[k]) if player == 0 else (by_column, columns[k])
            best, expected = -np.inf, 0.0
            for number in range(len(earns)):
                best = max(best, earns[number])
                expected += earns[number] * strategy[number]
            gain = best - expected
            expects[k, player] += expected
            regret[k] = max(regret[k], gain)
            if spread[player] > 0.0:
                share[k] = max(share[k], gain / spread[player])
    return regret, expects, share

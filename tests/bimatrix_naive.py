"""The slow obvious way to all extreme equilibria of a two-player game, in fractions, and games from issue threads.

Every vertex of a best-response polytope is where as many of its inequalities as it has dimensions hold with "=". So try
all choices of so many, solve, and keep what satisfies the rest.
"""

from fractions import Fraction
from itertools import combinations
from math import lcm

import numpy as np


def solve(equations):
    """The one solution of square linear equations [coefficients..., right-hand side] in whole numbers, or None."""
    rows, size = [list(row) for row in equations], len(equations)
    for column in range(size):
        pivot = next((row for row in range(column, size) if rows[row][column]), None)
        if pivot is None:
            return None
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for row in range(size):
            if row != column and rows[row][column]:
                own, factor = rows[column][column], rows[row][column]
                rows[row] = [own * a - factor * b for a, b in zip(rows[row], rows[column], strict=True)]
    return tuple(Fraction(row[-1], row[k]) for k, row in enumerate(rows))


def vertices(cuts):
    """All vertices but the origin of all x >= 0 with cut @ x <= 1 for every cut, in fractions."""
    size = len(cuts[0])
    lines = [[-(i == k) for i in range(size)] + [0] for k in range(size)]
    for cut in cuts:
        scale = lcm(*(number.denominator for number in cut))
        lines.append([int(number * scale) for number in cut] + [scale])
    points = {solve(chosen) for chosen in combinations(lines, size)} - {None}
    return [
        point
        for point in points
        if any(point) and all(sum(a * b for a, b in zip(line, point, strict=False)) <= line[-1] for line in lines)
    ]


def extreme_equilibria(rows, columns):
    """All extreme equilibria of the game of two matrices, as pairs of tuples of fractions, sorted."""
    m, n = np.shape(rows)
    of_rows, of_columns = ([[Fraction(float(v)) for v in line] for line in side] for side in (rows, columns))
    of_rows = [[v - min(map(min, of_rows)) + 1 for v in line] for line in of_rows]
    of_columns = [[v - min(map(min, of_columns)) + 1 for v in line] for line in of_columns]
    by_column = [[of_columns[i][j] for i in range(m)] for j in range(n)]
    found, of_column_player = [], vertices(of_rows)
    for x in vertices(by_column):
        for y in of_column_player:
            earns_row = [sum(a * b for a, b in zip(line, y, strict=True)) for line in of_rows]
            earns_column = [sum(a * b for a, b in zip(line, x, strict=True)) for line in by_column]
            # every strategy is unplayed or a best response
            if all(p == 0 or worth == 1 for p, worth in zip((*x, *y), earns_row + earns_column, strict=True)):
                found.append((tuple(v / sum(x) for v in x), tuple(v / sum(y) for v in y)))
    return sorted(found)


def infinite(equilibria):
    """Whether two extreme equilibria share a strategy: all between them are equilibria then."""
    return any(len({pair[side] for pair in equilibria}) < len(equilibria) for side in (0, 1))


def _matrix(text):
    return np.array([line.split() for line in text.strip().splitlines()], float)


_THIRTY_NINE = _matrix("0 1 0 -1\n-1 0 1 1\n0 -1 0 1\n1 -1 -1 0")
_FORTY_ONE = _matrix("0 -1 1 1\n1 0 -1 -1\n-1 1 0 -1\n-1 1 1 0")
_SIXTY = _matrix("-100 0 0 -100\n0 0 0 -100\n-100 0 0 0\n0 0 0 -33.3333333")
_THIRTY_FIVE = _matrix("-1 -1 -1\n0 0 0\n-1 -1 -10000")
_EIGHTY_TWO = (
    _matrix("0 0 6 0 0\n0 0 3 2 1\n4 3 0 0 1"),
    _matrix("3 0 2 1 0\n0 2 0 0 4\n4 0 2 4 4"),
)  # in the thread the players minimise
_TWO_THREE_ONE = _matrix("0 -1 -1 -1 1 -1\n1 0 1 -1 -1 -1\n1 -1 0 -1 -1 1\n1 1 1 0 -1 -1\n-1 1 1 1 0 -1\n1 1 -1 1 1 0")
_SIXTY_SEVEN = (
    _matrix(
        "52.46337363 69.47195938 0 54.14372075\n77 88 84.85714286 92.4\n"
        "77.78571429 87.35294118 93.5 91.38461538\n66.37100751 43.4530444 0 60.36191831"
    ),
    _matrix(
        "23.52690518 17.35459006 88.209 20.8021711\n16.17165 0 14.00142857 6.46866\n"
        "0 5.76529412 0 0\n15.68327304 40.68156322 84.00857143 11.06596804"
    ),
)
_EIGHTY_THREE = (
    _matrix("9.5 -7.8\n-9.6 0.3\n-7.1 -1.4\n5.9 7.6\n9 0.3\n7.5 6.9\n-3.1 3.6\n-8.4 -3.7"),
    _matrix("0.2 0.6\n0.4 0.1\n0.9 0\n0.4 0.1\n0.1 0.2\n0.2 0.1\n0.8 1\n0.2 0.4"),
)
_F1 = 2 / 3
_SEVENTY_SIX = np.array(
    [
        [1, 0, 0, 0, 0, 0, 0, 0],
        [0, 1, 0, _F1, 0, _F1, 0, 0.5],
        [0, 0, 1, _F1, 0, 0, _F1, 0.5],
        [0, _F1, _F1, 1, 0, 0.5, 0.5, 0.8],
        [0, 0, 0, 0, 1, _F1, _F1, 0.5],
        [0, _F1, 0, 0.5, _F1, 1, 0.5, 0.8],
        [0, 0, _F1, 0.5, _F1, 0.5, 1, 0.8],
        [0, 0.5, 0.5, 0.8, 0.5, 0.8, 0.8, 1],
    ]
)

THREADS = {
    "drvinceknight/Nashpy#35": (_THIRTY_FIVE, _THIRTY_FIVE),
    "drvinceknight/Nashpy#39": (_THIRTY_NINE, -_THIRTY_NINE),
    "drvinceknight/Nashpy#41": (_FORTY_ONE, -_FORTY_ONE),
    "drvinceknight/Nashpy#60": (_SIXTY, -_SIXTY),
    "drvinceknight/Nashpy#64": (_matrix("3 3\n2 5\n0 6"), _matrix("3 2\n2 6\n3 1")),
    "drvinceknight/Nashpy#67": _SIXTY_SEVEN,
    "drvinceknight/Nashpy#76": (_SEVENTY_SIX, -_SEVENTY_SIX),
    "drvinceknight/Nashpy#82": (-_EIGHTY_TWO[0], -_EIGHTY_TWO[1]),
    "drvinceknight/Nashpy#83": _EIGHTY_THREE,
    "drvinceknight/Nashpy#222": (_matrix("-3 3\n-3 5"), _matrix("2 7\n4 2")),
    "drvinceknight/Nashpy#231": (_TWO_THREE_ONE, -_TWO_THREE_ONE),
    # one payoff, 0 for both: gnm ended with "oops"
    "gambitproject/gambit#405": (np.zeros((1, 1)), np.zeros((1, 1))),
    # one-card poker (Myerson 1991, section 2.1) in normal form, where ipa gave a profile that is none: raise always,
    # raise on red, raise on black, never; meet, pass
    "gambitproject/gambit#406": (_matrix("0 1\n0.5 0\n-0.5 1\n0 0"), -_matrix("0 1\n0.5 0\n-0.5 1\n0 0")),
}
"""The two matrices of games that solvers went wrong on, by issue thread. gambitproject/gambit#134 is about the sequence
form of an extensive game and has no matrices."""

_SEVENTY_FIVE = """
9504 72336 -111771 -461736 397584 1227336 171204 -1718376 1303104 1303104 737154 -453420
-660 48081 31680 -300036 -113850 774576 -45936 -1039236 -453420 737154 -227040 -227040
19976 29216 -130944 -178761 451176 451176 208626 -586476 1227336 397584 774576 -113850
-20526 14124 168124 -84436 -586476 208626 -263076 -263076 -1718376 171204 -1039236 -45936
1776 1776 -8514 -8976 29216 19976 14124 -20526 72336 9504 48081 -660
-8976 -8514 52764 52764 -178761 -130944 -84436 168124 -461736 -111771 -300036 31680
"""
SEVENTY_FIVE = tuple(_matrix(_SEVENTY_FIVE).reshape(6, 6, 2).transpose(2, 1, 0))
"""von Stengel's 6x6 game with 75 equilibria ("New maximal numbers of equilibria in bimatrix games", 1999), as Gambit's
catalogue has it; gambitproject/gambit#1055 is about it."""

"""Connect four: stones fall into seven columns, four in a line win; the first player wins with perfect play.

Allis (1988), "A knowledge-based approach of connect-four".

State    int64[3]: the stones of player 0, the stones of player 1, turn. A column has seven bits, from the bottom up,
         the seventh always empty: cell (row, column) is bit 7 * column + row, and no line wraps around the edge.
Actions  the column, 0 to 6 from the left.
View     int64[42]: each cell row by row from the top, 0 empty, 1 mine, 2 the other's. The board forgets the order.
"""

import numpy as np
from numba import njit

from ludus.game import OVER, Game, Kernels

TURN, ROWS, COLUMNS = 2, 6, 7
HEIGHT = ROWS + 1  # bits of a column
TOP = sum(1 << (HEIGHT * column + ROWS - 1) for column in range(COLUMNS))


@njit(cache=True)
def turn(state):
    return state[TURN]


@njit(cache=True)
def options(state, weights):
    taken = state[0] | state[1]
    for column in range(COLUMNS):
        weights[column] = taken >> (HEIGHT * column + ROWS - 1) & 1 == 0


@njit(cache=True)
def apply(state, action):
    """Adding one at the foot of a column carries up to its first empty cell."""
    mover, taken = state[TURN], state[0] | state[1]
    foot = 1 << HEIGHT * action
    stone = (taken + foot) & ~taken & (foot * ((1 << ROWS) - 1))
    state[mover] |= stone
    full = (taken | stone) & TOP == TOP
    state[TURN] = OVER if full or _four(state[mover]) else 1 - mover


@njit(cache=True)
def _four(stones):
    for step in (1, HEIGHT, HEIGHT - 1, HEIGHT + 1):  # up, right, and both diagonals
        pairs = stones & stones >> step
        if pairs & pairs >> 2 * step:
            return True
    return False


@njit(cache=True)
def payoff(state, out):
    out[0] = int(_four(state[0])) - int(_four(state[1]))
    out[1] = -out[0]


@njit(cache=True)
def view(state, player, out):
    mine, others = state[player], state[1 - player]  # read once: to the compiler, writing to out might change them
    for row in range(ROWS):
        for column in range(COLUMNS):
            bit = HEIGHT * column + ROWS - 1 - row
            out[COLUMNS * row + column] = (mine >> bit & 1) + 2 * (others >> bit & 1)


def tell(view):
    """Six rows from the top with a stroke between them, '. . x o . . .': x mine, o the other's."""
    cells = [".xo"[mark] for mark in view]
    return " / ".join(" ".join(cells[COLUMNS * row : COLUMNS * (row + 1)]) for row in range(ROWS))


CONNECT_FOUR = Game(
    name="connect_four",
    source="Allis (1988), A knowledge-based approach of connect-four",
    rules="Players take turns to drop a stone into one of seven columns, 0 to 6 from the left; it falls on the stones "
    "below, six to a column. Four stones of one's own in a line, in any direction, win; a full board without is a "
    "draw. x is the stone of the one who is told.",
    words=tuple("0123456"),
    players=2,
    view_size=ROWS * COLUMNS,
    outcomes=0,
    start=np.array([0, 0, 0]),
    kernels=Kernels(turn, options, apply, payoff, view),
    tell=tell,
    perfect_recall=False,
)

"""Hex: two players, each with two opposite edges of a slanted board, and the first to join its own wins.

Hein (1942), Polygon; Nash (1952), "Some games and machines for playing them", where it is told why the first player
wins on every board with equal sides. There is no draw, and no swap of the first stone.

State    int64[3 + C] for C cells: rows, columns, turn, then the cells: 0 empty, 1 and 2 a stone of player 0 and of
         player 1, 3 and 4 the same where a chain of stones joins it to the first edge of its owner (the top, the left).
Actions  the cell, row by row from the top left: column a to z, row 1 to 26.
View     int64[1 + C]: who looks, then each cell, 0 empty, 1 mine, 2 the other's. The board forgets the order.
"""

import numpy as np
from numba import njit

from ludus.game import OVER, Game, Kernels

ROWS, COLUMNS, TURN, CELLS = 0, 1, 2, 3  # where each part of the state begins
EMPTY, JOINED = 0, 2  # a joined stone is its owner's mark and JOINED
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@njit(cache=True)
def turn(state):
    return state[TURN]


@njit(cache=True)
def options(state, weights):
    for cell in range(state[ROWS] * state[COLUMNS]):
        weights[cell] = state[CELLS + cell] == EMPTY


@njit(cache=True)
def apply(state, action):
    """A new stone that is joined to the first edge joins the loose stones it touches, and these the next."""
    mover, rows, columns = state[TURN], state[ROWS], state[COLUMNS]
    state[CELLS + action] = mover + 1
    won, spreads = False, True
    first, last = action, action  # where the new stone is not joined, nothing else has changed
    while spreads:
        spreads = False
        for cell in range(first, last + 1):
            if state[CELLS + cell] == mover + 1 and _touches(state, cell, mover):
                state[CELLS + cell] += JOINED
                won = won or (cell // columns == rows - 1 if mover == 0 else cell % columns == columns - 1)
                spreads = True
        first, last = 0, rows * columns - 1
    state[TURN] = OVER if won else 1 - mover


@njit(cache=True)
def _touches(state, cell, mover):
    """Whether a cell lies on the first edge of the mover or beside one of its joined stones."""
    rows, columns = state[ROWS], state[COLUMNS]
    row, column = cell // columns, cell % columns
    found = row == 0 if mover == 0 else column == 0
    for down, right in ((-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0)):
        if 0 <= row + down < rows and 0 <= column + right < columns:
            found = found or state[CELLS + cell + down * columns + right] == mover + 1 + JOINED
    return found


@njit(cache=True)
def payoff(state, out):
    """Player 0 has won where one of its joined stones lies in the last row: a game that is over has one winner."""
    cells, won = state[ROWS] * state[COLUMNS], False
    for cell in range(cells - state[COLUMNS], cells):
        won = won or state[CELLS + cell] == 1 + JOINED
    out[0] = 1.0 if won else -1.0
    out[1] = -out[0]


@njit(cache=True)
def view(state, player, out):
    out[0] = player
    for cell in range(state[ROWS] * state[COLUMNS]):
        mark = state[CELLS + cell]
        out[1 + cell] = 0 if mark == EMPTY else 1 if (mark - 1) % 2 == player else 2


def variant(rows: int = 3, columns: int = 3) -> Game:
    """Hex on a board of so many rows, which player 0 crosses, and columns, which player 1 crosses."""
    if not (2 <= rows <= len(LETTERS) and 2 <= columns <= len(LETTERS)):
        raise ValueError(
            f"hex: rows and columns have to be 2 to {len(LETTERS)} (a column is a letter), not rows={rows}, "
            f"columns={columns}; write for example hex(rows=5, columns=5)"
        )

    def tell(view):
        """'x / . . o / . x . / . . .': you are x; three rows from the top, each half a cell further to the right."""
        own, other = "xo" if view[0] == 0 else "ox"
        cells = [(".", own, other)[mark] for mark in view[1:]]
        return " / ".join([own, *(" ".join(cells[columns * row : columns * (row + 1)]) for row in range(rows))])

    return Game(
        name=f"hex(rows={rows}, columns={columns})",
        source="Nash (1952), Some games and machines for playing them; Hein (1942), Polygon",
        rules=f"Players take turns to put a stone on an empty cell of a board of {rows} rows and {columns} columns. x "
        "moves first and wins by a chain of x from the top row to the bottom row, o by a chain of o from the left "
        "column to the right column. Every row is shifted by half a cell to the right of the row above, so a cell "
        "touches six: left and right of it, above it the same column and the next to the right, below it the same "
        "column and the next to the left. b1 is the second column of the top row. One of the two always wins.",
        words=tuple(f"{LETTERS[column]}{row + 1}" for row in range(rows) for column in range(columns)),
        players=2,
        view_size=1 + rows * columns,
        outcomes=0,
        start=np.array([rows, columns, 0, *[EMPTY] * (rows * columns)]),
        kernels=Kernels(turn, options, apply, payoff, view),
        tell=tell,
        perfect_recall=False,
    )


HEX = variant()

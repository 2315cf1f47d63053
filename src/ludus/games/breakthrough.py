"""Breakthrough: pieces go forward only, take aslant, and the first to reach the far row wins.

Troyka (2000), on seven by seven with two rows of pieces each. Small boards follow OpenSpiel (Lanctot et al. 2019): one
row of pieces each where there are fewer than six rows. A player without pieces has lost. There is no draw, and who has
a piece can move: nothing of its own stands before its foremost piece, and what is aslant of it can be taken.

State    int64[5 + C] for C cells: rows, columns, turn, the pieces left of player 0, of player 1, then the cells row by
         row from the top: 0 empty, 1 and 2 a piece of player 0, who starts at the bottom, and of player 1.
Actions  3 * cell + 0, 1 or 2: the piece there goes one row forward and left, ahead or right, as the board is drawn.
View     int64[1 + C]: who looks, then each cell, 0 empty, 1 mine, 2 the other's. The board forgets the order.
"""

import numpy as np
from numba import njit

from ludus.game import OVER, Game, Kernels

ROWS, COLUMNS, TURN, LEFT, CELLS = 0, 1, 2, 3, 5  # where each part of the state begins
EMPTY = 0
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@njit(cache=True)
def turn(state):
    return state[TURN]


@njit(cache=True)
def options(state, weights):
    """Ahead only to an empty cell, aslant to a cell without an own piece."""
    rows, columns, own = state[ROWS], state[COLUMNS], state[TURN] + 1
    forward = -columns if own == 1 else columns
    for row in range(rows):
        for column in range(columns):  # two loops: dividing a cell into row and column halves the speed
            cell = row * columns + column
            mine = state[CELLS + cell] == own and 0 <= cell + forward < rows * columns
            for aside in (-1, 0, 1):
                able = mine and 0 <= column + aside < columns
                if able:
                    there = state[CELLS + cell + forward + aside]
                    able = there == EMPTY or (aside != 0 and there != own)
                weights[3 * cell + 1 + aside] = able


@njit(cache=True)
def apply(state, action):
    mover, rows, columns = state[TURN], state[ROWS], state[COLUMNS]
    cell = action // 3
    goal = cell + (-columns if mover == 0 else columns) + action % 3 - 1
    if state[CELLS + goal] != EMPTY:
        state[LEFT + 1 - mover] -= 1
    state[CELLS + cell], state[CELLS + goal] = EMPTY, mover + 1
    arrived = goal < columns if mover == 0 else goal >= (rows - 1) * columns
    state[TURN] = OVER if arrived or state[LEFT + 1 - mover] == 0 else 1 - mover


@njit(cache=True)
def payoff(state, out):
    """Player 0 has won where a piece of its own stands in the top row, or no piece of player 1 is left."""
    won = state[LEFT + 1] == 0
    for place in range(state[COLUMNS]):
        won = won or state[CELLS + place] == 1
    out[0] = 1.0 if won else -1.0
    out[1] = -out[0]


@njit(cache=True)
def view(state, player, out):
    out[0] = player
    for place in range(state[ROWS] * state[COLUMNS]):
        mark = state[CELLS + place]
        out[1 + place] = mark if mark == EMPTY or player == 0 else 3 - mark


def variant(rows: int = 3, columns: int = 3) -> Game:
    """Breakthrough on a board of so many rows and columns; two rows of pieces each from six rows on."""
    if not (3 <= rows <= len(LETTERS) and 2 <= columns <= len(LETTERS)):
        raise ValueError(
            f"breakthrough: rows have to be 3 to {len(LETTERS)} and columns 2 to {len(LETTERS)} (a column is a "
            f"letter), not rows={rows}, columns={columns}; write for example breakthrough(rows=5, columns=4)"
        )
    cells = [f"{LETTERS[column]}{rows - row}" for row in range(rows) for column in range(columns)]
    pieces, filled = (columns, "one row") if rows < 6 else (2 * columns, "two rows")
    between = rows * columns - 2 * pieces

    def tell(view):
        """'x / o o o / . . . / x x x': you are x; three rows from the top."""
        own, other = "xo" if view[0] == 0 else "ox"
        marks = [(".", own, other)[mark] for mark in view[1:]]
        return " / ".join([own, *(" ".join(marks[columns * row : columns * (row + 1)]) for row in range(rows))])

    return Game(
        name=f"breakthrough(rows={rows}, columns={columns})",
        source="Troyka (2000), Breakthrough; small boards as in Lanctot et al. (2019), OpenSpiel",
        rules=f"A board of {rows} rows and {columns} columns. x fills {filled} at the bottom and moves first, o fills "
        f"{filled} at the top. In turn each moves one piece one row forward, x up and o down: straight ahead to an "
        "empty cell, or aslant to a cell that is empty or holds a piece of the other, which is taken. a2-left moves "
        "the piece in column a, second row from the bottom, forward and to the left of the board as it is drawn. Who "
        "brings a piece to the last row, or takes the last piece of the other, wins.",
        words=tuple(f"{cell}-{way}" for cell in cells for way in ("left", "ahead", "right")),
        players=2,
        view_size=1 + rows * columns,
        outcomes=0,
        start=np.array([rows, columns, 0, pieces, pieces, *[2] * pieces, *[EMPTY] * between, *[1] * pieces]),
        kernels=Kernels(turn, options, apply, payoff, view),
        tell=tell,
        perfect_recall=False,
    )


BREAKTHROUGH = variant()

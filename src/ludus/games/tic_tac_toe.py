"""Tic-tac-toe: three in a row on nine cells; a draw when both play well.

Michie (1963), "Experiments on the mechanization of game-learning", taught it to matchboxes. 549,946 histories pass
through 5,478 positions.

State    int64[3]: the cells of player 0, the cells of player 1 (bit c for cell c), turn.
Actions  the cell, 0 to 8, row by row from the top left.
View     int64[9]: each cell, 0 empty, 1 mine, 2 the other's. The board forgets the order of the moves.
"""

import numpy as np
from numba import njit

from ludus.game import OVER, Game, Kernels

TURN, FULL = 2, 0b111_111_111


@njit(cache=True)
def turn(state):
    return state[TURN]


@njit(cache=True)
def options(state, weights):
    taken = state[0] | state[1]
    for cell in range(9):
        weights[cell] = (taken >> cell) & 1 == 0


@njit(cache=True)
def apply(state, action):
    mover = state[TURN]
    state[mover] |= 1 << action
    ended = _three(state[mover]) or state[0] | state[1] == FULL
    state[TURN] = OVER if ended else 1 - mover


@njit(cache=True)
def _three(cells):
    row = cells & cells >> 1 & cells >> 2 & 0b001_001_001
    column = cells & cells >> 3 & cells >> 6
    falling = cells & 0b100_010_001 == 0b100_010_001
    rising = cells & 0b001_010_100 == 0b001_010_100
    return row != 0 or column != 0 or falling or rising


@njit(cache=True)
def payoff(state, out):
    out[0] = int(_three(state[0])) - int(_three(state[1]))
    out[1] = -out[0]


@njit(cache=True)
def view(state, player, out):
    mine, others = state[player], state[1 - player]
    for cell in range(9):
        out[cell] = (mine >> cell & 1) + 2 * (others >> cell & 1)


def tell(view):
    """'x . . . o . . . .': nine cells row by row, x mine, o the other's."""
    return " ".join(".xo"[mark] for mark in view)


TIC_TAC_TOE = Game(
    name="tic_tac_toe",
    source="Michie (1963), Experiments on the mechanization of game-learning",
    rules="Players take turns to mark an empty cell of a board of three by three, cells 0 to 8 row by row. Three marks "
    "of one's own in a row, column or diagonal win; a full board without is a draw. x is the mark of the one who is "
    "told.",
    words=tuple("012345678"),
    players=2,
    view_size=9,
    outcomes=0,
    start=np.array([0, 0, 0]),
    kernels=Kernels(turn, options, apply, payoff, view),
    tell=tell,
    perfect_recall=False,
)

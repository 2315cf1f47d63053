"""Battleship: ships are hidden on a small board, then both players shoot in turn at what they cannot see.

Farina, Ling, Fang, Sandholm (2019), "Correlation in extensive-form games: saddle-point formulation and benchmarks",
by the rules of OpenSpiel (Lanctot et al. 2019) with repeated shots forbidden; a value is a whole number here. Where a
lost ship costs more than a sunk one earns, both would gain from shooting less: a benchmark for correlated equilibria.

State    int64[6 + 4 S + 2 N] for S ships a player and N shots a player: rows, columns, ships, loss, turn, moves made,
         the lengths of the ships, their values, then the moves. Players alternate from the first move to the last.
Actions  with C cells: c, shoot at that cell (0 to C - 1, row by row); C + c, put the next ship on cell c and those to
         the right of it; 2 C + c, on cell c and those below. A ship of length 1 is put by C + c.
View     int64[S + 3 N]: how the own ships were put, then the own shots, what each met (0 water, 1 a ship, 2 its last
         cell), and the other's shots; -1 where nothing has happened yet.
"""

import numpy as np
from numba import njit

from ludus.game import OVER, Game, Kernels

ROWS, COLUMNS, SHIPS, LOSS, TURN, COUNT, LENGTH = 0, 1, 2, 3, 4, 5, 6  # where each part of the state begins
NONE = -1
WATER, HIT, SUNK = 0, 1, 2
MET = ("water", "hit", "sunk")
MOST = 60  # cells: a set of cells is the bits of one 64-bit number
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@njit(cache=True)
def turn(state):
    return state[TURN]


@njit(cache=True)
def options(state, weights):
    """While ships are put: on free cells, so that the ships to come find room. Then every cell not yet shot at."""
    cells, ships, mover, made = state[ROWS] * state[COLUMNS], state[SHIPS], state[COUNT] % 2, state[COUNT]
    taken = _fleet(state, mover) if made < 2 * ships else 0
    shot = _shots(state, mover, made)
    for move in range(3 * cells):
        if made < 2 * ships:
            ship = _ship(state, made // 2, move)
            weights[move] = ship != 0 and ship & taken == 0 and _fits(state, taken | ship, made // 2 + 1)
        else:
            weights[move] = move < cells and shot >> move & 1 == 0


@njit(cache=True)
def apply(state, action):
    mover, made, ships, line = state[COUNT] % 2, state[COUNT], state[SHIPS], LENGTH + 2 * state[SHIPS]
    state[line + made] = action
    state[COUNT] = made + 1
    lost = False
    if made >= 2 * ships:
        lost = _fleet(state, 1 - mover) & ~_shots(state, mover, made + 1) == 0
    state[TURN] = OVER if lost or line + made + 1 == len(state) else 1 - mover


@njit(cache=True)
def _ship(state, ship, action):
    """The cells, as bits, of a ship that is put by this action; 0 where the action does not put it or it juts out."""
    rows, columns, length = state[ROWS], state[COLUMNS], state[LENGTH + ship]
    cells = rows * columns
    down = action >= 2 * cells
    row, column = action % cells // columns, action % cells % columns
    able = (length > 1 and row + length <= rows) if down else (action >= cells and column + length <= columns)
    covered = 0
    for part in range(length if able else 0):
        covered |= 1 << action % cells + part * (columns if down else 1)
    return covered


@njit(cache=True)
def _fleet(state, player):
    """All cells with ships of the player, as bits, as far as they are put."""
    line, covered = LENGTH + 2 * state[SHIPS], 0
    for ship in range(state[SHIPS]):
        if state[line + 2 * ship + player] != NONE:
            covered |= _ship(state, ship, state[line + 2 * ship + player])
    return covered


@njit(cache=True)
def _shots(state, player, moves):
    """All cells that the player has shot at within the first moves, as bits."""
    line, ships, cells = LENGTH + 2 * state[SHIPS], state[SHIPS], 0
    for move in range(2 * ships + player, moves, 2):
        cells |= 1 << state[line + move]
    return cells


@njit(cache=True)
def _fits(state, taken, first):
    """Whether the ships from `first` on find room beside the cells taken: tried depth first, without recursion."""
    ships, actions = state[SHIPS], 3 * state[ROWS] * state[COLUMNS]
    trial, covered = np.zeros(ships + 1, np.int64), np.zeros(ships + 1, np.int64)
    ship = first
    covered[first] = taken
    while first <= ship < ships:
        if trial[ship] == actions:
            trial[ship] = 0
            ship -= 1
        else:
            cells = _ship(state, ship, trial[ship])
            trial[ship] += 1
            if cells != 0 and cells & covered[ship] == 0:
                covered[ship + 1] = covered[ship] | cells
                ship += 1
    return ship == ships


@njit(cache=True)
def payoff(state, out):
    """The value of the ships sunk, less `loss` times the value of the ships lost."""
    line, ships = LENGTH + 2 * state[SHIPS], state[SHIPS]
    out[:] = 0.0
    for player in range(2):
        shots = _shots(state, 1 - player, state[COUNT])
        for ship in range(ships):
            if _ship(state, ship, state[line + 2 * ship + player]) & ~shots == 0:
                out[1 - player] += state[LENGTH + ships + ship]
                out[player] -= state[LOSS] * state[LENGTH + ships + ship]


@njit(cache=True)
def view(state, player, out):
    ships, line, made = state[SHIPS], LENGTH + 2 * state[SHIPS], state[COUNT]
    shots = (len(out) - ships) // 3
    for ship in range(ships):
        out[ship] = state[line + 2 * ship + player]
    for shot in range(shots):
        mine, other = 2 * (ships + shot) + player, 2 * (ships + shot) + 1 - player
        out[ships + shot] = state[line + mine]
        out[ships + shots + shot] = _met(state, player, mine) if mine < made else NONE
        out[ships + 2 * shots + shot] = state[line + other]


@njit(cache=True)
def _met(state, player, move):
    """What the shot that was this move met: water, a ship, or the last cell of a ship."""
    line, shots, met = LENGTH + 2 * state[SHIPS], _shots(state, player, move + 1), WATER
    for ship in range(state[SHIPS]):
        cells = _ship(state, ship, state[line + 2 * ship + 1 - player])
        if cells >> state[line + move] & 1:
            met = SUNK if cells & ~shots == 0 else HIT
    return met


def variant(rows: int = 2, columns: int = 2, ships: int = 2, values: int = 1, shots: int = 2, loss: int = 1) -> Game:
    """Battleship on a board of so many rows and columns, with so many shots a player.

    ships and values have a digit per ship: ships=32, values=21 is a ship of length 3 and value 2, then one of length 2
    and value 1, put in this order. `loss` is how many times its value a lost ship costs its owner; with 1 the game is
    zero-sum.
    """
    example = "write for example battleship(rows=3, columns=3, ships=32, values=21, shots=4, loss=2)"
    lengths, worth = ([int(digit) for digit in str(max(number, 0))] for number in (ships, values))
    if not (1 <= rows <= len(LETTERS) and 1 <= columns <= len(LETTERS) and 2 <= rows * columns <= MOST):
        raise ValueError(
            f"battleship: rows and columns have to be 1 to {len(LETTERS)} (a column is a letter) and rows * columns 2 "
            f"to {MOST} (cells share one 64-bit number), not rows={rows}, columns={columns}; {example}"
        )
    if 0 in lengths or max(lengths) > max(rows, columns):
        raise ValueError(
            f"battleship: ships has the length of each ship as a digit, 1 to the longer side of the board, "
            f"{max(rows, columns)}, not ships={ships}; {example}"
        )
    if len(worth) != len(lengths) or 0 in worth:
        raise ValueError(
            f"battleship: values has a digit from 1 to 9 for each of the {len(lengths)} ships, not values={values}; "
            f"{example}"
        )
    if not 1 <= shots <= rows * columns:
        raise ValueError(
            f"battleship: shots have to be 1 to the number of cells, {rows * columns}, not shots={shots}; {example}"
        )
    if loss < 0 or loss > 1000:
        raise ValueError(f"battleship: loss has to be 0 to 1000, not loss={loss}; {example}")
    count = len(lengths)
    start = np.array([rows, columns, count, loss, 0, 0, *lengths, *worth, *[NONE] * (2 * (count + shots))])
    if sum(lengths) > rows * columns or not _fits(start, 0, 0):
        raise ValueError(
            f"battleship: all ships have to fit beside each other on the board, but ships={ships} do not fit on "
            f"rows={rows}, columns={columns}; {example}"
        )
    cells = [f"{LETTERS[column]}{row + 1}" for row in range(rows) for column in range(columns)]
    words = (*cells, *(f"{cell}-across" for cell in cells), *(f"{cell}-down" for cell in cells))

    def tell(view):
        """'ships a1-across shots b2 water a2 hit seen a1': your ship, your shots, what they met, the other's shots."""
        put, own, met, seen = np.split(view, [count, count + shots, count + 2 * shots])
        shot = [word for cell, what in zip(own, met, strict=True) if cell >= 0 for word in (words[cell], MET[what])]
        return " ".join(["ships", *named(put), "shots", *shot, "seen", *named(seen)])

    def named(actions):
        return [words[action] for action in actions if action >= 0]

    return Game(
        name=f"battleship(rows={rows}, columns={columns}, ships={ships}, values={values}, shots={shots}, loss={loss})",
        source="Farina et al. (2019), Correlation in extensive-form games: saddle-point formulation and benchmarks",
        rules=f"Each player has a board of {rows} rows and {columns} columns, unseen by the other; {cells[-1]} is at "
        "the bottom right. First they put ships on it in turn, one at a time, of the lengths "
        f"{', '.join(map(str, lengths))}: a1-across covers a1 and the cells to the right of it, a1-down a1 and the "
        "cells below, as many as the ship is long. Ships do not overlap, and leave room for those to come. Then they "
        f"shoot in turn, {shots} shots each, never twice at one cell. Who shoots is told whether it met water, hit a "
        "ship, or sank one by hitting the last of its cells. The game ends when all shots are fired or a player has "
        f"lost all ships. The values of the ships are, in the same order, {', '.join(map(str, worth))}: a ship sunk "
        f"earns its value, a ship lost costs {loss} times its value.",
        words=words,
        players=2,
        view_size=count + 3 * shots,
        outcomes=0,
        start=start,
        kernels=Kernels(turn, options, apply, payoff, view),
        tell=tell,
        constant_sum=0.0 if loss == 1 else None,
    )


BATTLESHIP = variant()

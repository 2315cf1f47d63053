"""Pursuit: on a graph, one or two pursuers and an evader step at the same time; the evader wins if it is never caught.

After the pursuit-evasion game of Bosansky, Lisy, Cermak, Vitek, Pechoucek (2013), "Using double-oracle method and
serialized alpha-beta search for pruning in simultaneous move games"; Parsons (1976), "Pursuit-evasion in a graph", has
pursuers who see nothing. Here everybody may stay, and who swaps cells with a pursuer along an edge is caught.

Steps at the same time are turns of which nobody sees those of the same step: pursuer, second pursuer, evader.

State    int64[7 + (T + 1) U] for T steps and U units, the evader last: rows, columns, wrap, pursuers, sight, steps
         taken, units that have made this step, then the cell of each unit at the start and after each step, -1 to come.
Actions  0 stay, 1 up, 2 right, 3 down, 4 left. With wrap the last column touches the first, the last row the first.
View     int64[1 + (T + 1) U]: who looks, then the cells: one's own, where all start, and, with sight, where the others
         stood after the steps that are complete; -1 for the rest.
"""

import numpy as np
from numba import njit

from ludus.game import OVER, Game, Kernels

ROWS, COLUMNS, WRAP, PURSUERS, SIGHT, STEP, MOVED, LINE = 0, 1, 2, 3, 4, 5, 6, 7  # where each part of the state begins
NONE = -1
WORDS = ("stay", "up", "right", "down", "left")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@njit(cache=True)
def turn(state):
    units = state[PURSUERS] + 1
    if _caught(state) or LINE + (state[STEP] + 1) * units == len(state):
        return OVER
    return 0 if state[MOVED] < state[PURSUERS] else 1


@njit(cache=True)
def options(state, weights):
    for action in range(5):
        weights[action] = _goal(state, action) != NONE


@njit(cache=True)
def apply(state, action):
    units = state[PURSUERS] + 1
    state[LINE + (state[STEP] + 1) * units + state[MOVED]] = _goal(state, action)
    state[MOVED] += 1
    if state[MOVED] == units:
        state[STEP], state[MOVED] = state[STEP] + 1, 0


@njit(cache=True)
def _goal(state, action):
    """Where the action takes the unit that is to move, NONE where there is no edge."""
    rows, columns = state[ROWS], state[COLUMNS]
    cell = state[LINE + state[STEP] * (state[PURSUERS] + 1) + state[MOVED]]
    row = cell // columns + (action == 3) - (action == 1)
    column = cell % columns + (action == 2) - (action == 4)
    if state[WRAP] and rows > 1:
        row %= rows
    if state[WRAP]:
        column %= columns
    return row * columns + column if 0 <= row < rows and 0 <= column < columns else NONE


@njit(cache=True)
def _caught(state):
    """Whether a pursuer stands on the evader's cell after the last complete step, or swapped cells with it."""
    pursuers, caught = state[PURSUERS], False
    now = LINE + state[STEP] * (pursuers + 1)
    before = max(now - (pursuers + 1), LINE)
    for unit in range(pursuers):
        met = state[now + unit] == state[now + pursuers]
        swapped = state[now + unit] == state[before + pursuers] and state[before + unit] == state[now + pursuers]
        caught = caught or met or swapped
    return caught


@njit(cache=True)
def payoff(state, out):
    out[0] = 1.0 if _caught(state) else -1.0
    out[1] = -out[0]


@njit(cache=True)
def view(state, player, out):
    pursuers, step = state[PURSUERS], state[STEP]
    out[0] = player
    for place in range(len(state) - LINE):
        time, own = place // (pursuers + 1), (place % (pursuers + 1) == pursuers) == (player == 1)
        seen = own or time == 0 or (state[SIGHT] == 1 and time <= step)
        out[1 + place] = state[LINE + place] if seen else NONE


def variant(rows: int = 2, columns: int = 3, wrap: int = 0, pursuers: int = 1, steps: int = 3, sight: int = 0) -> Game:
    """Pursuit on a grid; one row is a path, one row with wrap=1 a cycle, several rows with wrap=1 a torus.

    With sight=1 all see where everybody stands after each step, with sight=0 only where they stand themselves.
    """
    example = "write for example pursuit(rows=1, columns=5, wrap=1, pursuers=1, steps=3, sight=0)"
    if not (1 <= rows <= len(LETTERS) and 2 <= columns <= len(LETTERS)):
        raise ValueError(
            f"pursuit: rows have to be 1 to {len(LETTERS)} and columns 2 to {len(LETTERS)} (a column is a letter), not "
            f"rows={rows}, columns={columns}; {example}"
        )
    for name, number in (("wrap", wrap), ("sight", sight)):
        if number not in (0, 1):
            raise ValueError(f"pursuit: {name} has to be 0 or 1, not {name}={number}; {example}")
    if wrap and (columns < 3 or rows == 2):
        raise ValueError(
            "pursuit: with wrap=1 columns have to be at least 3 and rows 1 or at least 3, so that both ways around "
            f"differ, not rows={rows}, columns={columns}; {example}"
        )
    if pursuers not in (1, 2):
        raise ValueError(f"pursuit: pursuers have to be 1 or 2, not pursuers={pursuers}; {example}")
    if not 1 <= steps <= 1000:
        raise ValueError(f"pursuit: steps have to be 1 to 1000, not steps={steps}; {example}")
    cells = [f"{LETTERS[column]}{row + 1}" for row in range(rows) for column in range(columns)]
    far = (rows // 2) * columns + columns // 2 if wrap else rows * columns - 1  # no cell is further from the first
    units = pursuers + 1
    around = ", and who leaves it on one side comes in on the opposite side" if wrap else ""
    hunters = "A pursuer starts" if pursuers == 1 else "Two pursuers, moved by one player, start"
    known = "After each step all see where everybody stands." if sight else "Nobody sees where the others are."

    def tell(view):
        """'pursuer a1 c2 / b1 c1 / c1 ?': who you are, then the cell of each unit at the start and after each step."""
        times = [view[1 + units * time : 1 + units * (time + 1)] for time in range(steps + 1)]
        told = [" ".join(cells[cell] if cell >= 0 else "?" for cell in places) for places in times if max(places) >= 0]
        return " ".join([("pursuer", "evader")[view[0]], " / ".join(told)])

    return Game(
        name=f"pursuit(rows={rows}, columns={columns}, wrap={wrap}, pursuers={pursuers}, steps={steps}, sight={sight})",
        source="Bosansky et al. (2013), Using double-oracle method and serialized alpha-beta search",
        rules=f"A board has {rows} rows and {columns} columns{around}; {cells[-1]} is at the bottom right. "
        f"{hunters} in a1, an evader in {cells[far]}. At the same time every one of them stays or steps to the next "
        "cell up, right, down or left. The evader is caught when a pursuer stands on its cell, or swaps cells with it "
        f"in one step; it wins when it is not caught in {steps} steps. {known}",
        words=WORDS,
        players=2,
        view_size=1 + units * (steps + 1),
        outcomes=0,
        start=np.array([rows, columns, wrap, pursuers, sight, 0, 0, *[0] * pursuers, far, *[NONE] * (units * steps)]),
        kernels=Kernels(turn, options, apply, payoff, view),
        tell=tell,
    )


PURSUIT = variant()

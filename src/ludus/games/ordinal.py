"""The 144 strict ordinal 2x2 games: every way in which two players can rank four outcomes, on four linked tables.

Each player ranks the outcomes 4 (best) to 1. Interchanging rows or columns changes nothing that matters, so that the
24 x 24 pairs of rankings are 144 games, and two games are neighbours where swapping two adjoining ranks of one player
leads from one to the other. Walking along these swaps puts all games into order: from the Prisoner's Dilemma, swapping
in turn 1 with 2 and 2 with 3 leads round six rankings and back, the row or the column of a table; swapping 1 with 2
and 3 with 4 leads to another of the four tables, the layers. Robinson and Goforth (2005), "The topology of the 2x2
games: a new periodic table", number a game by layer, row and column: 111 is the Prisoner's Dilemma. The row numbers
the ranking of the player who chooses the row of the matrix, the column that of the other.

Twelve games are symmetric. Bruns (2015), "Names for games: locating 2x2 games", Games 6(4), names these, and every
other game by the two whose rankings it joins, the row player's first: "Assurance x Prisoner's Dilemma".
"""

import numpy as np

from ludus.game import Game
from ludus.normal_form import NormalForm, as_game, normal_form

APART = ("Prisoner's Dilemma", "Chicken", "Battle", "Hero", "Compromise", "Deadlock")
"""The symmetric games of layer 1, in which the best outcomes of the two lie diagonally apart: 111, 122 to 166."""
TOGETHER = ("Concord", "Stag Hunt", "Assurance", "Coordination", "Peace", "Harmony")
"""The symmetric games of layer 3, in which one outcome is best for both: 311, 322 to 366."""
DILEMMA = np.array([[1, 3], [2, 4]])
"""The row player's ranks in the Prisoner's Dilemma: a game stands with the row player's 4 right, the other's 4 up."""


def ranks(together: bool, number: int) -> np.ndarray:
    """What the row player ranks 1 to 4, int64[2, 2]: the `number`th ranking from 1 of the layers that it names."""
    found = swap(swap(DILEMMA, 1), 3) if together else DILEMMA
    for step in range(number - 1):
        found = swap(found, 1 + step % 2)
    return found


def swap(matrix: np.ndarray, low: int) -> np.ndarray:
    """The ranks `low` and `low` + 1 interchanged: to a neighbouring game."""
    return np.where(matrix == low, low + 1, np.where(matrix == low + 1, low, matrix))


def form(layer: int, row: int, column: int) -> NormalForm:
    """The game of this number. Raises ValueError where there is none."""
    if not (1 <= layer <= 4 and 1 <= row <= 6 and 1 <= column <= 6):
        raise ValueError(
            f"ordinal: layers are numbered 1 to 4, rows and columns 1 to 6, not layer={layer}, row={row}, "
            f"column={column}; write for example ordinal(layer=1, row=1, column=1)"
        )
    own = ranks(layer in (2, 3), row)
    other = ranks(layer in (3, 4), column)[::-1, ::-1].T  # the same ranking, seen by the player of the columns
    return normal_form(
        np.stack([own, other], axis=-1),
        name_of(layer, row, column),
        ("row player", "column player"),
        (("up", "down"), ("left", "right")),
        f"Robinson and Goforth (2005), The topology of the 2x2 games, number {layer}{row}{column}.",
    )


def name_of(layer: int, row: int, column: int) -> str:
    """What Bruns calls the game of this number: by one symmetric game, or by the two that it joins."""
    own = (TOGETHER if layer in (2, 3) else APART)[row - 1]
    other = (TOGETHER if layer in (3, 4) else APART)[column - 1]
    return own if own == other else f"{own} x {other}"


def all_games() -> list[NormalForm]:
    """All 144, by number."""
    return [form(layer, row, column) for layer in range(1, 5) for row in range(1, 7) for column in range(1, 7)]


def variant(layer: int = 1, row: int = 1, column: int = 1) -> Game:
    """The game of this number, to be played."""
    return as_game(form(layer, row, column))._replace(name=f"ordinal(layer={layer}, row={row}, column={column})")


ORDINAL = variant()

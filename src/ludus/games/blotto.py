"""Colonel Blotto: two colonels spread soldiers over battlefields, unseen by each other; more soldiers take a field.

Borel (1921), "La théorie du jeu et les équations intégrales à noyau symétrique". Hart (2008), "Discrete Colonel Blotto
and general lotto games", pays for every field taken; OpenSpiel's blotto pays who takes more of them. With three fields
that is the same: nobody can take two without leaving one.

State    int64[5]: soldiers, fields, majority, what player 0 chose, what player 1 chose.
Actions  the ways to place all soldiers, in lexicographic order: 0-2, 1-1, 2-0 for two soldiers and two fields.
View     int64[1]: own choice, -1 before it is made.
"""

from itertools import combinations, pairwise
from math import comb

import numpy as np
from numba import njit

from ludus.game import OVER, Game, Kernels

SOLDIERS, FIELDS, MAJORITY, CHOICE = 0, 1, 2, 3  # where each part of the state begins
NONE = -1
MOST = 1_000  # actions: the tree has their square


@njit(cache=True)
def turn(state):
    if state[CHOICE] == NONE:
        return 0
    return 1 if state[CHOICE + 1] == NONE else OVER


@njit(cache=True)
def options(state, weights):
    weights[:] = 1.0


@njit(cache=True)
def apply(state, action):
    state[CHOICE + (state[CHOICE] != NONE)] = action


@njit(cache=True)
def payoff(state, out):
    """The difference in fields, or one for more of them."""
    lead = 0
    for field in range(state[FIELDS]):
        lead += np.sign(_soldiers(state, 0, field) - _soldiers(state, 1, field))
    won = np.sign(lead) if state[MAJORITY] else lead
    out[0], out[1] = won, -won


@njit(cache=True)
def _soldiers(state, player, field):
    """How many soldiers a player has on a field: its choice counts through all ways to place them, field by field."""
    choice, left, here = state[CHOICE + player], state[SOLDIERS], 0
    for passed in range(field + 1):
        left, here = left - here, 0
        others = state[FIELDS] - passed - 1
        while choice >= _ways(left - here, others):
            choice -= _ways(left - here, others)
            here += 1
    return here


@njit(cache=True)
def _ways(soldiers, fields):
    """How many ways there are to place soldiers on fields: soldiers + fields - 1 over soldiers."""
    ways = 1
    for placed in range(soldiers):
        ways = ways * (fields + placed) // (placed + 1)
    return ways


@njit(cache=True)
def view(state, player, out):
    out[0] = state[CHOICE + player]


def variant(soldiers: int = 5, fields: int = 3, majority: int = 1) -> Game:
    """Colonel Blotto with so many soldiers a player; majority 1: who takes more fields wins one, 0: each field pays."""
    example = "write for example blotto(soldiers=5, fields=3, majority=1)"
    if soldiers < 1 or fields < 2 or comb(soldiers + fields - 1, soldiers) > MOST:
        raise ValueError(
            "blotto: needs soldiers of at least 1, fields of at least 2 and at most "
            f"{MOST:,} ways to place them, not soldiers={soldiers}, fields={fields}; {example}"
        )
    if majority not in (0, 1):
        raise ValueError(f"blotto: majority has to be 0 or 1, not {majority}; {example}")
    walls = combinations(range(soldiers + fields - 1), fields - 1)  # between the soldiers of one field and the next
    placed = [[high - low - 1 for low, high in pairwise((-1, *wall, soldiers + fields - 1))] for wall in walls]
    words = tuple("-".join(map(str, place)) for place in placed)

    def tell(view):
        """'5 soldiers 3 fields': before you place them; afterwards '5 soldiers 3 fields 2-2-1'."""
        return " ".join([f"{soldiers} soldiers {fields} fields", *(words[choice] for choice in view if choice != NONE)])

    return Game(
        name=f"blotto(soldiers={soldiers}, fields={fields}, majority={majority})",
        source="Borel (1921), La theorie du jeu; Hart (2008), Discrete Colonel Blotto and general lotto games",
        rules=f"Two colonels each have {soldiers} soldiers and place all of them on {fields} battlefields, without "
        "seeing what the other does: the numbers of an action are the soldiers on each field. More soldiers take a "
        "field, equal numbers leave it to nobody. "
        + ("Who takes more fields wins." if majority else "Each field taken is paid by the other colonel with one."),
        words=words,
        players=2,
        view_size=1,
        outcomes=0,
        start=np.array([soldiers, fields, majority, NONE, NONE]),
        kernels=Kernels(turn, options, apply, payoff, view),
        tell=tell,
    )


BLOTTO = variant()

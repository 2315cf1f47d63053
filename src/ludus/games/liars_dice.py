"""Liar's dice: hidden dice, rising bids about all of them, and somebody calls the bluff.

Two players, bids in order, the highest face is wild: the rules of OpenSpiel (Lanctot et al. 2019, "OpenSpiel: a
framework for reinforcement learning in games"), carried to any number of dice and faces.

State    int64[6 + 2 F] for F faces: dice of a player, faces, dice rolled so far, bids made (bit b for bid b), last bid,
         turn, then how often each face lies before player 0, before player 1.
Actions  bid b says "at least b // F + 1 dice show face b % F + 1 or the wild face"; the last action is liar.
         At a roll: the face, counted from 0; first the dice of player 0.
View     int64[F + B] for B bids: own dice by face, then 1 for each bid made. Bids rise and players
         alternate, so this is all that happened.
"""

import numpy as np
from numba import njit

from ludus.game import CHANCE, OVER, Game, Kernels

DICE, FACES, ROLLED, BIDS, LAST, TURN, SHOWN = 0, 1, 2, 3, 4, 5, 6  # where each part of the state begins
NONE = -1


@njit(cache=True)
def turn(state):
    return state[TURN]


@njit(cache=True)
def options(state, weights):
    """At a roll, the probability of each face; afterwards, 1 for each higher bid, and for liar after a bid."""
    rolls, liar = state[TURN] == CHANCE, 2 * state[DICE] * state[FACES]
    for move in range(len(weights)):  # one loop: slices cost more than the rest of the move
        if rolls:
            weights[move] = 1 / state[FACES] if move < state[FACES] else 0.0
        else:
            weights[move] = state[LAST] < move < liar or (move == liar and state[LAST] != NONE)


@njit(cache=True)
def apply(state, action):
    if state[TURN] == CHANCE:
        state[SHOWN + (state[ROLLED] // state[DICE]) * state[FACES] + action] += 1
        state[ROLLED] += 1
        if state[ROLLED] == 2 * state[DICE]:
            state[TURN] = 0
    elif action == 2 * state[DICE] * state[FACES]:
        state[TURN] = OVER
    else:
        state[BIDS] |= 1 << action
        state[LAST] = action
        state[TURN] = 1 - state[TURN]


@njit(cache=True)
def payoff(state, out):
    """The bidder wins one where the dice bear out the last bid, else the one who called liar."""
    faces = state[FACES]
    face, wild = state[LAST] % faces, faces - 1
    count = 0
    for player in range(2):
        count += state[SHOWN + player * faces + face]
        if face != wild:
            count += state[SHOWN + player * faces + wild]
    bids, left = 0, state[BIDS]
    while left:
        left &= left - 1
        bids += 1
    bidder = (bids - 1) % 2
    winner = bidder if count > state[LAST] // faces else 1 - bidder
    out[winner], out[1 - winner] = 1.0, -1.0


@njit(cache=True)
def view(state, player, out):
    faces = state[FACES]
    for face in range(faces):
        out[face] = state[SHOWN + player * faces + face]
    for bid in range(2 * state[DICE] * faces):
        out[faces + bid] = (state[BIDS] >> bid) & 1


def variant(dice: int = 1, faces: int = 6) -> Game:
    """Liar's dice with `dice` dice a player, each with `faces` faces; at most 60 bids in all."""
    if dice < 1 or faces < 2 or 2 * dice * faces > 60:
        raise ValueError(
            "liars_dice: needs dice of at least 1, faces of at least 2 and 2 * dice * faces of at most 60 (bids share "
            f"one 64-bit number), not dice={dice}, faces={faces}; write for example liars_dice(dice=1, faces=5)"
        )
    bids = [f"{number + 1}x{face + 1}" for number in range(2 * dice) for face in range(faces)]

    def tell(view):
        """'3 1x3 2x3': your die shows three; one three was bid, then two threes."""
        own = [str(face + 1) for face in range(faces) for _ in range(view[face])]
        return " ".join(own + [bid for bid, made in zip(bids, view[faces:], strict=True) if made])

    return Game(
        name=f"liars_dice(dice={dice}, faces={faces})",
        source="Lanctot et al. (2019), OpenSpiel: a framework for reinforcement learning in games",
        rules=f"Each player rolls dice unseen by the other: {dice}, with {faces} faces. In turn they bid: 2x1 says "
        f"that at least two of all the dice show a one. The face {faces} is wild: it counts as every face. Each bid is "
        "higher than the one before: more dice, or as many with a higher face. Instead of bidding a player may call "
        "liar: the one who bid wins where the dice bear out the last bid, else the other.",
        words=(*bids, "liar"),
        players=2,
        view_size=faces + len(bids),
        outcomes=faces,
        start=np.array([dice, faces, 0, 0, NONE, CHANCE, *[0] * (2 * faces)]),
        kernels=Kernels(turn, options, apply, payoff, view),
        tell=tell,
    )


LIARS_DICE = variant()

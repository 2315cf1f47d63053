"""Kuhn poker: three cards, one chip to bet, and bluffing is already optimal.

Kuhn (1950), "A simplified two-person poker". Worth -1/18 chip to the first player.

State    int64[6]: card of player 0, card of player 1, plies played, then the actions.
Actions  0 pass (check or fold), 1 bet (bet or call). At the deal: the card, 0 to 2.
View     int64[5]: own card, then everything after the cards, which is public.
"""

import numpy as np
from numba import njit

from ludus.game import CHANCE, OVER, Game, Kernels

PASS, BET, UNSEEN = 0, 1, -1
CARD, PLIES, LINE = 0, 2, 3  # where each part of the state begins


@njit(cache=True)
def turn(state):
    if state[CARD + 1] == UNSEEN:
        return CHANCE
    bet_after_pass = state[PLIES] == 2 and state[LINE] == PASS and state[LINE + 1] == BET
    return state[PLIES] % 2 if state[PLIES] < 2 or bet_after_pass else OVER


@njit(cache=True)
def options(state, weights):
    """At the deal, the probability of each card; afterwards, 1 for each legal action."""
    share = 1 / 3 if state[CARD] == UNSEEN else 1 / 2
    for card in range(3):  # one loop without an early return: compiled, a tenth of the time
        if state[CARD + 1] != UNSEEN:
            weights[card] = 1.0 if card < 2 else 0.0
        else:
            weights[card] = share if card != state[CARD] else 0.0


@njit(cache=True)
def apply(state, action):
    if state[CARD + 1] == UNSEEN:
        state[CARD + (state[CARD] != UNSEEN)] = action
    else:
        state[LINE + state[PLIES]] = action
        state[PLIES] += 1


@njit(cache=True)
def payoff(state, out):
    """A fold pays the bettor one; a showdown pays the high card one, or two after a call."""
    last = state[LINE + state[PLIES] - 1]
    folded = last == PASS and state[LINE + state[PLIES] - 2] == BET
    winner = state[PLIES] % 2 if folded else int(state[CARD + 1] > state[CARD])
    out[winner], out[1 - winner] = 1.0 + last, -1.0 - last


@njit(cache=True)
def view(state, player, out):
    out[0] = state[CARD + player]
    out[1:] = state[PLIES:]


def tell(view):
    """'J pass bet': you hold the jack, after a pass and a bet."""
    card, plies, *line = view
    return " ".join(["JQK"[card], *(("pass", "bet")[action] for action in line[:plies])])


KUHN_POKER = Game(
    name="kuhn_poker",
    source="Kuhn (1950), A simplified two-person poker",
    rules="Both players ante one chip and are dealt one of three cards: J, Q or K, K the highest. In turn they pass or "
    "bet one chip. Facing a bet, pass is a fold and bet is a call. Nobody folds: the higher card takes the pot.",
    words=("pass", "bet"),
    players=2,
    view_size=5,
    outcomes=3,
    start=np.array([UNSEEN, UNSEEN, 0, UNSEEN, UNSEEN, UNSEEN]),
    kernels=Kernels(turn, options, apply, payoff, view),
    tell=tell,
)
